import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import {
  ElicitRequestSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { type BothEras, eras, startBothEras } from './both-eras.ts';
import { type Json, messageOf, modern, type TestApp } from './start-app.ts';

const handshake = (protocolVersion = '2024-11-05') => ({
  id: 0,
  method: 'initialize',
  params: { protocolVersion, capabilities: {}, clientInfo: { name: 'test', version: '1' } },
});

describe('a client that knows only HTTP+SSE', () => {
  let both: BothEras;
  let servers: BothEras['servers'];
  const clients: Client[] = [];
  let app: TestApp;

  before(async () => {
    both = await startBothEras();
    ({ app, servers } = both);
  });
  after(async () => {
    for (const client of clients) await client.close();
    await both.close();
  });

  const headersOf = (user = 'alice') => ({ authorization: `Bearer ${app.key}`, 'arcade-user-id': user });

  async function connect(slug: string, capabilities: object = {}): Promise<Client> {
    const client = new Client({ name: 'test', version: '1' }, { capabilities });
    const requestInit = { headers: headersOf() };
    const transport = new SSEClientTransport(new URL(`${app.url}/mcp/${slug}`), { requestInit });
    await client.connect(transport as never);
    clients.push(client);
    return client;
  }

  /** The stream as it is on the wire. */
  async function open(slug = 'legacy', path = `/mcp/${slug}`) {
    const leaving = new AbortController();
    const response = await fetch(`${app.url}${path}`, {
      headers: { ...headersOf(), accept: 'text/event-stream' },
      signal: leaving.signal,
    });
    assert.equal(response.headers.get('content-type'), 'text/event-stream');
    const heard = events(response);
    const first = await next(heard);
    assert.equal(first.event, 'endpoint');
    return {
      address: first.data,
      heard,
      hears: async () => JSON.parse((await next(heard)).data) as Json,
      post: (message: object, headers?: object) => post(first.data, message, headers),
      leave: () => leaving.abort(),
    };
  }

  function post(address: string, message: object, headers: object = {}): Promise<Response> {
    return fetch(`${app.url}${address}`, {
      method: 'POST',
      headers: { ...headersOf(), 'content-type': 'application/json', ...headers },
      body: JSON.stringify(Array.isArray(message) ? message : { jsonrpc: '2.0', ...message }),
    });
  }

  async function* events(response: Response): AsyncGenerator<{ event: string; data: string }> {
    let text = '';
    for await (const chunk of response.body as ReadableStream<Uint8Array>) {
      text += Buffer.from(chunk).toString();
      const blocks = text.split('\n\n');
      text = blocks.pop() as string;
      for (const block of blocks) {
        const [, event, data] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
        if (event !== undefined && data !== undefined) yield { event, data };
      }
    }
  }
  async function next(stream: ReturnType<typeof events>) {
    const { value, done } = await stream.next();
    assert.notEqual(done, true, 'the stream ended');
    return value as { event: string; data: string };
  }

  async function isUnknown(response: Response): Promise<void> {
    assert.equal(response.status, 404);
    assert.equal((await messageOf(response)).error.data.name, 'session.unknown');
  }

  for (const era of eras) {
    test(`uses a ${era} server with the official client: lists, calls, errors, questions`, async () => {
      const client = await connect(era, { elicitation: {} });
      client.setRequestHandler(ElicitRequestSchema, async ({ params }) => ({
        action: 'accept',
        content: { name: `my ${params.message}` },
      }));
      const { tools } = await client.listTools();
      assert.ok(tools.some(({ name }) => name === 'Echo'));
      const called = await client.callTool({ name: 'Echo' });
      assert.deepEqual(called.structuredContent, { said: 'Echo' });
      await assert.rejects(client.callTool({ name: 'Fail' }), { code: 4242 });
      for (const _ of Array(12)) {
        const asked = (await client.callTool({ name: 'AskForm' })) as Json;
        assert.match(asked.content[0].text, /my Your name\?/);
      }
    });

    test(`hears the progress of a call to a ${era} server before its answer`, async () => {
      const { post, hears, leave } = await open(era);
      await post(handshake());
      await hears();
      await post({
        id: 1,
        method: 'tools/call',
        params: { name: 'Steps', _meta: { progressToken: 'p' } },
      });
      for (const progress of [1, 2]) {
        const { method, params } = await hears();
        assert.equal(method, 'notifications/progress');
        assert.deepEqual([params.progressToken, params.progress], ['p', progress]);
      }
      const { id, result } = await hears();
      assert.deepEqual([id, result.structuredContent], [1, { said: 'Steps' }]);
      leave();
    });

    test(`hears on its stream what changes at a ${era} server`, async () => {
      const client = await connect(era);
      const updated = Promise.withResolvers<string>();
      const changed = Promise.withResolvers<void>();
      client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) =>
        updated.resolve(params.uri),
      );
      client.setNotificationHandler(ToolListChangedNotificationSchema, () => changed.resolve());
      const subscribed = once(servers[era].events, 'subscribed');
      await client.subscribeResource({ uri: 'test://text' });
      await subscribed;
      servers[era].updateResource('test://text');
      assert.equal(await updated.promise, 'test://text');
      servers[era].addTool();
      await changed.promise;
      const { tools } = await client.listTools();
      assert.ok(tools.some(({ name }) => name.startsWith('Added')));
    });
  }

  test('speaks the revision that it asks for, each POST being taken and answered on the stream', async () => {
    for (const version of ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25']) {
      const { post, hears, leave } = await open();
      const taken = await post(handshake(version));
      assert.deepEqual([taken.status, await taken.text()], [202, '']);
      const { id, result } = await hears();
      assert.deepEqual([id, result.protocolVersion], [0, version]);
      assert.equal((await post({ method: 'notifications/initialized' })).status, 202);
      assert.equal((await post({ id: 'a', method: 'tools/none' })).status, 202);
      const refused = await hears();
      assert.deepEqual([refused.id, refused.error.code], ['a', -32601]);
      const pings = [
        { jsonrpc: '2.0', id: 1, method: 'ping' },
        { jsonrpc: '2.0', id: 2, method: 'ping' },
      ];
      assert.equal((await post(pings)).status, 202);
      const batch = await hears();
      if (version === '2025-03-26') assert.equal(batch.length, 2);
      else assert.equal(batch.error.data.name, 'request.invalid');
      leave();
    }
  });

  test('gets an address by the path that it came by', async () => {
    const { address, leave } = await open('legacy', '/mcp/legacy/?tenant=a&sse=old');
    assert.match(address, /^\/mcp\/legacy\/\?tenant=a&sse=[0-9a-f]{32}$/);
    const again = await open('legacy');
    assert.match(again.address, /^\/mcp\/legacy\?sse=[0-9a-f]{32}$/);
    leave();
    again.leave();
  });

  test('has its stream for itself: to anybody else, and on another gateway, it is unknown', async () => {
    const { address, post: own, hears, leave } = await open();
    await isUnknown(await post(address, handshake(), headersOf('bob')));
    await isUnknown(await post(address.replace('/mcp/legacy', '/mcp/modern'), handshake()));
    await isUnknown(await post(`${address}0`, handshake()));
    assert.equal((await post(address, handshake(), { authorization: 'Bearer sp_none' })).status, 401);
    assert.equal((await own(handshake())).status, 202);
    assert.equal((await hears()).id, 0);
    leave();
  });

  test('is told what its stream does not take', async () => {
    const { post, hears, leave } = await open();
    const nameOf = async (refused: Response) => [refused.status, (await messageOf(refused)).error.data.name];
    assert.deepEqual(await nameOf(await post({ id: 1, method: 'tools/list' })), [400, 'request.invalid']);
    const { message, headers } = modern('tools/list');
    assert.deepEqual(await nameOf(await post(message, headers)), [400, 'request.version_unsupported']);
    await post(handshake());
    await hears();
    assert.deepEqual(await nameOf(await post(handshake())), [400, 'request.invalid']);
    leave();
  });

  test('takes a request back', async () => {
    const { post, hears, leave } = await open();
    await post(handshake());
    await hears();
    const calling = once(servers.legacy.events, 'calling');
    await post({ id: 'w', method: 'tools/call', params: { name: 'Wait' } });
    await calling;
    const cancelled = once(servers.legacy.events, 'cancelled');
    await post({ method: 'notifications/cancelled', params: { requestId: 'w' } });
    await cancelled;
    await post({ id: 'after', method: 'ping' });
    assert.equal((await hears()).id, 'after');
    leave();
  });

  test('has at most a hundred requests under way', async () => {
    const { post, hears, leave } = await open();
    await post(handshake());
    await hears();
    const wait = (id: number) => post({ id, method: 'tools/call', params: { name: 'Wait' } });
    const taken = await Promise.all(Array.from({ length: 100 }, (_, id) => wait(id)));
    assert.deepEqual([...new Set(taken.map(({ status }) => status))], [202]);
    const refused = await wait(100);
    assert.equal(refused.status, 429);
    assert.equal((await messageOf(refused)).error.data.name, 'session.limit');
    leave();
  });

  test('ends its session, and the calls of it, with its stream', async () => {
    const { post, hears, leave } = await open();
    await post(handshake());
    await hears();
    const calling = once(servers.legacy.events, 'calling');
    await post({ id: 1, method: 'tools/call', params: { name: 'Wait' } });
    await calling;
    const cancelled = once(servers.legacy.events, 'cancelled');
    leave();
    await cancelled;
    await isUnknown(await post({ id: 2, method: 'ping' }));
  });

  test('is cut off when it does not read', async () => {
    servers.legacy.raw = JSON.stringify({ content: [{ type: 'text', text: 'x'.repeat(1024 * 1024) }] });
    const asked = get(`${app.url}/mcp/legacy`, {
      headers: { ...headersOf(), accept: 'text/event-stream' },
    });
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    const [first] = (await once(response, 'data')) as [Buffer];
    response.pause();
    const [, address] = /^data: (.*)$/m.exec(first.toString()) ?? [];
    assert.ok(address);
    await post(address, handshake());
    let status = 202;
    for (let id = 1; status !== 404; id++) {
      const call = { id, method: 'tools/call', params: { name: 'Raw' } };
      ({ status } = await post(address, call));
    }
    asked.destroy();
  });

  test('loses its stream when the server stops, and opens another when it is back', async () => {
    const before = await open();
    await before.post(handshake());
    await before.hears();
    await app.restart();
    assert.equal((await before.heard.next()).done, true);
    await isUnknown(await before.post({ id: 1, method: 'ping' }));
    const again = await open();
    await again.post(handshake());
    assert.equal((await again.hears()).id, 0);
    again.leave();
  });
});
