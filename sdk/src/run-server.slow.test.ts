import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

const program = fileURLToPath(new URL('../test/kit-program.ts', import.meta.url));

async function connect(era: 'legacy' | 'modern', env: Record<string, string>): Promise<Client> {
  const mode = era === 'legacy' ? 'legacy' : { pin: '2026-07-28' };
  const client = new Client(
    { name: 'test', version: '1.0.0' },
    { versionNegotiation: { mode }, capabilities: { elicitation: { form: {} } } },
  );
  client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { name: 'Ann' } }));
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [program], env }));
  return client;
}

for (const era of ['legacy', 'modern'] as const) {
  describe(`over stdio, a ${era} MCP client`, () => {
    let client: Client;
    before(async () => {
      client = await connect(era, { ARCADE_USER_ID: 'alice', KEY: 'v' });
    });
    after(() => client.close());

    it('lists and calls tools, with the user and the secrets of the environment', async () => {
      const { tools } = await client.listTools();
      const who = await client.callTool({ name: 'Kit_Whoami' });
      const secret = await client.callTool({ name: 'Kit_Secret' });
      assert.deepEqual(
        tools.map((tool) => tool.name),
        ['Kit_Whoami', 'Kit_Secret', 'Kit_Ask'],
      );
      assert.deepEqual(who.structuredContent, { result: 'alice' });
      assert.deepEqual(secret.structuredContent, { result: 'v' });
    });

    it('is told which secret is missing', async () => {
      const without = await connect(era, {});
      const secret = await without.callTool({ name: 'Kit_Secret' });
      await without.close();
      assert.equal(secret.isError, true);
      assert.match(JSON.stringify(secret.content), /needs the secret 'KEY'/);
    });

    it('answers a question of a tool', async () => {
      const answer = await client.callTool({ name: 'Kit_Ask' });
      assert.deepEqual(answer.structuredContent, { result: 'hello Ann' });
    });
  });
}

function start(env: Record<string, string>): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [program], { env });
}

describe('over HTTP, the program', () => {
  it('says where it listens on stdout, warns of a short secret on stderr, and ends well on SIGTERM', async () => {
    const child = start({
      SALLYPORT_SERVER_TRANSPORT: 'http',
      SALLYPORT_SERVER_PORT: '0',
      SALLYPORT_WORKER_SECRET: 'short',
    });
    const stderr = text(child.stderr);
    const [line] = await once(createInterface(child.stdout), 'line');
    const { listening } = JSON.parse(line);
    const health = await fetch(`${listening}/worker/health`);
    assert.deepEqual(await health.json(), { status: 'ok', tool_count: '3' });
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
    assert.deepEqual((await stderr).trim().split('\n'), [
      'warning: the worker secret is shorter than 32 bytes',
      `listening on ${listening}`,
    ]);
  });

  it('does not start with a bad setting, and names it', async () => {
    const child = start({ SALLYPORT_SERVER_TRANSPORT: 'http', SALLYPORT_SERVER_PORT: 'eighty' });
    const stderr = text(child.stderr);
    const [code] = await once(child, 'exit');
    assert.equal(code, 1);
    assert.match(await stderr, /SALLYPORT_SERVER_PORT must be a port from 0 to 65535, not "eighty"/);
  });
});
