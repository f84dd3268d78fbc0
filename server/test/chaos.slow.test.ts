import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { temporaryDirectory } from './database.ts';
import { type EraClient, openEraClient } from './era-client.ts';
import { type EraServer, type Heard, startEraServer } from './era-server.ts';
import { type Json, messageOf, startApp, type TestApp } from './start-app.ts';
import { startProcess } from './start-process.ts';

const eras = ['legacy', 'modern'] as const;
const watched = ['test://text'];

function configFor(uri: string): string {
  return `
workers:
  - { id: up, mcp: { uri: "${uri}" } }
gateways:
  - { name: Up, slug: up, naming: source }
`;
}

for (const serverEra of eras) {
  for (const clientEra of eras) {
    describe(`a ${serverEra} server that dies, before a ${clientEra} client`, () => {
      let server: EraServer;
      let app: TestApp;
      let client: EraClient;

      beforeEach(async () => {
        server = await startEraServer(serverEra);
        app = await startApp(configFor(server.uri));
        const { state, message } = await app.app.rooms.sources.refresh('default', 'up');
        assert.equal(state, 'healthy', message);
        const headers = { authorization: `Bearer ${app.key}`, 'arcade-user-id': 'alice' };
        client = await openEraClient(clientEra, `${app.url}/mcp/up`, headers);
      });
      afterEach(async () => {
        await client.close();
        await app.close();
        await server.close();
      });

      const call = (name: string) => client.request('tools/call', { name, arguments: {} });
      /** Ends it as a crash does, and starts another in its place, which knows nothing of the first. */
      async function restart(change: (fresh: EraServer) => void = () => {}): Promise<void> {
        await server.close();
        server = await startEraServer(serverEra, Number(new URL(server.uri).port));
        change(server);
      }

      test('the first call after a restart is answered, and made once', async () => {
        for (let round = 0; round < 3; round++) {
          const { result, error } = await call('Echo');
          assert.equal(error, undefined, JSON.stringify(error));
          assert.deepEqual(result.content, [{ type: 'text', text: 'Echo' }]);
          assert.deepEqual(server.ran, ['Echo']);
          await restart();
        }
      });

      test('a call that may have run is not made again', async () => {
        const calling = once(server.events, 'calling');
        const { outcome } = client.begin('tools/call', { name: 'Wait', arguments: {} });
        await calling;
        await restart();
        const { result } = await outcome;
        assert.equal(result.isError, true);
        assert.match(JSON.stringify(result), /source\.interrupted/);
        assert.equal((await call('Echo')).error, undefined);
        assert.deepEqual(server.ran, ['Echo']);
      });

      test('what the new server offers is listed, and told of', async () => {
        const stream = await client.listen();
        await restart((fresh) => fresh.addTool());
        assert.equal((await call('Echo')).error, undefined);
        await stream.next('notifications/tools/list_changed');
        const { result } = await client.request('tools/list');
        assert.ok(result.tools.some(({ name }: Json) => name.startsWith('Added')));
      });

      test('a resource that a client watches is watched at the new server', async () => {
        const stream = await client.listen(watched);
        let subscribed = Promise.resolve<unknown>(null);
        await restart((fresh) => {
          subscribed = once(fresh.events, 'subscribed', { signal: AbortSignal.timeout(20_000) });
        });
        assert.equal((await call('Echo')).error, undefined);
        await subscribed;
        server.updateResource('test://text');
        const { params } = await stream.next('notifications/resources/updated');
        assert.equal(params.uri, 'test://text');
      });
    });
  }
}

/** Opens a session for a user, by hand: no SDK holds on to two hundred. */
async function openSession(url: string, user: string): Promise<string> {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } };
  const opened = await post(url, user, { id: 1, method: 'initialize', params });
  await opened.arrayBuffer();
  return opened.headers.get('mcp-session-id') as string;
}

function post(url: string, user: string, message: object, headers: Record<string, string> = {}) {
  return fetch(`${url}/mcp/up`, {
    method: 'POST',
    headers: {
      authorization: 'Bearer sp_the_key_of_this_test',
      'arcade-user-id': user,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', ...message }),
  });
}

test('two hundred sessions outlive a gateway that is killed, each for its own user only', async () => {
  const server = await startEraServer('legacy');
  const dataDir = temporaryDirectory();
  const config = join(dataDir, 'sallyport.yaml');
  writeFileSync(config, configFor(server.uri));
  const env = { SALLYPORT_CONFIG: config, SALLYPORT_DATA_DIR: join(dataDir, 'state') };
  let gateway = await startProcess(env, dataDir);
  try {
    const users = Array.from({ length: 200 }, (_, i) => `user${i}`);
    const echo = { id: 2, method: 'tools/call', params: { name: 'Echo', arguments: {} } };
    const sessions = await Promise.all(users.map((user) => openSession(gateway.url, user)));
    assert.equal(new Set(sessions).size, users.length);
    /** The server is asked for its tools now; a gateway that has just begun may not have come to it. */
    const refresh = async () => {
      const headers = { authorization: 'Bearer sp_the_key_of_this_test' };
      const status = await fetch(`${gateway.url}/v1/workers/up/health`, { headers });
      assert.equal(((await status.json()) as Json).healthy, true);
    };
    const use = async (user: string, session: string) => {
      const headers = { 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' };
      const response = await post(gateway.url, user, echo, headers);
      return { status: response.status, text: await response.text() };
    };
    await refresh();
    assert.equal((await use(users[0] as string, sessions[0] as string)).status, 200);
    await gateway.stop('SIGKILL');
    gateway = await startProcess(env, dataDir);
    await refresh();
    for (const [i, user] of users.entries()) {
      const own = await use(user, sessions[i] as string);
      assert.equal(own.status, 200, own.text);
      assert.match(own.text, /"text":"Echo"/);
      const foreign = await use(user, sessions[(i + 1) % users.length] as string);
      assert.equal(foreign.status, 404, foreign.text);
    }
  } finally {
    await gateway.stop('SIGKILL');
    await server.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
});

describe('a client that vanishes while it is asked', () => {
  for (const serverEra of eras) {
    test(`the call of a ${serverEra} server ends, and the session goes on`, async () => {
      const server = await startEraServer(serverEra);
      const app = await startApp(configFor(server.uri));
      try {
        await app.app.rooms.sources.refresh('default', 'up');
        const headers = await vanishWhenAsked(app);
        // Its server is told that there will be no answer, and ends the call.
        const isRefusal = ({ message }: Heard) => message.method === undefined && message.error !== undefined;
        while (serverEra === 'legacy' && !server.heard.some(isRefusal)) await once(server.events, 'heard');
        let records: Json[] = [];
        while (records.length === 0) records = await app.records('&kind=tool_call');
        assert.deepEqual(
          records.map(({ tool }) => tool),
          ['up.AskForm'],
        );
        const echo = { id: 3, method: 'tools/call', params: { name: 'Echo', arguments: {} } };
        const { result } = await messageOf(await app.rpc('up', echo, headers));
        assert.deepEqual(result.content, [{ type: 'text', text: 'Echo' }]);
      } finally {
        await app.close();
        await server.close();
      }
    });
  }
});

/** Calls a tool that asks, and is gone as soon as the question is there; gives what names the session. */
async function vanishWhenAsked(app: TestApp): Promise<Record<string, string>> {
  const capabilities = { elicitation: { form: {} } };
  const params = { protocolVersion: '2025-11-25', capabilities, clientInfo: { name: 't', version: '1' } };
  const opened = await app.rpc('up', { id: 1, method: 'initialize', params });
  await opened.arrayBuffer();
  const headers = { 'mcp-session-id': opened.headers.get('mcp-session-id') as string };
  await app.rpc('up', { method: 'notifications/initialized' }, headers);
  const call = { id: 2, method: 'tools/call', params: { name: 'AskForm', arguments: {} } };
  const response = await app.rpc('up', call, headers);
  const reader = (response.body as ReadableStream<Uint8Array>)
    .pipeThrough(new TextDecoderStream())
    .getReader();
  let text = '';
  while (!text.includes('elicitation/create')) {
    const { value, done } = await reader.read();
    assert.equal(done, false, `the stream ended: ${text}`);
    text += value;
  }
  await reader.cancel();
  return headers;
}
