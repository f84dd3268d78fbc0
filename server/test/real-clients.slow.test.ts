import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Json, startApp, startReferenceServer, type TestApp } from './start-app.ts';

const secret = 'a-worker-secret-of-more-than-32-bytes';
const packageRoot = (name: string) => dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** The MCP project's own example of everything, which speaks revisions up to 2025-11-25. */
async function startEverything(): Promise<{ uri: string; child: ChildProcess }> {
  const port = await freePort();
  const script = join(packageRoot('@modelcontextprotocol/server-everything'), 'dist/index.js');
  const child = spawn(process.execPath, [script, 'streamableHttp'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PORT: String(port) },
  });
  let said = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes(String(port))) resolve();
    });
    child.once('exit', () => reject(new Error(said)));
  });
  return { uri: `http://127.0.0.1:${port}/mcp`, child };
}

describe('real clients in front, real servers behind', () => {
  let worker: Awaited<ReturnType<typeof startReferenceServer>>;
  let everything: Awaited<ReturnType<typeof startEverything>>;
  let app: TestApp;

  before(async () => {
    worker = await startReferenceServer(secret);
    everything = await startEverything();
    app = await startApp(`
workers:
  - { id: reference, http: { uri: "${worker.uri}", secret: "${secret}" } }
  - { id: everything, mcp: { uri: "${everything.uri}" } }
gateways:
  - { name: All, slug: all }
  - { name: Own, slug: own, naming: source, tool_filter: { allowed_tools: [everything.*] } }
`);
    for (const id of ['reference', 'everything']) {
      const status = await app.app.rooms.sources.refresh('default', id);
      assert.equal(status.state, 'healthy', status.message);
    }
  });
  after(async () => {
    await app.close();
    await worker.stop();
    everything.child.kill();
  });

  /** The MCP Inspector's command line; gives the result it printed. */
  async function inspect(era: 'legacy' | 'modern', slug: string, args: string[]): Promise<Json> {
    const manifest = packageRoot('@modelcontextprotocol/inspector');
    const { bin } = createRequire(import.meta.url)(join(manifest, 'package.json')) as {
      bin: Record<string, string>;
    };
    const cli = join(manifest, Object.values(bin)[0] as string);
    const headers = ['--header', `Authorization: Bearer ${app.key}`, '--header', 'Arcade-User-ID: ann'];
    const options = [
      '--cli',
      `${app.url}/mcp/${slug}`,
      '--transport',
      'http',
      '--protocol-era',
      era,
      ...headers,
      '--format',
      'json',
      ...args,
    ];
    return await new Promise((resolve, reject) => {
      execFile(process.execPath, [cli, ...options], { timeout: 60_000 }, (error, stdout, stderr) => {
        if (error !== null) reject(new Error(`${stderr}\n${stdout}`));
        else resolve(JSON.parse(stdout).result);
      });
    });
  }

  for (const era of ['legacy', 'modern'] as const) {
    test(`the Inspector lists and calls a worker's tools (${era})`, async () => {
      const { tools } = await inspect(era, 'all', ['--method', 'tools/list']);
      assert.ok(tools.some(({ name }: Json) => name === 'ArcadeEvalRef_Whoami'));
      const args = ['--method', 'tools/call', '--tool-name', 'ArcadeEvalRef_Whoami'];
      assert.deepEqual((await inspect(era, 'all', args)).structuredContent, { result: 'ann' });
      const sum = ['--method', 'tools/call', '--tool-name', 'ArcadeEvalRef_Add', '--tool-arg', 'a=2', 'b=3'];
      assert.deepEqual((await inspect(era, 'all', sum)).structuredContent, { result: 5 });
    });

    test(`the Inspector calls a tool of an older MCP server (${era})`, async () => {
      const prefixed = [
        '--method',
        'tools/call',
        '--tool-name',
        'everything_echo',
        '--tool-arg',
        'message=hi',
      ];
      assert.deepEqual((await inspect(era, 'all', prefixed)).content, [{ type: 'text', text: 'Echo: hi' }]);
      const own = ['--method', 'tools/call', '--tool-name', 'echo', '--tool-arg', 'message=hi'];
      assert.deepEqual((await inspect(era, 'own', own)).content, [{ type: 'text', text: 'Echo: hi' }]);
    });
  }

  test('every tool of the MCP server is there, with its own schema and annotations', async () => {
    const direct = app.app.rooms.catalog.tools('default').filter(({ sourceId }) => sourceId === 'everything');
    const { tools } = await inspect('modern', 'own', ['--method', 'tools/list']);
    assert.deepEqual(
      tools.map(({ name }: Json) => name),
      direct.map(({ name }) => name),
    );
    assert.ok(tools.length >= 10);
    const echo = tools.find(({ name }: Json) => name === 'echo');
    assert.equal(echo.inputSchema.properties.message.type, 'string');
  });
});
