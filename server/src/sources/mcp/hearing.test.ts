import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { CallNotification } from '#domain';
import { createEgress, type Egress } from '#egress';
import { manualClock } from '#foundation';
import { silentLog } from '#telemetry';
import type { SourceConnection } from '../contract.ts';
import { legacyClient, modernClient, notes } from '../fixtures/asked-client.ts';
import { callOf, sourceOf } from '../fixtures/dispatched-call.ts';
import { answer, type McpServer, type Rpc, sse, startMcpServer } from '../fixtures/mcp-server.ts';
import { silentOwner } from './capabilities.ts';
import { createHearing } from './hearing.ts';
import { createInteraction } from './interaction.ts';
import { mcpKind } from './mcp.ts';
import type { Heard, Line } from './transports/transport.ts';

describe('what a server of the legacy era says on its own stream', () => {
  const stops: (() => unknown)[] = [];
  let egress: Egress;
  let clock: ReturnType<typeof manualClock>;
  let server: McpServer;
  let connection: SourceConnection;
  let announced: { conversation: string; notification: CallNotification }[];
  let changes: number;

  beforeEach(async () => {
    egress = createEgress({ allow: [] });
    clock = manualClock();
    server = await startMcpServer();
    announced = [];
    changes = 0;
    const opened = mcpKind.open(
      sourceOf({ kind: 'mcp', uri: `${server.origin}/mcp` }),
      { egress, clock, log: silentLog },
      {
        onListChanged() {
          changes++;
        },
        onAnnouncement: (conversation, notification) => announced.push({ conversation, notification }),
      },
    );
    assert.ok(opened.ok);
    connection = opened.value;
    stops.push(
      () => egress.close(),
      () => server.stop(),
      () => opened.value.close(),
    );
  });
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  const say = (message: object) =>
    server.stream?.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);
  const answersTo = (id: string) =>
    server.received.filter(({ message }) => message.method === undefined && message.id === id);
  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await setImmediate();
  }

  /** Has the server answer a call only once it was told the answer to its own question. */
  function askDuringCall(question: object, seen: (streamWasOpen: boolean) => void = () => {}) {
    server.onCall = (message: Rpc, response) => {
      seen(server.stream !== null);
      say(question);
      void until(() => answersTo('q').length > 0).then(() => {
        const { result, error } = answersTo('q')[0]?.message ?? {};
        answer(response, message, { content: [{ type: 'text', text: JSON.stringify(result ?? error) }] });
      });
      return true;
    };
  }
  const question = { id: 'q', method: 'elicitation/create', params: { message: 'Your name?' } };

  it('is asked of the client whose request is under way, as the stream was open before that was sent', async () => {
    let wasOpen = false;
    askDuringCall(question, (open) => {
      wasOpen = open;
    });
    const client = legacyClient();
    const returned = await connection.call(callOf('Echo', { client }));
    assert.ok(returned.ok && returned.value.form === 'mcp');
    assert.match(returned.value.result.toString('utf8'), /Ann/);
    assert.ok(wasOpen);
  });

  it('is asked of a client that cannot be asked at once, when it comes back', async () => {
    askDuringCall(question);
    const asked = await connection.call(callOf('Echo', { client: modernClient() }));
    assert.ok(asked.ok && asked.value.form === 'input_required');
    const [key = ''] = Object.keys(asked.value.requests);
    const resume = { responses: { [key]: { action: 'decline' } }, state: asked.value.state };
    const returned = await connection.call(callOf('Echo', { client: modernClient({ resume }) }));
    assert.ok(returned.ok && returned.value.form === 'mcp');
    assert.match(returned.value.result.toString('utf8'), /decline/);
  });

  it('is refused where no request is under way, and ping is answered', async () => {
    await connection.call(callOf('Echo', { client: legacyClient() }));
    say(question);
    say({ id: 'p', method: 'ping' });
    await until(() => answersTo('q').length > 0 && answersTo('p').length > 0);
    assert.equal(answersTo('q')[0]?.message.error?.code, -32601);
    assert.deepEqual(answersTo('p')[0]?.message.result, {});
  });

  it('is for roots, of which the session that only lists has none', async () => {
    assert.ok((await connection.inspect()).ok);
    await until(() => server.stream !== null);
    say({ id: 'r', method: 'roots/list' });
    say(question);
    await until(() => answersTo('r').length > 0 && answersTo('q').length > 0);
    assert.deepEqual(answersTo('r')[0]?.message.result, { roots: [] });
    assert.equal(answersTo('q')[0]?.message.error?.code, -32601);
  });

  it('takes a question back', async () => {
    let release = () => {};
    server.onCall = (message, response) => {
      say(question);
      release = () => answer(response, message, { content: [] });
      return true;
    };
    let asked: AbortSignal | undefined;
    const client = legacyClient({}, (_, signal) => {
      asked = signal;
      return new Promise(() => {});
    });
    const calling = connection.call(callOf('Echo', { client }));
    await until(() => asked !== undefined);
    say({ method: 'notifications/cancelled', params: { requestId: 'q' } });
    await until(() => asked?.aborted === true);
    release();
    assert.ok((await calling).ok);
    assert.equal(answersTo('q').length, 0);
  });

  it('reaches the conversation, except what the gateway needs itself', async () => {
    await connection.call(
      callOf('Echo', { client: legacyClient({ capabilities: {}, conversation: 'one' }) }),
    );
    await until(() => server.stream !== null);
    say({ method: 'notifications/tools/list_changed' });
    say({ method: 'notifications/prompts/list_changed' });
    say({ method: 'notifications/progress', params: { progressToken: 'of nobody', progress: 1 } });
    say({ method: 'notifications/message', params: { level: 'info', data: 'hi' } });
    say({ method: 'notifications/tasks/status', params: { taskId: 't' } });
    await until(() => announced.length >= 2);
    assert.deepEqual(announced, [
      {
        conversation: 'one',
        notification: { method: 'notifications/message', params: { level: 'info', data: 'hi' } },
      },
      {
        conversation: 'one',
        notification: { method: 'notifications/tasks/status', params: { taskId: 't' } },
      },
    ]);
    assert.equal(changes, 2);
  });

  it('is progress of the request that it names', async () => {
    server.onCall = (message, response) => {
      const { progressToken } = (message.params as { _meta: { progressToken: number } })._meta;
      say({ method: 'notifications/progress', params: { progressToken, progress: 1 } });
      void until(() => heard.length > 0).then(() => answer(response, message, { content: [] }));
      return true;
    };
    const { heard, notify } = notes();
    const meta = { progressToken: 'mine' };
    await connection.call(callOf('Echo', { client: legacyClient(), meta, notify }));
    assert.deepEqual(heard, [
      { method: 'notifications/progress', params: { progressToken: 'mine', progress: 1 } },
    ]);
  });

  it('may be nothing: a server that has no such stream is called all the same', async () => {
    server.offersStream = false;
    assert.ok((await connection.call(callOf('Echo', { client: legacyClient() }))).ok);
  });

  it('ends with the session, and the next call has a new one', async () => {
    const client = legacyClient();
    await connection.call(callOf('Echo', { client }));
    const first = server.received.at(-1)?.headers['mcp-session-id'] as string;
    server.forget(first);
    server.stream?.destroy();
    server.stream = null;
    let executed = 0;
    server.onCall = () => {
      executed++;
      return false;
    };
    assert.ok((await connection.call(callOf('Echo', { client }))).ok);
    assert.equal(executed, 1);
    assert.notEqual(server.received.at(-1)?.headers['mcp-session-id'], first);
  });

  it('is heard again when the stream broke', async () => {
    await connection.call(callOf('Echo', { client: legacyClient() }));
    const broken = server.stream;
    broken?.destroy();
    while (server.stream === broken) {
      clock.advance(1000);
      await setImmediate();
    }
    say({ method: 'notifications/message', params: { level: 'info', data: 'again' } });
    await until(() => announced.length > 0);
  });

  it('is of a resource also where it is said in the course of a call', async () => {
    server.capabilities = { tools: {}, resources: { subscribe: true } };
    server.onOther = (message, response) => {
      answer(response, message, {});
      return true;
    };
    server.onCall = ({ id }, response) => {
      const params = { uri: 'a://b' };
      sse(response, { method: 'notifications/resources/updated', params }, { id, result: { content: [] } });
      return true;
    };
    const client = legacyClient();
    await connection.call(callOf('Echo', { client }));
    const heard: unknown[] = [];
    const { conversation } = client;
    const wish = { projectId: 'default', sourceId: 'x', userId: null, conversation, uri: 'a://b' };
    const subscribed = await connection.subscribe?.({ ...wish, onUpdated: ({ uri }) => heard.push(uri) });
    assert.ok(subscribed?.ok);
    await connection.call(callOf('Echo', { client }));
    assert.deepEqual(heard, ['a://b']);
  });

  it('is not asked for subscriptions that the server did not declare', async () => {
    const wish = { projectId: 'default', sourceId: 'x', userId: null, conversation: null, uri: 'a://b' };
    const refused = await connection.subscribe?.({ ...wish, onUpdated() {} });
    assert.ok(refused && !refused.ok);
    assert.equal(refused.error.code, 'source.request_failed');
    assert.ok(server.received.every(({ message }) => message.method !== 'resources/subscribe'));
  });
});

describe('what is asked on a line that everybody shares', () => {
  it('is asked only where one request is under way, so that it cannot be another one’s', async () => {
    const told: object[] = [];
    let heard: Heard | undefined;
    const line: Line = {
      isChannel: true,
      request: () => assert.fail('nothing is asked'),
      tell: async (message) => void told.push(message),
      listen(_, given) {
        heard = given;
        return { ready: Promise.resolve(), stop() {} };
      },
      end: async () => {},
    };
    const hearing = createHearing({
      line,
      head: { id: null, version: '2025-06-18' },
      // It was opened for one of them.
      owner: { ...silentOwner('everybody'), conversation: 'one' },
      isShared: true,
      clock: manualClock(),
      events: { onListChanged() {}, onAnnouncement: () => assert.fail('nobody is told') },
      onEnd() {},
    });
    await hearing.start();
    const clients = [legacyClient(), legacyClient()];
    const requests = clients.map((client, id) => {
      const interaction = createInteraction({ client, timeoutMs: 1000, clock: manualClock() });
      return { id, hear: () => assert.fail('nobody is told'), interaction };
    });
    const ask = (id: string) =>
      heard?.onMessage({ kind: 'request', id, method: 'roots/list', params: undefined });
    for (const request of requests) hearing.begin(request);
    ask('ambiguous');
    heard?.onMessage({ kind: 'notification', method: 'notifications/message', params: { level: 'error' } });
    assert.deepEqual(
      clients.map(({ asked }) => asked.length),
      [0, 0],
    );
    assert.equal((told[0] as { error: { code: number } }).error.code, -32601);
    if (requests[0]) hearing.finish(requests[0]);
    ask('clear');
    await setImmediate();
    assert.deepEqual(
      clients.map(({ asked }) => asked.length),
      [0, 1],
    );
    assert.deepEqual(Object.keys(told[1] ?? {}), ['id', 'result']);
  });
});
