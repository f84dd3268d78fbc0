import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import {
  type CallNotification,
  type DispatchedCall,
  type Source,
  type SourceReturn,
  silentClient,
} from '#domain';
import { createEgress, type Egress } from '#egress';
import { manualClock } from '#foundation';
import { silentLog } from '#telemetry';
import type { CallFailure, SourceConnection } from '../contract.ts';
import { describeSourceKind } from '../contract-suite.ts';
import { callOf, requestOf, sourceOf, toolNamed, unheard } from '../fixtures/dispatched-call.ts';
import { type McpServer, sse, startMcpServer, toolOf } from '../fixtures/mcp-server.ts';
import { startModernServer } from '../fixtures/modern-server.ts';
import { mcpKind } from './mcp.ts';

const token = 'Bearer of-this-server';
const sourceAt = (origin: string, given: Partial<Source> = {}): Source =>
  sourceOf({ kind: 'mcp', uri: `${origin}/mcp`, headers: { Authorization: token }, ...given });

function textOf(returned: SourceReturn): string | undefined {
  if (returned.form !== 'mcp') return undefined;
  const result = JSON.parse(returned.result.toString('utf8')) as { content: { text: string }[] };
  return result.content[0]?.text;
}

const methodsOf = ({ received }: Pick<McpServer, 'received'>) =>
  received.map(({ message }) => message.method);

const withWrongCredential = (source: Source): Source => ({ ...source, headers: {} });

describeSourceKind('an MCP server of the legacy era as a source', {
  kind: mcpKind,
  withWrongCredential,
  textOf,
  async start(port) {
    const server = await startMcpServer(port === undefined ? {} : { port });
    return Object.assign(server, {
      token,
      source: sourceAt(server.origin),
      arrived: () => methodsOf(server).filter((method) => method === 'tools/call').length,
      listNonsense() {
        server.pages.first = { tools: [{ name: '' }, 3] };
      },
      breakList() {
        server.pages.first = { tools: 'none' };
      },
    });
  },
});

describeSourceKind('an MCP server of the modern era as a source', {
  kind: mcpKind,
  withWrongCredential,
  textOf,
  async start(port) {
    const server = await startModernServer(port === undefined ? {} : { port });
    return Object.assign(server, {
      token,
      source: sourceAt(server.origin),
      arrived: () => methodsOf(server).filter((method) => method === 'tools/call').length,
      listNonsense() {
        server.list = { resultType: 'complete', tools: [{ name: '' }, 3] };
      },
      breakList() {
        server.list = { resultType: 'complete' };
      },
    });
  },
});

describe('an MCP source', () => {
  const stops: (() => unknown)[] = [];
  let egress: Egress;
  let clock: ReturnType<typeof manualClock>;

  beforeEach(() => {
    egress = createEgress({ allow: [] });
    clock = manualClock();
    stops.push(() => egress.close());
  });
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  async function serve<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
    const server = await starting;
    stops.push(() => server.stop());
    return server;
  }

  function connect(origin: string, onToolsChanged = () => {}, given: Partial<Source> = {}): SourceConnection {
    const opened = mcpKind.open(
      sourceAt(origin, given),
      { egress, clock, log: silentLog },
      { ...unheard, onListChanged: onToolsChanged },
    );
    assert.ok(opened.ok);
    stops.push(() => opened.value.close());
    return opened.value;
  }

  async function call(connection: SourceConnection, given: DispatchedCall): Promise<SourceReturn> {
    const returned = await connection.call(given);
    assert.ok(returned.ok, returned.ok ? '' : returned.error.message);
    return returned.value;
  }

  async function failure(connection: SourceConnection, given: DispatchedCall): Promise<CallFailure> {
    const returned = await connection.call(given);
    assert.ok(!returned.ok);
    return returned.error;
  }

  const methodsOf = ({ received }: Pick<McpServer, 'received'>) =>
    received.map(({ message }) => message.method);

  it('keeps what a server remembers of one user from the others, and the catalogue from all', async () => {
    const server = await serve(startMcpServer());
    const connection = connect(server.origin);
    const count = async (userId: string | null) =>
      textOf(await call(connection, callOf('Count', { userId })));
    await connection.inspect();
    assert.deepEqual(await Promise.all(['a', 'a', 'b'].map(count)).then((all) => all.sort()), [
      '1',
      '1',
      '2',
    ]);
    assert.equal(await count('b'), '2');
    assert.equal(await count(null), '1');
    assert.equal(await count('catalogue'), '1');
    assert.equal(methodsOf(server).filter((method) => method === 'initialize').length, 5);
  });

  it('opens no session for each user where the server keeps none', async () => {
    const server = await serve(startMcpServer());
    server.stateful = false;
    const connection = connect(server.origin);
    for (const userId of ['a', 'b', null]) await call(connection, callOf('Count', { userId }));
    assert.equal(methodsOf(server).filter((method) => method === 'initialize').length, 1);
  });

  it('passes the bytes of a result untouched, as JSON and as an event stream', async () => {
    const server = await serve(startMcpServer());
    const connection = connect(server.origin);
    const result = '{ "isError" : true, "content":[{"type":"vendor","x":1.0}], "a\\u0062":2 }';
    for (const stream of [false, true]) {
      server.onCall = ({ id }, response) => {
        const body = `{"result":${result},"jsonrpc":"2.0","id":${id}}`;
        response.writeHead(200, { 'content-type': stream ? 'text/event-stream' : 'application/json' });
        response.end(stream ? `: hi\r\ndata: ${body}\r\n\r\n` : body);
        return true;
      };
      const returned = await call(connection, callOf('Echo'));
      assert.ok(returned.form === 'mcp');
      assert.equal(returned.result.toString('utf8'), result);
      assert.equal(returned.isError, true);
    }
  });

  it('puts in the content that every revision demands of a result, where the server left it out', async () => {
    const server = await serve(startMcpServer());
    const connection = connect(server.origin);
    const told: [string, string][] = [
      ['{}', '{"content":[]}'],
      ['{ "structuredContent":{"content":1e400} }', '{"content":[], "structuredContent":{"content":1e400} }'],
    ];
    for (const [given, expected] of told) {
      server.onCall = ({ id }, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(`{"jsonrpc":"2.0","id":${id},"result":${given}}`);
        return true;
      };
      const returned = await call(connection, callOf('Echo'));
      assert.ok(returned.form === 'mcp');
      assert.equal(returned.result.toString('utf8'), expected);
    }
  });

  it('has nothing to propose where the server does no completion', async () => {
    const server = await serve(startMcpServer());
    const returned = await connect(server.origin).request?.(requestOf('completion/complete', {}));
    assert.ok(returned?.ok && returned.value.form === 'mcp');
    assert.equal(returned.value.result.toString('utf8'), '{"completion":{"values":[]}}');
  });

  it('hands on what the server says during a call, under the progress token of the client', async () => {
    const server = await serve(startMcpServer());
    const connection = connect(server.origin);
    server.onCall = ({ id, params }, response) => {
      const { progressToken } = (params as { _meta: Record<string, unknown> })._meta;
      sse(
        response,
        { method: 'notifications/progress', params: { progressToken, progress: 1 } },
        { method: 'notifications/progress', params: { progressToken: 'of another', progress: 2 } },
        { method: 'notifications/message', params: { level: 'info', data: 'hi' } },
        { id: 'q1', method: 'sampling/createMessage', params: {} },
        { id: 'q2', method: 'ping' },
        { id, result: { content: [] } },
      );
      return true;
    };
    const heard: CallNotification[] = [];
    const notify = (notification: CallNotification) => heard.push(notification);
    const meta = { progressToken: 'mine', traceparent: '00-1-2-01', 'vendor/x': 1 };
    await call(connection, callOf('Echo', { meta, notify, client: { ...silentClient, logLevel: 'any' } }));
    assert.deepEqual(heard, [
      { method: 'notifications/progress', params: { progressToken: 'mine', progress: 1 } },
      { method: 'notifications/message', params: { level: 'info', data: 'hi' } },
    ]);
    const sent = server.received.find(({ message }) => message.method === 'tools/call')?.message.params
      ?._meta;
    assert.deepEqual(Object.keys(sent as object).sort(), ['progressToken', 'traceparent', 'vendor/x']);
    assert.notEqual((sent as { progressToken: unknown }).progressToken, 'mine');
    const answers = () => server.received.filter(({ message }) => message.method === undefined);
    while (answers().length < 2) await setImmediate();
    const byId = new Map(answers().map(({ message }) => [message.id, message]));
    assert.equal(byId.get('q1')?.error?.code, -32601);
    assert.deepEqual(byId.get('q2')?.result, {});
  });

  it('tells the server that a call is cancelled', async () => {
    const server = await serve(startMcpServer());
    const connection = connect(server.origin);
    const abort = new AbortController();
    server.onCall = () => {
      abort.abort();
      return true;
    };
    assert.equal(
      (await failure(connection, callOf('Echo', { signal: abort.signal }))).code,
      'source.cancelled',
    );
    while (!methodsOf(server).includes('notifications/cancelled')) await setImmediate();
    const id = server.received.find(({ message }) => message.method === 'tools/call')?.message.id;
    assert.equal(server.received.at(-1)?.message.params?.requestId, id);
  });

  it('waits for the answer on a stream as long as the server keeps talking, and no longer than it may be silent', async () => {
    const server = await serve(startMcpServer());
    const connection = connect(server.origin);
    let say: ((message: object) => void) | undefined;
    server.onCall = (_, response) => {
      sse(response, { method: 'notifications/message', params: { data: 'begun' } });
      say = (message) => response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);
      return true;
    };
    const heard: CallNotification[] = [];
    const notify = (notification: CallNotification) => heard.push(notification);
    const client = { ...silentClient, logLevel: 'any' as const };
    const calling = connection.call(callOf('Echo', { notify, client }));
    while (heard.length < 1) await setImmediate();
    clock.advance(9000);
    say?.({ method: 'notifications/message', params: { data: 'still' } });
    while (heard.length < 2) await setImmediate();
    clock.advance(9000);
    await setImmediate();
    clock.advance(1000);
    const returned = await calling;
    assert.equal(returned.ok ? '' : returned.error.code, 'source.timeout');
    while (!methodsOf(server).includes('notifications/cancelled')) await setImmediate();
  });

  it('sends a call again in a new session when the server forgot the old one, and only then', async () => {
    const server = await serve(startMcpServer());
    const connection = connect(server.origin);
    await call(connection, callOf('Count', { userId: 'a' }));
    const lost = server.received.at(-1)?.headers['mcp-session-id'] as string;
    let executed = 0;
    server.onCall = () => {
      executed++;
      return false;
    };
    server.forget(lost);
    assert.equal(textOf(await call(connection, callOf('Count', { userId: 'a' }))), '1');
    assert.equal(executed, 1);
  });

  it('reads every page, an empty cursor included, and gives up on circles', async () => {
    const server = await serve(startMcpServer());
    const connection = connect(server.origin);
    Object.assign(server.pages, {
      first: { tools: [toolOf('a')], nextCursor: '' },
      '': { tools: [toolOf('b')], nextCursor: 'x' },
      x: { tools: [toolOf('c')] },
    });
    const found = await connection.inspect();
    assert.ok(found.ok);
    assert.deepEqual(
      found.value.offer.tools.map(({ name }) => name),
      ['a', 'b', 'c'],
    );
    assert.deepEqual(found.value.offer.tools[0]?.mcp, { vendor: { kept: 1 } });
    assert.deepEqual(found.value.serverInfo, { name: 'by hand', version: '7' });
    server.pages.x = { tools: [], nextCursor: '' };
    const circle = await connection.inspect();
    assert.equal(circle.ok ? '' : circle.error.code, 'source.tool_list_invalid');
  });

  it('keeps the error of the server, and tells a tool that is gone from one that fails', async () => {
    const server = await serve(startMcpServer());
    const connection = connect(server.origin);
    const gone = await failure(connection, callOf('Nope'));
    assert.deepEqual([gone.code, gone.rpc?.code], ['catalog.tool_unavailable', undefined]);
    server.onCall = ({ id }, response) => {
      const error = { code: -32000, message: 'the disk is full', data: { free: 0 } };
      response.end(JSON.stringify({ jsonrpc: '2.0', id, error }));
      return true;
    };
    const failed = await failure(connection, callOf('Echo'));
    assert.equal(failed.code, 'source.tool_failed');
    assert.deepEqual(failed.rpc, { code: -32000, message: 'the disk is full', data: { free: 0 } });
  });

  it('hears on a stream of the legacy era that the tools changed', async () => {
    const server = await serve(startMcpServer());
    const opened = new Promise<void>((resolve) => {
      server.onStream = resolve;
    });
    const changed = new Promise<void>((resolve) => {
      void connect(server.origin, resolve).inspect();
    });
    await opened;
    server.stream?.write('data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n');
    await changed;
  });

  it('hears on a subscription of the modern era that the tools changed', async () => {
    const server = await serve(startModernServer());
    const changed = new Promise<void>((resolve) => {
      void connect(server.origin, resolve).inspect();
    });
    while (!methodsOf(server).includes('subscriptions/listen')) await setImmediate();
    await setImmediate();
    server.toolsChanged();
    await changed;
  });

  it('says in headers what a modern server compares with the body, and passes progress', async () => {
    const server = await serve(startModernServer());
    const connection = connect(server.origin);
    const found = await connection.inspect();
    assert.ok(found.ok);
    assert.equal(found.value.protocolVersion, '2026-07-28');
    assert.deepEqual(found.value.serverInfo, { name: 'modern', version: '3.1' });
    const listed = found.value.offer.tools.find(({ name }) => name === 'Marked');
    const heard: CallNotification[] = [];
    const returned = await call(
      connection,
      callOf(toolNamed('Marked', { inputSchema: listed?.inputSchema ?? {} }), {
        args: { text: 'grüezi' },
        meta: { progressToken: 0, 'io.modelcontextprotocol/protocolVersion': '1999-01-01', 'vendor/x': 1 },
        notify: (notification) => heard.push(notification),
      }),
    );
    assert.equal(textOf(returned), 'grüezi');
    assert.equal(heard[0]?.params?.progressToken, 0);
    const { headers, message } = server.received.at(-1) ?? { headers: {}, message: {} };
    assert.equal(headers['mcp-name'], 'Marked');
    assert.match(String(headers['mcp-param-text']), /^=\?base64\?/);
    assert.equal((message.params as { _meta: Record<string, unknown> })._meta['vendor/x'], 1);
    const stale = callOf(toolNamed('Marked'), { args: { text: 'x' } });
    assert.equal((await failure(connection, stale)).code, 'catalog.tool_unavailable');
  });

  it('follows a server that changes its era, with the first call', async () => {
    const old = await serve(startMcpServer());
    const connection = connect(old.origin);
    const echo = async () => textOf(await call(connection, callOf('Echo', { args: { text: 'x' } })));
    assert.equal(await echo(), 'x');
    await old.stop();
    const modern = await serve(startModernServer({ port: old.port }));
    assert.equal(await echo(), 'x');
    assert.ok(methodsOf(modern).includes('server/discover'));
    await modern.stop();
    const again = await serve(startMcpServer({ port: old.port }));
    assert.equal(await echo(), 'x');
    assert.ok(methodsOf(again).includes('initialize'));
  });

  it('asks a legacy server after some minutes whether it still is one', async () => {
    const server = await serve(startMcpServer());
    const connection = connect(server.origin);
    const probes = () => methodsOf(server).filter((method) => method === 'server/discover').length;
    await connection.inspect();
    await connection.inspect();
    assert.equal(probes(), 1);
    clock.advance(5 * 60_000);
    await connection.inspect();
    assert.equal(probes(), 2);
    assert.equal(methodsOf(server).filter((method) => method === 'initialize').length, 1);
  });

  it('does not take a refused credential for an era', async () => {
    const server = await serve(startModernServer());
    server.token = 'Bearer other';
    const connection = connect(server.origin);
    assert.equal((await failure(connection, callOf('Echo'))).code, 'source.secret_refused');
    server.token = token;
    assert.equal(textOf(await call(connection, callOf('Echo', { args: { text: 'x' } }))), 'x');
  });
});
