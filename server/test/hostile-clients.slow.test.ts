import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { type Json, messageOf, startApp, type TestApp } from './start-app.ts';

const secret = 'a-worker-secret-of-more-than-32-bytes';

describe('hostile clients', () => {
  let app: TestApp;
  let hanging: ReturnType<typeof createServer>;

  before(async () => {
    const definition = { name: 'Wait', toolkit: { name: 'Slow', version: '1' }, input: { parameters: [] } };
    hanging = createServer((request, response) => {
      if (request.url === '/worker/tools') response.end(JSON.stringify([definition]));
    }).listen(0, '127.0.0.1');
    await once(hanging, 'listening');
    const { port } = hanging.address() as AddressInfo;
    app = await startApp(`
workers:
  - { id: slow, http: { uri: "http://127.0.0.1:${port}", secret: "${secret}" } }
gateways:
  - { name: All, slug: all }
  - { name: Hidden, slug: hidden }
`);
    await app.app.rooms.sources.refresh('default', 'slow');
  });
  after(async () => {
    hanging.closeAllConnections();
    hanging.close();
    await app.close();
  });

  const initialize = {
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
  };
  function raw(method: string, session: string | null, body = ''): string {
    const accept = 'application/json, text/event-stream';
    const lines = [
      `${method} /mcp/all HTTP/1.1`,
      'host: localhost',
      `authorization: ${app.key}`,
      'arcade-user-id: alice',
      `accept: ${accept}`,
      'content-type: application/json',
      ...(session === null ? [] : [`mcp-session-id: ${session}`]),
      `content-length: ${Buffer.byteLength(body)}`,
    ];
    return `${lines.join('\r\n')}\r\n\r\n${body}`;
  }
  async function open(): Promise<Socket> {
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  }

  test('a stream that was ended before its turn on the connection came does not end the process', async () => {
    const opened = await app.rpc('all', initialize);
    const session = opened.headers.get('mcp-session-id') as string;
    await opened.text();
    const socket = await open();
    const call = { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'Slow_Wait' } };
    const reached = once(hanging, 'request');
    // The stream's answer waits behind that of the call, so that what is ended stays unsent.
    socket.write(raw('POST', null, JSON.stringify(call)) + raw('GET', session));
    await reached;
    const ended = await fetch(`${app.url}/mcp/all`, {
      method: 'DELETE',
      headers: { authorization: app.key, 'arcade-user-id': 'alice', 'mcp-session-id': session },
    });
    assert.equal(ended.status, 204);
    app.app.rooms.catalog.applyFile(
      app.app.rooms.catalog.gateways('default').filter(({ origin }) => origin === 'file'),
    );
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal((await fetch(`${app.url}/healthz`)).status, 200);
    socket.destroy();
  });

  test('a gateway that a key may not enter is answered as one that does not exist, whatever else is wrong', async () => {
    const made = await app.api('POST', '/v1/api_keys', {
      name: 'narrow',
      scopes: ['call'],
      gateways: ['all'],
      users: ['alice'],
    });
    const { key } = (await made.json()) as { key: string };
    for (const user of [undefined, 'bob', 'alice']) {
      const answers = [];
      for (const slug of ['hidden', 'absent']) {
        const answer = await fetch(`${app.url}/mcp/${slug}`, {
          method: 'POST',
          headers: { authorization: key, ...(user === undefined ? {} : { 'arcade-user-id': user }) },
        });
        const body = (await answer.text()).replaceAll(slug, '…');
        answers.push([answer.status, body]);
      }
      assert.deepEqual(answers[0], answers[1], `for the user ${user}`);
    }
  });

  test('a body that is no JSON is not quoted in the records', async () => {
    const answer = await fetch(`${app.url}/mcp/all`, {
      method: 'POST',
      headers: { authorization: app.key, 'arcade-user-id': 'alice', 'content-type': 'application/json' },
      body: 'hunter2-hunter2',
    });
    assert.equal((await messageOf(answer)).error.data.name, 'request.malformed');
    const found = await app.api('GET', '/v1/audit_events?limit=100&code=request.malformed');
    const { items } = (await found.json()) as { items: Json[] };
    assert.equal(items.length, 1);
    assert.doesNotMatch(JSON.stringify(items), /hunter2/);
  });

  test('a journal that takes nothing more refuses strangers and callers, and ends nothing', async () => {
    const { audit } = app.app.rooms as { audit: { record: unknown } };
    const { record } = audit;
    audit.record = () => {
      throw new Error('ENOSPC');
    };
    try {
      const stranger = await fetch(`${app.url}/mcp/all`, { method: 'POST' });
      assert.equal(stranger.status, 500);
      assert.equal((await app.rpc('all', { id: 1, method: 'tools/list' })).status, 500);
    } finally {
      audit.record = record;
    }
  });

  test('the API too answers only to names of loopback there, and to no foreign page', async () => {
    const socket = await open();
    socket.write('GET /v1/health HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n');
    const [head] = (await once(socket, 'data')) as [Buffer];
    assert.match(head.toString(), /^HTTP\/1.1 403 /);
    const foreign = await fetch(`${app.url}/v1/health`, { headers: { origin: 'https://evil.example' } });
    assert.equal(foreign.status, 403);
  });
});
