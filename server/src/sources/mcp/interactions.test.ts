import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { CallNotification, ClientSide, InputAnswer, Source, SourceReturn } from '#domain';
import { createEgress, type Egress } from '#egress';
import { manualClock } from '#foundation';
import { silentLog } from '#telemetry';
import { type EraServer, startEraServer } from '../../../test/era-server.ts';
import type { SourceConnection } from '../contract.ts';
import { answerTo, legacyClient, modernClient, notes } from '../fixtures/asked-client.ts';
import { callOf, requestOf, sourceOf, unheard } from '../fixtures/dispatched-call.ts';
import { sse, startMcpServer } from '../fixtures/mcp-server.ts';
import { mcpKind } from './mcp.ts';

const bytesOf = (returned: SourceReturn) =>
  JSON.parse(returned.form === 'mcp' ? returned.result.toString('utf8') : '{}');
/** What the server was told, by the keys it asked under. */
const givenIn = (returned: SourceReturn) => JSON.parse(bytesOf(returned).content[0].text);

describe('the client in the course of a request', () => {
  const stops: (() => unknown)[] = [];
  let egress: Egress;
  let clock: ReturnType<typeof manualClock>;
  let announced: CallNotification[];

  beforeEach(() => {
    clock = manualClock();
    egress = createEgress({ allow: [], clock });
    announced = [];
    stops.push(() => egress.close());
  });
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  async function start(era: 'legacy' | 'modern', given: Partial<Source> = {}) {
    const server = await startEraServer(era);
    stops.push(() => server.close());
    return { server, connection: connect(server, given) };
  }

  function connect(server: Pick<EraServer, 'uri'>, given: Partial<Source> = {}): SourceConnection {
    const opened = mcpKind.open(
      sourceOf({ kind: 'mcp', uri: server.uri, ...given }),
      { egress, clock, log: silentLog },
      { ...unheard, onAnnouncement: (_, said) => announced.push(said) },
    );
    assert.ok(opened.ok);
    stops.push(() => opened.value.close());
    return opened.value;
  }

  async function call(connection: SourceConnection, tool: string, given: Parameters<typeof callOf>[1]) {
    const returned = await connection.call(callOf(tool, given));
    assert.ok(returned.ok, returned.ok ? '' : returned.error.message);
    return returned.value;
  }

  async function failure(connection: SourceConnection, tool: string, given: Parameters<typeof callOf>[1]) {
    const returned = await connection.call(callOf(tool, given));
    assert.ok(!returned.ok);
    return returned.error;
  }

  function input(returned: SourceReturn) {
    assert.ok(returned.form === 'input_required', returned.form);
    return returned;
  }

  const resultsOf = (requests: SourceReturn & { form: 'input_required' }) =>
    Object.fromEntries(
      Object.entries(requests.requests).map(([key, request]) => {
        const answer = answerTo(request);
        return [key, 'result' in answer ? answer.result : {}];
      }),
    );

  for (const era of ['legacy', 'modern'] as const) {
    it(`is asked at once by a server of the ${era} era, where it can be`, async () => {
      const { connection } = await start(era);
      const client = legacyClient();
      const given = givenIn(await call(connection, 'AskAll', { client }));
      assert.deepEqual(client.asked.map(({ method }) => method).sort(), [
        'elicitation/create',
        'roots/list',
        'sampling/createMessage',
      ]);
      assert.deepEqual(given.roots.roots, [{ uri: 'file:///home' }]);
      assert.equal(given.name.content.name, 'Ann');
      assert.equal(
        client.asked.find(({ method }) => method.startsWith('samp'))?.params?.systemPrompt,
        'Be brief',
      );
    });

    it(`is asked round after round by a server of the ${era} era`, async () => {
      const { connection } = await start(era);
      const client = legacyClient();
      const given = givenIn(await call(connection, 'AskTwice', { client }));
      assert.deepEqual(Object.keys(given), ['first', 'second']);
      assert.deepEqual(
        client.asked.map(({ params }) => params?.message),
        ['First?', 'Second?'],
      );
    });

    it(`brings answers to a server of the ${era} era, round after round, where it cannot be asked`, async () => {
      const { server, connection } = await start(era);
      const first = input(await call(connection, 'AskTwice', { client: modernClient() }));
      assert.deepEqual(
        Object.values(first.requests).map(({ params }) => params?.message),
        ['First?'],
      );
      const answered = modernClient({ resume: { responses: resultsOf(first), state: first.state } });
      const second = input(await call(connection, 'AskTwice', { client: answered }));
      assert.deepEqual(
        Object.values(second.requests).map(({ params }) => params?.message),
        ['Second?'],
      );
      const last = modernClient({ resume: { responses: resultsOf(second), state: second.state } });
      const given = givenIn(await call(connection, 'AskTwice', { client: last }));
      assert.deepEqual(Object.keys(given), ['first', 'second']);
      const calls = server.heard.filter(({ message }) => message.method === 'tools/call').length;
      assert.equal(calls, era === 'legacy' ? 1 : 3);
    });

    it(`is asked for prompts and resources of a server of the ${era} era`, async () => {
      const { server, connection } = await start(era);
      const client = legacyClient();
      const got = await connection.request?.(requestOf('prompts/get', { name: 'Interview' }, { client }));
      assert.ok(got?.ok);
      assert.match(JSON.stringify(bytesOf(got.value)), /Ann/);
      const read = await connection.request?.(
        requestOf('resources/read', { uri: 'test://locked' }, { client }),
      );
      assert.ok(read?.ok);
      assert.match(JSON.stringify(bytesOf(read.value)), /Ann/);
      assert.equal(client.asked.length, 2);
      const headers = server.heard
        .filter(({ message }) => message.method === 'resources/read')
        .at(-1)?.headers;
      if (era === 'modern') assert.equal(headers?.['mcp-name'], 'test://locked');
    });

    it(`is not asked by a server of the ${era} era for what it did not declare`, async () => {
      const { connection } = await start(era);
      const client = legacyClient({ capabilities: { roots: {} } });
      const returned = await connection.call(callOf('Sample', { client }));
      assert.equal(client.asked.length, 0);
      assert.ok(!returned.ok || returned.value.isError);
      const parked = await connection.call(
        callOf('AskUrl', { client: modernClient({ capabilities: { elicitation: {} } }) }),
      );
      assert.ok(!parked.ok || parked.value.form !== 'input_required');
    });

    it(`has its time to answer a server of the ${era} era: the time-out does not run`, async () => {
      const { connection } = await start(era, { timeoutMs: 5000 });
      let answer: ((answer: InputAnswer) => void) | undefined;
      const client = legacyClient({}, () => new Promise((resolve) => (answer = resolve)));
      const calling = call(connection, 'AskForm', { client });
      while (answer === undefined) await setImmediate();
      clock.advance(60_000);
      await setImmediate();
      answer(answerTo({ method: 'elicitation/create' }));
      assert.equal(givenIn(await calling).name.content.name, 'Ann');
    });

    it(`hears log messages of a server of the ${era} era as severe as it wants them`, async () => {
      const { connection } = await start(era);
      const levels = async (client: ClientSide) => {
        const { heard, notify } = notes();
        await call(connection, 'Log', { client, notify });
        return heard.map(({ params }) => params?.level);
      };
      assert.deepEqual(await levels(modernClient({ logLevel: 'error' })), ['error']);
      assert.deepEqual(await levels(modernClient({ logLevel: 'info' })), ['info', 'error']);
      assert.deepEqual(await levels(modernClient({ logLevel: 'error' })), ['error']);
      assert.deepEqual(await levels(modernClient({ logLevel: null })), []);
    });

    it(`is told what else a server of the ${era} era answers`, async () => {
      const { connection } = await start(era);
      const request = requestOf('completion/complete', {
        ref: { type: 'ref/prompt', name: 'Greet' },
        argument: { name: 'who', value: 'A' },
      });
      const returned = await connection.request?.(request);
      assert.ok(returned?.ok);
      assert.equal(bytesOf(returned.value).completion.values[0], 'Greet');
      const none = await connection.request?.(requestOf('resources/read', { uri: 'test://none' }));
      assert.ok(none && !none.ok);
      assert.equal(none.error.code, 'source.request_failed');
      assert.deepEqual(none.error.rpc, {
        code: -32602,
        message: 'There is no such resource',
        data: { uri: 'test://none' },
      });
    });
  }

  it('that goes away while a server of the legacy era waits for it cancels the call there', async () => {
    const { server, connection } = await start('legacy');
    const abort = new AbortController();
    let asked: AbortSignal | undefined;
    const client = legacyClient({}, (_, signal) => {
      asked = signal;
      return new Promise(() => {});
    });
    const calling = connection.call(callOf('AskForm', { client, signal: abort.signal }));
    while (asked === undefined) await setImmediate();
    abort.abort();
    const returned = await calling;
    assert.equal(returned.ok ? '' : returned.error.code, 'source.cancelled');
    assert.equal(asked.aborted, true);
    while (!server.heard.some(({ message }) => message.method === 'notifications/cancelled'))
      await setImmediate();
  });

  it('that refuses a question of a server of the modern era cancels a form, and fails what is no form', async () => {
    const { connection } = await start('modern');
    const refuses = () => ({ error: { code: -1, message: 'No, thanks' } });
    const form = givenIn(await call(connection, 'AskForm', { client: legacyClient({}, refuses) }));
    assert.equal(form.name.action, 'cancel');
    const sample = await failure(connection, 'Sample', { client: legacyClient({}, refuses) });
    assert.deepEqual(sample.rpc, { code: -1, message: 'No, thanks' });
  });

  it('gets the whole of its capabilities declared, in the words of each era', async () => {
    const capabilities = {
      roots: {},
      elicitation: { form: {} },
      extensions: { 'a/b': { x: 1 } },
      vendor: {},
    };
    const modern = await start('modern');
    await call(modern.connection, 'Echo', { client: modernClient({ capabilities }) });
    const meta = modern.server.heard.at(-1)?.message.params._meta;
    assert.deepEqual(meta['io.modelcontextprotocol/clientCapabilities'], capabilities);
    const legacy = await start('legacy');
    await call(legacy.connection, 'Echo', { client: modernClient({ capabilities }), userId: 'a' });
    const reordered = { elicitation: { form: {} }, extensions: { 'a/b': { x: 1 } }, roots: {} };
    await call(legacy.connection, 'Echo', { client: modernClient({ capabilities: reordered }), userId: 'a' });
    const opened = legacy.server.heard.filter(({ message }) => message.method === 'initialize');
    assert.deepEqual(
      opened.map(({ message }) => message.params.capabilities),
      [reordered],
    );
  });

  it('has one session with a server of the legacy era for each conversation, until that ends', async () => {
    const { server, connection } = await start('legacy');
    const echo = (conversation: string) =>
      call(connection, 'Echo', { client: legacyClient({ conversation }), userId: 'a' });
    for (const conversation of ['one', 'two', 'one']) await echo(conversation);
    const opened = () => server.heard.filter(({ message }) => message.method === 'initialize').length;
    assert.equal(opened(), 2);
    connection.endConversation?.('one');
    await echo('two');
    await echo('one');
    assert.equal(opened(), 3);
  });

  it('of a conversation hears what the server says outside any request, and tells it of its roots', async () => {
    const { server, connection } = await start('legacy');
    await call(connection, 'Echo', { client: legacyClient({ conversation: 'one' }) });
    connection.tell?.('one', { method: 'notifications/roots/list_changed' });
    connection.tell?.('another', { method: 'notifications/roots/list_changed' });
    const told = () =>
      server.heard.filter(({ message }) => message.method === 'notifications/roots/list_changed');
    while (told().length === 0) await setImmediate();
    assert.equal(told().length, 1);
  });

  it('is not waited for by a server that asks in a request which the client could not go on with', async () => {
    const server = await startMcpServer();
    stops.push(() => server.stop());
    const connection = connect({ uri: `${server.origin}/mcp` });
    const answers = () => server.received.filter(({ message }) => message.id === 'q');
    let finish = () => {};
    server.onOther = ({ id }, response) => {
      sse(response, { id: 'q', method: 'elicitation/create', params: { message: '?' } });
      finish = () => response.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result: {} })}\n\n`);
      return true;
    };
    const request = connection.request?.(requestOf('completion/complete', {}, { client: modernClient() }));
    let isOver = false;
    void request?.then(() => {
      isOver = true;
    });
    while (answers().length === 0 && !isOver) await setImmediate();
    assert.equal(answers()[0]?.message.error?.code, -32601);
    finish();
    const got = await request;
    assert.ok(got?.ok && got.value.form === 'mcp');
  });

  it('is told of nonsense that came while nobody waited, which ends nothing else', async () => {
    const server = await startMcpServer();
    stops.push(() => server.stop());
    const connection = connect({ uri: `${server.origin}/mcp` });
    let answerWith = (_type: string) => {};
    server.onCall = ({ id }, response) => {
      sse(response, { id: 'q', method: 'elicitation/create', params: { message: '?' } });
      answerWith = (type) =>
        response.end(`data: {"jsonrpc":"2.0","id":${id},"result":{"resultType":${type}}}\n\n`);
      return true;
    };
    const again = (state: string | null) =>
      connection.call(callOf('Echo', { client: modernClient({ resume: { responses: {}, state } }) }));
    let { state } = input(await call(connection, 'Echo', { client: modernClient() }));
    answerWith('['.repeat(50_000) + ']'.repeat(50_000));
    let returned = await again(state);
    while (returned.ok) {
      state = input(returned.value).state;
      returned = await again(state);
    }
    assert.match(returned.error.message, /nested more than 500 deep/);
  });

  it('that opens links gets those of an error of the legacy era as questions, and a call of its own after them', async () => {
    const { server, connection } = await start('legacy');
    const client = modernClient();
    const asked = input(await call(connection, 'NeedUrl', { client }));
    assert.equal(asked.state, null);
    const [key = '', request] = Object.entries(asked.requests)[0] ?? [];
    assert.equal(request?.params?.mode, 'url');
    const retry = (action: string) => ({
      ...client,
      resume: { responses: { [key]: { action } }, state: null },
    });
    input(await call(connection, 'NeedUrl', { client: retry('accept') }));
    const params = server.heard.at(-1)?.message.params;
    assert.deepEqual([params.inputResponses, params.requestState], [undefined, undefined]);
    assert.equal(
      (await failure(connection, 'NeedUrl', { client: retry('decline') })).code,
      'source.tool_failed',
    );
    assert.equal(server.ran.length, 2);
    const relayed = await failure(connection, 'NeedUrl', { client: legacyClient() });
    assert.equal(relayed.rpc?.code, -32042);
  });

  describe('that cannot be asked at once, of a server of the legacy era', () => {
    const client = modernClient();

    it('is waited for by its own user only, for the same request, and once', async () => {
      const { connection } = await start('legacy');
      const asked = input(await call(connection, 'AskForm', { client, userId: 'a' }));
      const back = { ...client, resume: { responses: resultsOf(asked), state: asked.state } };
      const lost = async (tool: string, userId: string) =>
        (await failure(connection, tool, { client: back, userId })).code;
      assert.equal(await lost('AskForm', 'b'), 'source.waiting_lost');
      assert.equal(await lost('AskTwice', 'a'), 'source.waiting_lost');
      const given = givenIn(await call(connection, 'AskForm', { client: back, userId: 'a' }));
      assert.equal(given.name.content.name, 'Ann');
      assert.equal(await lost('AskForm', 'a'), 'source.waiting_lost');
    });

    it('is asked again for what it did not answer', async () => {
      const { connection } = await start('legacy');
      const asked = input(await call(connection, 'AskAll', { client }));
      assert.equal(Object.keys(asked.requests).length, 3);
      const [[key = '', result] = []] = Object.entries(resultsOf(asked));
      const some = { ...client, resume: { responses: { [key]: result }, state: asked.state } };
      const rest = input(await call(connection, 'AskAll', { client: some }));
      assert.deepEqual(Object.keys(rest.requests), Object.keys(asked.requests).slice(1));
      const all = { ...client, resume: { responses: resultsOf(rest), state: rest.state } };
      assert.equal(Object.keys(givenIn(await call(connection, 'AskAll', { client: all }))).length, 3);
    });

    it('is waited for ten minutes, whatever the time-out, and then the call is cancelled', async () => {
      const { server, connection } = await start('legacy', { timeoutMs: 1000 });
      const asked = input(await call(connection, 'AskForm', { client }));
      clock.advance(9 * 60_000);
      await setImmediate();
      assert.ok(!server.heard.some(({ message }) => message.method === 'notifications/cancelled'));
      const cancelled = once(server.events, 'heard');
      clock.advance(2 * 60_000);
      assert.equal((await cancelled)[0].message.method, 'notifications/cancelled');
      const back = { ...client, resume: { responses: resultsOf(asked), state: asked.state } };
      assert.equal((await failure(connection, 'AskForm', { client: back })).code, 'source.waiting_lost');
    });

    it('is waited for fifty times at once, and not more often', async () => {
      const { connection } = await start('legacy');
      for (let count = 0; count < 50; count++)
        input(await call(connection, 'AskForm', { client, userId: 'a' }));
      const more = await connection.call(callOf('AskForm', { client, userId: 'a' }));
      assert.ok(!more.ok || more.value.form !== 'input_required');
      input(await call(connection, 'AskForm', { client, userId: 'b' }));
    });
  });

  it('finds its call lost when a server of the modern era became one of the legacy era meanwhile', async () => {
    const modern = await start('modern');
    const asked = input(await call(modern.connection, 'AskForm', { client: modernClient() }));
    const legacy = await start('legacy');
    const back = modernClient({ resume: { responses: resultsOf(asked), state: asked.state } });
    assert.equal((await failure(legacy.connection, 'AskForm', { client: back })).code, 'source.waiting_lost');
    assert.equal(legacy.server.ran.length, 0);
  });

  it('that did not declare what a server of the modern era wants is told what is missing', async () => {
    const { connection } = await start('modern');
    const client = modernClient({ capabilities: { elicitation: { form: {} } } });
    const { code, rpc } = await failure(connection, 'Roots', { client });
    assert.equal(code, 'client.capability_missing');
    assert.equal(rpc?.code, -32021);
    assert.ok(JSON.stringify(rpc?.data).includes('roots'));
  });
});
