import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { GatewayView } from '#catalog';
import { type Caller, refusal } from '#domain';
import { createSealer, err, type Members, manualClock, ok } from '#foundation';
import type { ReceivedSubscription } from '#pipeline';
import type { Announcement } from '#sources';
import type { Db } from '#storage';
import { silentLog, unsampledTracer } from '#telemetry';
import { openTestDatabase } from '../../../../test/database.ts';
import { createOriginPolicy } from '../../http/origin.ts';
import { createMcpEndpoint } from '../endpoint.ts';
import type { McpDeps } from '../front.ts';
import { createSessions } from '../sessions/sessions.ts';
import { createStreams } from '../streams.ts';
import { createTaskIds } from '../tasks/ids.ts';

/** The rooms behind the front, as far as a listening client meets them; each test says what they answer. */
function createWorld(db: Db) {
  const clock = manualClock();
  const sealer = createSealer(Buffer.alloc(32, 7));
  const caller = { principal: { id: 'key_1' }, userId: 'alice' } as Caller;
  const gateway = { id: 'gw_1', slug: 'one', projectId: 'default', name: 'One', description: '' };
  const target = { id: 't', projectId: 'default', sourceId: 'source', ruleName: 'source.x' };
  const view = {
    gateway: { ...gateway, instructions: '' },
    serverInstructions: null,
    readRest: null,
    sourceIds: ['source'],
    ...{ tools: [{ tool: target }], prompts: [], resources: [], templates: [] },
    capabilitiesOf: () => ({ resources: { subscribe: true } }),
    findResource: (uri: string) =>
      uri.startsWith('none:') ? null : { target, own: uri.replace('source+', '') },
    shownUri: (_source: string, own: string) => `source+${own}`,
  } as unknown as GatewayView;
  const state = {
    isKnown: true,
    mayRead: true,
    hold: null as Promise<void> | null,
    taken: [] as ReceivedSubscription[],
    released: [] as string[],
    over: [] as string[],
    told: [] as string[],
  };
  let announce: (announcement: Announcement) => void = () => {};
  const sources = {
    onAnnouncement(listener: typeof announce) {
      announce = listener;
      return () => {};
    },
    endConversation: (id: string) => void state.over.push(id),
    tell: (_project: string, _ids: string[], id: string) => void state.told.push(id),
  };
  const letIn = () => (state.isKnown ? ok(caller) : err(refusal('identity.invalid', 'revoked')));
  const pipeline = {
    authenticate: letIn,
    stillThere: letIn,
    permits: () => state.mayRead,
    overheard: (_caller: Caller, _gateway: object, _target: object, params: Members) => params,
    told: (told: unknown) => told,
    async subscribe(received: ReceivedSubscription) {
      state.taken.push(received);
      await state.hold;
      if (received.target === null) return err(received.unknown);
      return ok(() => void state.released.push(received.name));
    },
  };
  const log = silentLog;
  const tell = async () => {};
  const sessions = createSessions({ clock, sealer, db, sources: sources as never, log, tell });
  const streams = createStreams(clock);
  const deps = {
    ...{ pipeline, clock, log, tracer: unsampledTracer, sealer, sources, sessions, streams, version: '1' },
    catalog: { view: () => view },
    audit: { record() {} },
    tasks: createTaskIds(sealer, clock),
  } as unknown as McpDeps;
  const origins = createOriginPolicy({ bindHost: '127.0.0.1', publicUrl: null });
  const serve = createMcpEndpoint(deps, origins);
  const say = (conversation: string, method: string, params: Members = {}) =>
    announce({ projectId: 'default', sourceId: 'source', conversation, notification: { method, params } });
  return { ...deps, state, serve, clock, announce: say };
}

describe('a client that listens', () => {
  let db: Db;
  let server: Server;
  let world: ReturnType<typeof createWorld>;
  before(async () => {
    db = await openTestDatabase();
    server = createServer((request, response) => void world.serve(request, response, 'one'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  beforeEach(() => {
    world = createWorld(db);
  });
  after(async () => {
    server.closeAllConnections();
    server.close();
    await db.close();
  });

  function send(method: string, session: string | null, body?: object): Promise<Response> {
    return fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp/one`, {
      method,
      headers: {
        'arcade-user-id': 'alice',
        'content-type': 'application/json',
        accept: method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream',
        ...(session === null ? {} : { 'mcp-session-id': session }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...body }) }),
    });
  }

  async function open(): Promise<string> {
    const params = { protocolVersion: '2025-11-25', capabilities: {} };
    const opened = await send('POST', null, { method: 'initialize', params });
    await opened.text();
    return opened.headers.get('mcp-session-id') as string;
  }
  const subscribe = async (session: string, uri: string) =>
    (await (
      await send('POST', session, { method: 'resources/subscribe', params: { uri } })
    ).json()) as Members;
  const unsubscribe = (session: string, uri: string) =>
    send('POST', session, { method: 'resources/unsubscribe', params: { uri } });

  /** The messages of the GET stream. */
  async function listen(session: string) {
    const { body } = await send('GET', session);
    const reader = (body as ReadableStream<Uint8Array>).getReader();
    let text = '';
    return async (): Promise<Members | 'ended'> => {
      for (;;) {
        const end = text.indexOf('\n\n');
        if (end >= 0) {
          const event = text.slice(0, end);
          text = text.slice(end + 2);
          return JSON.parse(event.slice(event.indexOf('data: ') + 6));
        }
        const { value, done } = await reader.read();
        if (done) return 'ended';
        text += Buffer.from(value).toString();
      }
    };
  }
  const conversation = () => world.state.taken.at(-1)?.conversation as string;
  const update = (uri: string, params: Members = { uri }) =>
    world.state.taken.findLast((taken) => taken.uri === uri)?.onUpdated(params);
  const marker = () => world.announce(conversation(), 'notifications/vendor/marker');
  const marked = { jsonrpc: '2.0', method: 'notifications/vendor/marker', params: {} };
  const updated = (uri: string, more: object = {}) => ({
    jsonrpc: '2.0',
    method: 'notifications/resources/updated',
    params: { ...more, uri },
  });

  test('hears of changes under the URIs of the gateway, and of parts of what it subscribed to', async () => {
    const session = await open();
    const next = await listen(session);
    assert.deepEqual((await subscribe(session, 'source+mem://a')).result, {});
    update('mem://a', {
      uri: 'mem://a',
      title: 'A',
      _meta: { 'io.modelcontextprotocol/subscriptionId': 7, kept: 1 },
    });
    assert.deepEqual(await next(), updated('source+mem://a', { title: 'A', _meta: { kept: 1 } }));
    update('mem://a', { uri: 'mem://a/part' });
    assert.deepEqual(await next(), updated('source+mem://a/part'));
  });

  test('hears no more of what it may not read any more, and nothing at all once its key is gone', async () => {
    const session = await open();
    const next = await listen(session);
    await subscribe(session, 'source+mem://a');
    world.state.mayRead = false;
    update('mem://a');
    world.state.mayRead = true;
    marker();
    assert.deepEqual(await next(), marked);
    world.state.isKnown = false;
    update('mem://a');
    assert.equal(await next(), 'ended');
  });

  test('that would not be let in any more hears nothing more, and is cut off soon though nothing happens', async () => {
    for (const happens of [
      () => world.streams.listsChanged('one', new Set(['tools'] as const)),
      () => world.clock.advance(15_000),
    ]) {
      const next = await listen(await open());
      world.streams.listsChanged('one', new Set(['tools'] as const));
      assert.deepEqual(await next(), { jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
      world.state.isKnown = false;
      happens();
      assert.equal(await next(), 'ended');
      world.state.isKnown = true;
    }
  });

  test('hears log messages as severe as it wants them, and not what is said to another', async () => {
    const [session, other] = [await open(), await open()];
    const next = await listen(session);
    await subscribe(other, 'source+mem://b');
    const others = conversation();
    await subscribe(session, 'source+mem://a');
    const message = (level: string) =>
      world.announce(conversation(), 'notifications/message', { level, data: level });
    await send('POST', session, { method: 'logging/setLevel', params: { level: 'warning' } });
    world.announce(others, 'notifications/vendor/secret');
    for (const level of ['info', 'warning', 'emergency']) message(level);
    world.announce(conversation(), 'notifications/tools/list_changed');
    world.announce(conversation(), 'notifications/elicitation/complete', { elicitationId: 'e' });
    const heard = [];
    for (let count = 0; count < 3; count++) heard.push(((await next()) as Members).params);
    assert.deepEqual(heard, [
      { level: 'warning', data: 'warning' },
      { level: 'emergency', data: 'emergency' },
      { elicitationId: 'e' },
    ]);
  });

  test('is asked for once however often it subscribes, and released when it wants no more', async () => {
    const session = await open();
    for (let count = 0; count < 3; count++) await subscribe(session, 'source+mem://a');
    assert.equal(world.state.taken.length, 1);
    for (let count = 0; count < 2; count++)
      assert.equal((await unsubscribe(session, 'source+mem://a')).status, 200);
    assert.deepEqual(world.state.released, ['source+mem://a']);
  });

  test('what it wants no more before the source has answered is released then, and not kept', async () => {
    const session = await open();
    let answer = () => {};
    world.state.hold = new Promise((resolve) => {
      answer = resolve;
    });
    const subscribing = subscribe(session, 'source+mem://a');
    while (world.state.taken.length === 0) await db.query('select 1');
    await unsubscribe(session, 'source+mem://a');
    answer();
    await subscribing;
    assert.deepEqual(world.state.released, ['source+mem://a']);
    const rows = await db.query('select uri from session_subscriptions where session_id = $1', [
      conversation(),
    ]);
    assert.deepEqual(rows, []);
  });

  test('gets its subscriptions back with its stream, when it was idle for long', async () => {
    const session = await open();
    await subscribe(session, 'source+mem://a');
    world.clock.advance(60 * 60_000);
    assert.deepEqual([world.state.released, world.state.over], [['source+mem://a'], [conversation()]]);
    const next = await listen(session);
    while (world.state.taken.length < 2) await db.query('select 1');
    update('mem://a');
    assert.deepEqual(await next(), updated('source+mem://a'));
  });

  test('says goodbye: its stream ends, its subscriptions and its conversation too', async () => {
    const session = await open();
    const next = await listen(session);
    await subscribe(session, 'source+mem://a');
    assert.equal((await send('DELETE', session)).status, 204);
    assert.equal(await next(), 'ended');
    assert.deepEqual([world.state.released, world.state.over], [['source+mem://a'], [conversation()]]);
  });

  test('subscribes to at most a thousand resources, and to none that is not there', async () => {
    const session = await open();
    const none = (await subscribe(session, 'none:x')).error as Members;
    assert.deepEqual([none.code, (none.data as Members).uri], [-32002, 'none:x']);
    for (let count = 0; count < 1000; count++) await subscribe(session, `source+mem://${count}`);
    const full = (await subscribe(session, 'source+mem://one-more')).error as Members;
    assert.deepEqual(full.data, { name: 'session.limit' });
  });

  test('that reads nothing is cut off before it costs much', async () => {
    const session = await open();
    await subscribe(session, 'source+mem://a');
    await send('GET', session);
    const data = 'x'.repeat(10_000);
    for (let count = 0; count < 2000; count++) {
      world.announce(conversation(), 'notifications/message', { level: 'info', data });
    }
    const found = await world.sessions.find(
      session,
      { principal: { id: 'key_1' }, userId: 'alice' } as Caller,
      'gw_1',
    );
    assert.ok(found.ok);
    assert.ok((found.value.listener?.response.writableLength ?? 0) < 200_000);
  });

  test('hears on its newest stream only', async () => {
    const session = await open();
    const first = await listen(session);
    const second = await listen(session);
    assert.equal(await first(), 'ended');
    await subscribe(session, 'source+mem://a');
    update('mem://a');
    assert.deepEqual(await second(), updated('source+mem://a'));
  });

  test('tells the sources of its roots in its own conversation', async () => {
    const session = await open();
    await subscribe(session, 'source+mem://a');
    const told = await send('POST', session, { id: undefined, method: 'notifications/roots/list_changed' });
    assert.deepEqual([told.status, world.state.told], [202, [conversation()]]);
  });
});
