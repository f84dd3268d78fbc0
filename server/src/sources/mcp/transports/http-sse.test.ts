import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Source } from '#domain';
import { createEgress, type Egress } from '#egress';
import { manualClock } from '#foundation';
import { silentLog } from '#telemetry';
import type { CallFailure, SourceConnection } from '../../contract.ts';
import { callOf, sourceOf, unheard } from '../../fixtures/dispatched-call.ts';
import type { Rpc } from '../../fixtures/mcp-server.ts';
import { type StartedServer, startServer } from '../../fixtures/start-server.ts';
import { mcpKind } from '../mcp.ts';

/** A server of 2024-11-05 by hand, under `/sse`. */
interface SseServer extends StartedServer {
  /** What its streams begin with; `POST` stands for where messages go. */
  begins: string;
  token: string | null;
  /** The status that messages get. */
  status: number;
  /** Answers a call in place of the server. */
  onCall: ((message: Rpc, stream: ServerResponse) => void) | null;
  readonly streams: Map<string, ServerResponse>;
  readonly received: Rpc[];
  /** GETs and POSTs, in order. */
  readonly requests: string[];
}

const say = (stream: ServerResponse, message: object) =>
  stream.write(`event: message\r\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\r\n\r\n`);

async function startSseServer(port = 0): Promise<SseServer> {
  const state: Omit<SseServer, keyof StartedServer> = {
    begins: 'event: endpoint\ndata: POST\n\n',
    token: null,
    status: 202,
    onCall: null,
    streams: new Map(),
    received: [],
    requests: [],
  };
  let sessions = 0;
  function answer(message: Rpc, stream: ServerResponse): void {
    const { id, method, params } = message;
    if (method === 'tools/call' && state.onCall !== null) state.onCall(message, stream);
    else if (method === 'initialize') {
      const serverInfo = { name: 'old', version: '1' };
      say(stream, { id, result: { protocolVersion: '2024-11-05', capabilities: { tools: {} }, serverInfo } });
    } else if (method === 'tools/list') {
      say(stream, { id, result: { tools: [{ name: 'Echo', inputSchema: { type: 'object' } }] } });
    } else if (method === 'tools/call') {
      const { text } = (params as { arguments: { text: string } }).arguments;
      say(stream, { id, result: { content: [{ type: 'text', text }] } });
    }
  }
  const server = await startServer((request, response, body) => {
    const url = new URL(request.url ?? '', 'http://x');
    state.requests.push(`${request.method} ${url.pathname}`);
    const stream = state.streams.get(url.searchParams.get('session') ?? '');
    if (state.token !== null && request.headers.authorization !== state.token) response.writeHead(401).end();
    else if (request.method === 'GET' && url.pathname === '/sse') {
      const session = String(++sessions);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(state.begins.replace('POST', `messages?session=${session}`));
      state.streams.set(session, response);
    } else if (request.method === 'POST' && url.pathname === '/messages' && stream !== undefined) {
      response.writeHead(state.status).end('Accepted');
      const message = JSON.parse(body) as Rpc;
      state.received.push(message);
      if (state.status === 202) answer(message, stream);
    } else response.writeHead(404).end('Cannot do that');
  }, port);
  return Object.assign(state, server);
}

describe('an MCP server over HTTP+SSE', () => {
  const opened: SourceConnection[] = [];
  let clock: ReturnType<typeof manualClock>;
  let egress: Egress;
  let server: SseServer;

  beforeEach(async () => {
    clock = manualClock();
    egress = createEgress({ allow: [] });
    server = await startSseServer();
  });
  afterEach(async () => {
    for (const connection of opened.splice(0)) connection.close();
    egress.close();
    await server.stop();
  });

  function connect(given: Partial<Source> = {}): SourceConnection {
    const source = sourceOf({ kind: 'mcp', uri: `${server.origin}/sse`, ...given });
    const deps = { egress, clock, log: silentLog, maxAnswerBytes: 200_000 };
    const connection = mcpKind.open(source, deps, unheard);
    assert.ok(connection.ok, connection.ok ? '' : connection.error.message);
    opened.push(connection.value);
    return connection.value;
  }

  async function echo(connection: SourceConnection, userId: string | null = null): Promise<string> {
    const returned = await connection.call(callOf('Echo', { args: { text: 'hé' }, userId }));
    assert.ok(returned.ok && returned.value.form === 'mcp', returned.ok ? '' : returned.error.message);
    return JSON.parse(returned.value.result.toString()).content[0].text;
  }

  async function failedCall(connection: SourceConnection): Promise<CallFailure> {
    const returned = await connection.call(callOf('Echo'));
    assert.ok(!returned.ok);
    return returned.error;
  }

  const calls = () => server.received.filter(({ method }) => method === 'tools/call').length;

  it('is found out by asking, which is not repeated', async () => {
    const connection = connect();
    const found = await connection.inspect();
    assert.ok(found.ok, found.ok ? '' : found.error.message);
    assert.equal(found.value.protocolVersion, '2024-11-05');
    assert.deepEqual(
      found.value.offer.tools.map(({ name }) => name),
      ['Echo'],
    );
    assert.equal(await echo(connection), 'hé');
    assert.equal(await echo(connection, 'alice'), 'hé');
    const asked = server.requests.filter((request) => request === 'POST /sse').length;
    assert.ok(asked > 0);
    assert.equal(await echo(connection, 'bob'), 'hé');
    assert.equal(server.requests.filter((request) => request === 'POST /sse').length, asked);
  });

  it('keeps a session for each user', async () => {
    const connection = connect();
    await Promise.all(['alice', 'bob', 'alice'].map((user) => echo(connection, user)));
    assert.equal(server.streams.size, 2);
    assert.equal(server.received.filter(({ method }) => method === 'initialize').length, 2);
  });

  it('may name where messages go by a path or by a whole address of its own, and no other', async () => {
    for (const [address, works] of [
      ['/messages?session=1', true],
      [`${server.origin}/messages?session=2`, true],
      ['http://127.0.0.1:9/messages?session=3', false],
      ['//example.com/messages?session=4', false],
      ['http://user:word@127.0.0.1/messages?session=5', false],
    ] as const) {
      server.begins = `event: endpoint\ndata: ${address}\n\n`;
      const found = await connect().inspect();
      assert.equal(found.ok, works, address);
    }
  });

  it('may ask and tell before and beside its answers', async () => {
    server.onCall = ({ id }, stream) => {
      stream.write(': comment\n\nevent: other\ndata: not for us\n\ndata: no JSON\n\n');
      say(stream, { id: 'p', method: 'ping' });
      say(stream, { id, result: { content: [{ type: 'text', text: 'hé' }] } });
    };
    const connection = connect();
    assert.equal(await echo(connection), 'hé');
    while (!server.received.some(({ id, result }) => id === 'p' && result !== undefined))
      await setImmediate();
  });

  it('that ends the stream in a call interrupts it; it is not sent again, and the next one runs', async () => {
    const connection = connect();
    await echo(connection);
    server.onCall = (_, stream) => stream.end();
    assert.equal((await failedCall(connection)).code, 'source.interrupted');
    assert.equal(calls(), 2);
    server.onCall = null;
    assert.equal(await echo(connection), 'hé');
  });

  it('is spoken to again after a restart, from the first call', async () => {
    const connection = connect();
    await echo(connection);
    await server.stop();
    server = await startSseServer(server.port);
    assert.equal(await echo(connection), 'hé');
  });

  it('that has forgotten the session gets a new one', async () => {
    const connection = connect();
    await echo(connection);
    server.streams.clear();
    assert.equal(await echo(connection), 'hé');
  });

  it('is given the time of the source; a stream on which nothing came meanwhile is given up', async () => {
    const connection = connect();
    await echo(connection);
    const [first] = server.streams.values();
    server.onCall = () => {};
    const calling = failedCall(connection);
    while (calls() < 2) await setImmediate();
    clock.advance(11_000);
    assert.equal((await calling).code, 'source.timeout');
    while (first?.destroyed !== true) await setImmediate();
    server.onCall = null;
    assert.equal(await echo(connection), 'hé');
    assert.equal(server.streams.size, 2);
  });

  it('may not answer more than the gateway takes', async () => {
    const connection = connect();
    server.onCall = ({ id }, stream) => say(stream, { id, result: { content: 'x'.repeat(300_000) } });
    assert.equal((await failedCall(connection)).code, 'source.answer_too_large');
    server.onCall = null;
    assert.equal(await echo(connection), 'hé');
  });

  it('that refuses the credential says so', async () => {
    server.token = 'Bearer right';
    const found = await connect({ headers: { Authorization: 'Bearer wrong' } }).inspect();
    assert.ok(!found.ok);
    assert.deepEqual([found.error.step, found.error.code], ['authenticated', 'source.secret_refused']);
    assert.equal(await echo(connect({ headers: { Authorization: 'Bearer right' } })), 'hé');
  });

  it('that never says where messages go is told of', async () => {
    server.begins = ': hello\n\n';
    const inspecting = connect().inspect();
    while (server.streams.size === 0) await setImmediate();
    clock.advance(11_000);
    const found = await inspecting;
    assert.ok(!found.ok);
    assert.match(found.error.message, /answered initialize with HTTP 404/);
  });

  it('has as many streams open as it has users, and calls still find a connection', async () => {
    egress.close();
    egress = createEgress({ allow: [], maxPerOrigin: 2 });
    const connection = connect();
    const users = Array.from({ length: 8 }, (_, index) => `user ${index}`);
    for (const user of users) await echo(connection, user);
    assert.equal(server.streams.size, 8);
  });

  it('is told that the stream is over when the source is closed', async () => {
    const connection = connect();
    await echo(connection);
    connection.close();
    const [stream] = server.streams.values();
    while (stream?.destroyed !== true) await setImmediate();
  });
});
