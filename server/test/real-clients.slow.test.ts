import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createMCPClient } from '@ai-sdk/mcp';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CreateMessageRequestSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { MCPServerStreamableHttp } from '@openai/agents';
import { type Era, type EraServer, startEraServer } from './era-server.ts';
import { freePort } from './free-port.ts';
import { type Json, startApp, startReferenceServer, type TestApp } from './start-app.ts';

const secret = 'a-worker-secret-of-more-than-32-bytes';
const packageRoot = (name: string) => dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));

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
  const servers = {} as Record<Era, EraServer>;
  let app: TestApp;

  before(async () => {
    worker = await startReferenceServer(secret);
    everything = await startEverything();
    for (const era of ['legacy', 'modern'] as const) servers[era] = await startEraServer(era);
    app = await startApp(`
workers:
  - { id: reference, http: { uri: "${worker.uri}", secret: "${secret}" } }
  - { id: everything, mcp: { uri: "${everything.uri}" } }
  - { id: legacy, mcp: { uri: "${servers.legacy.uri}" } }
  - { id: modern, mcp: { uri: "${servers.modern.uri}" } }
gateways:
  - { name: All, slug: all }
  - { name: Own, slug: own, naming: source, tool_filter: { allowed_tools: [everything.*] } }
  - { name: Legacy, slug: legacy, naming: source, tool_filter: { allowed_tools: [legacy.*] } }
  - { name: Modern, slug: modern, naming: source, tool_filter: { allowed_tools: [modern.*] } }
`);
    for (const id of ['reference', 'everything', 'legacy', 'modern']) {
      const status = await app.app.rooms.sources.refresh('default', id);
      assert.equal(status.state, 'healthy', status.message);
    }
  });
  after(async () => {
    await app.close();
    await worker.stop();
    everything.child.kill();
    for (const server of Object.values(servers)) await server.close();
  });

  const urlOf = (slug: string) => new URL(`${app.url}/mcp/${slug}`);
  const headersOf = () => ({ Authorization: `Bearer ${app.key}`, 'Arcade-User-ID': 'ann' });

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

  test('the AI SDK lists and calls tools of workers and of MCP servers', async () => {
    const transport = { type: 'http', url: urlOf('all').href, headers: headersOf() } as const;
    const client = await createMCPClient({ transport });
    try {
      const { tools } = await client.listTools();
      assert.ok(tools.some(({ name }) => name === 'everything_echo'));
      const sum = await client.callTool({ name: 'ArcadeEvalRef_Add', arguments: { a: 2, b: 3 } });
      assert.deepEqual(sum.structuredContent, { result: 5 });
      const echo = await client.callTool({ name: 'everything_echo', arguments: { message: 'hi' } });
      assert.deepEqual(echo.content, [{ type: 'text', text: 'Echo: hi' }]);
    } finally {
      await client.close();
    }
  });

  test('the OpenAI Agents SDK lists and calls tools of workers and of MCP servers', async () => {
    const requestInit = { headers: headersOf() };
    const client = new MCPServerStreamableHttp({ url: urlOf('all').href, requestInit });
    await client.connect();
    try {
      const tools = await client.listTools();
      assert.ok(tools.some(({ name }) => name === 'everything_echo'));
      const sum = await client.callToolResult('ArcadeEvalRef_Add', { a: 2, b: 3 });
      assert.deepEqual(sum.structuredContent, { result: 5 });
      const echo = await client.callTool('everything_echo', { message: 'hi' });
      assert.deepEqual(echo, [{ type: 'text', text: 'Echo: hi' }]);
    } finally {
      await client.close();
    }
  });

  const capabilities = { elicitation: { form: {} }, sampling: {} };
  const accepted = { action: 'accept' as const, content: { name: 'Bo' } };
  const sampled = {
    role: 'assistant' as const,
    model: 'a-model',
    content: { type: 'text' as const, text: 'Paris' },
  };

  async function connectV2(era: Era, slug: string): Promise<Asked> {
    const mode = era === 'modern' ? { pin: '2026-07-28' } : 'legacy';
    const client = new Client({ name: 'v2', version: '1' }, {
      capabilities,
      versionNegotiation: { mode },
    } as ConstructorParameters<typeof Client>[1]);
    client.setRequestHandler('elicitation/create', async () => accepted);
    client.setRequestHandler('sampling/createMessage', async () => sampled);
    const requestInit = { headers: headersOf() };
    await client.connect(new StreamableHTTPClientTransport(urlOf(slug), { requestInit }));
    return client as unknown as Asked;
  }

  async function connectV1(slug: string): Promise<Asked> {
    const client = new ClientV1({ name: 'v1', version: '1' }, { capabilities });
    client.setRequestHandler(ElicitRequestSchema, async () => accepted);
    client.setRequestHandler(CreateMessageRequestSchema, async () => sampled);
    const requestInit = { headers: headersOf() };
    await client.connect(new TransportV1(urlOf(slug), { requestInit }) as never);
    return client as unknown as Asked;
  }

  const clients: Record<string, (slug: string) => Promise<Asked>> = {
    'the SDK of version 1': connectV1,
    'the SDK of version 2, with a handshake': (slug) => connectV2('legacy', slug),
    'the SDK of version 2, without': (slug) => connectV2('modern', slug),
  };
  for (const [name, connect] of Object.entries(clients)) {
    test(`${name} is asked for a form and for a sample by an older server of the MCP project`, async () => {
      const client = await connect('own');
      try {
        const form = await client.callTool({ name: 'trigger-elicitation-request', arguments: {} });
        assert.match(JSON.stringify(form.content), /Name: Bo/);
        const asked = { prompt: 'What is the capital of France?', maxTokens: 10 };
        const sample = await client.callTool({ name: 'trigger-sampling-request', arguments: asked });
        assert.match(JSON.stringify(sample.content), /Paris/);
      } finally {
        await client.close();
      }
    });

    for (const era of ['legacy', 'modern'] as const) {
      test(`${name} is asked for a form and for a sample by a ${era} server`, async () => {
        const client = await connect(era);
        try {
          const form = await client.callTool({ name: 'AskForm', arguments: {} });
          assert.deepEqual(JSON.parse(form.content[0].text).name.content, { name: 'Bo' });
          const sample = await client.callTool({ name: 'Sample', arguments: {} });
          assert.deepEqual(JSON.parse(sample.content[0].text).sample.result.content, sampled.content);
        } finally {
          await client.close();
        }
      });
    }
  }
});

/** What the tests do with a client of either SDK. */
interface Asked {
  callTool(call: { name: string; arguments: object }): Promise<{ content: Json }>;
  close(): Promise<void>;
}
