import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import type { Connections } from './connections.ts';
import { asAlice, type Lanes, secret, startLanes, works } from './lanes.ts';
import { type Json, modern, startReferenceServer, toolCall } from './start-app.ts';

const echo = toolCall('ArcadeEvalRef_Echo', { text: 'hi' });
let worker: Awaited<ReturnType<typeof startReferenceServer>>;
let lanes: Lanes;
let connections: Connections;

before(async () => {
  worker = await startReferenceServer(secret);
  lanes = await startLanes(worker.uri);
});
after(async () => {
  lanes?.close();
  await worker.stop();
});

function open(count: number, headers?: Record<string, string>): void {
  connections = lanes.open(count, headers);
}

const each = (headers?: Record<string, string>, path = '/mcp/main', message: object = echo) =>
  Promise.all(connections.all.map((one) => one.post(path, message, headers)));

describe('several processes', () => {
  test('share the connections, and each call is recorded once, whoever served it', async () => {
    open(12);
    for (let round = 0; round < 5; round++) assert.ok((await each()).every(works));
    const events = await lanes.api('GET', '/v1/audit_events?limit=100&kind=tool_call');
    assert.equal(events.body.total_count, 60);
    assert.equal(new Set(events.body.items.map(({ execution_id }: Json) => execution_id)).size, 60);
    const verified = await lanes.api('GET', '/v1/audit_events/verify');
    assert.equal(verified.body.valid, true, JSON.stringify(verified.body));
    const by = lanes
      .lines()
      .filter(({ kind }) => kind === 'tool_call')
      .map(({ process = 'office' }) => process);
    assert.deepEqual(new Set(by), new Set(['office', 'lane-1', 'lane-2']));
    const metrics = await (await fetch(`${lanes.server.url}/metrics`)).text();
    assert.match(
      metrics,
      /sallyport_calls_total\{.*source="reference",kind="tool_call",decision="allowed"\} 60/,
    );
  });

  test('serve the generation without a handshake alike', async () => {
    open(9);
    const { message, headers } = modern('tools/call', echo.params);
    for (const answer of await each(headers, '/mcp/main', message)) assert.ok(works(answer));
  });

  test('a revoked key is refused on the next call, on every connection', async () => {
    for (let round = 0; round < 5; round++) {
      const { body: key } = await lanes.api('POST', '/v1/api_keys', { name: 'short', scopes: ['call'] });
      open(9, { authorization: `Bearer ${key.key}`, 'arcade-user-id': 'alice' });
      assert.ok((await each()).every(works));
      await lanes.api('DELETE', `/v1/api_keys/${key.id}`);
      assert.deepEqual(new Set((await each()).map(({ status }) => status)), new Set([401]));
    }
  });

  test('a grant, a rule and a gateway act on the next call, on every connection', async () => {
    await lanes.api('POST', '/v1/gateways', { name: 'Own', slug: 'own', access: 'granted' });
    open(9);
    const called = async () => (await each(undefined, '/mcp/own')).map((answer) => works(answer));
    const all = (is: boolean) => Array.from({ length: 9 }, () => is);
    for (let round = 0; round < 5; round++) {
      assert.deepEqual(await called(), all(false));
      const grant = { subject: { user: 'alice' }, tools: ['*'], gateway: 'own', effect: 'allow' };
      const { body: granted } = await lanes.api('POST', '/v1/grants', grant);
      assert.deepEqual(await called(), all(true));
      const rule = {
        name: 'no',
        tools: ['*'],
        gateway: 'own',
        direction: 'input',
        action: 'block',
        match: { pattern: 'hi' },
      };
      const { body: ruled } = await lanes.api('POST', '/v1/rules', rule);
      assert.deepEqual(await called(), all(false), JSON.stringify(ruled));
      await lanes.api('DELETE', `/v1/rules/${ruled.id}`);
      assert.deepEqual(await called(), all(true));
      await lanes.api('DELETE', `/v1/grants/${granted.id}`);
    }
    await lanes.api('POST', '/v1/grants', { subject: { user: 'alice' }, tools: ['*'], effect: 'allow' });
    assert.deepEqual(await called(), all(true));
    const { body: listed } = await lanes.api('GET', '/v1/gateways');
    const { id } = listed.items.find(({ slug }: Json) => slug === 'own');
    assert.ok((await lanes.api('DELETE', `/v1/gateways/${id}`)).status < 300);
    assert.deepEqual(
      new Set((await each(undefined, '/mcp/own')).map(({ status }) => status)),
      new Set([404]),
    );
  });

  test('a limit admits as many as it says, over all connections', async () => {
    const limit = { name: 'ten', tools: ['*'], per: ['gateway'], rate: { limit: 10, per_seconds: 86_400 } };
    const made = await lanes.api('POST', '/v1/limits', limit);
    assert.ok(made.status < 300, JSON.stringify(made.body));
    open(20);
    assert.equal((await each()).filter(works).length, 10);
    await lanes.api('DELETE', `/v1/limits/${made.body.id}`);
  });

  test('a session is one, whichever connection its requests come on', async () => {
    open(9);
    const [first] = connections.all;
    const asked = {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 't', version: '1' },
    };
    const begun = await first?.post('/mcp/main', { id: 0, method: 'initialize', params: asked });
    const session = { 'mcp-session-id': String(begun?.headers['mcp-session-id']) };
    const stream = await fetch(`${lanes.server.url}/mcp/main`, {
      headers: { ...asAlice, ...session, accept: 'text/event-stream' },
    });
    assert.equal(stream.status, 200);
    assert.ok((await each(session)).every(works));
    await lanes.api('POST', '/v1/grants', { subject: { user: 'bob' }, tools: ['*'], effect: 'deny' });
    const { value } = await (stream.body as ReadableStream<Uint8Array>).getReader().read();
    assert.match(Buffer.from(value as Uint8Array).toString(), /tools\/list_changed/);
    const ended = await fetch(`${lanes.server.url}/mcp/main`, {
      method: 'DELETE',
      headers: { ...asAlice, ...session },
    });
    assert.equal(ended.status, 204);
    const refused = (await each(session)).map(({ status, body }) => [status, body.error?.data.name]);
    assert.deepEqual(
      refused,
      refused.map(() => [404, 'session.unknown']),
    );
  });

  test('a connection goes on elsewhere with whatever it brings, in however many pieces', async () => {
    const text = 'x'.repeat(300_000);
    const body = JSON.stringify({ jsonrpc: '2.0', ...toolCall('ArcadeEvalRef_Echo', { text }) });
    for (let round = 0; round < 6; round++) {
      const answer = await pieces(lanes.server.url, body);
      assert.equal(answer.result.structuredContent.result ?? answer.result.content[0].text, text);
    }
  });
});

/** Sends a request in pieces, each when the one before has left. */
function pieces(url: string, body: string): Promise<Json> {
  return new Promise((resolve, reject) => {
    const headers = { ...asAlice, 'content-type': 'application/json', 'content-length': body.length };
    const asked = request(`${url}/mcp/main`, { method: 'POST', headers, agent: false });
    asked.on('error', reject).on('response', async (response) => {
      resolve(JSON.parse(Buffer.concat(await response.toArray()).toString()));
    });
    const next = (at: number): void => {
      if (at >= body.length) asked.end();
      else asked.write(body.slice(at, at + 40_000), () => next(at + 40_000));
    };
    next(0);
  });
}
