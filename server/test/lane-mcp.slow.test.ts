import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createBrowser } from './browser.ts';
import type { Answer, Connection } from './connections.ts';
import { type Era, type EraServer, startEraServer } from './era-server.ts';
import { type HeldWorker, startHeldWorker } from './held-worker.ts';
import { type Lanes, type ProcessName, processNames, startLanes, traceOf } from './lanes.ts';
import { startOAuthSource } from './oauth-source.ts';
import { type Json, modern } from './start-app.ts';

/** MCP servers, which any process calls where they keep nothing from one request to the next. */

const kinds = {
  modern: ['modern', true],
  stateless: ['legacy', false],
  stateful: ['legacy', true],
} as const satisfies Record<string, readonly [Era, boolean]>;
type Kind = keyof typeof kinds;
type Headers = Record<string, string>;

let worker: HeldWorker;
let servers: Record<Kind, EraServer>;
let lanes: Lanes;
/** One for each process, by the name it has in the log. */
let at: Readonly<Record<ProcessName, Connection>>;

before(async () => {
  worker = await startHeldWorker();
  servers = {
    modern: await start('modern'),
    stateless: await start('stateless'),
    stateful: await start('stateful'),
  };
  lanes = await startLanes(worker.uri, 3, undefined, { SALLYPORT_EGRESS_ALLOW: '127.0.0.1' });
  for (const kind of Object.keys(kinds) as Kind[]) await declare(kind, servers[kind].uri);
});
// A connection on which lanes have nothing to serve goes to the office.
beforeEach(anew);
async function anew(): Promise<void> {
  at = await lanes.ofEach(toolCall('Kit_Read', { text: 'hi' }));
}
after(async () => {
  lanes?.close();
  await worker.stop();
  for (const server of Object.values(servers)) await server.close();
});

const start = (kind: Kind, port = 0) => startEraServer(kinds[kind][0], port, kinds[kind][1]);

/** A source, and the gateway of the same name that shows it. */
async function declare(id: string, uri: string): Promise<void> {
  const made = await lanes.api('POST', '/v1/workers', { id, type: 'mcp', mcp: { uri } });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const gateway = { name: id, slug: id, naming: 'source', tool_filter: { allowed_tools: [`${id}.*`] } };
  assert.equal((await lanes.api('POST', '/v1/gateways', gateway)).status, 201);
  await healthy(id);
}

async function healthy(id: string): Promise<void> {
  while ((await lanes.api('GET', `/v1/workers/${id}/health`)).body.healthy !== true);
}

function toolCall(name: string, args: Json = {}, more: Json = {}) {
  return { id: 1, method: 'tools/call', params: { name, arguments: args, ...more } };
}

/** A client, by what it puts into each request. */
interface Client {
  readonly headers: (name: string) => Headers;
  readonly call: (name: string, args?: Json, more?: Json) => object;
}

/** One that says all in every request; `declared` is what it can do. */
function today(declared: object = {}, meta: object = {}): Client {
  return {
    headers: (name) => modern('tools/call', { name }).headers,
    call(name, args = {}, more = {}) {
      const { message } = modern('tools/call', { name, arguments: args, ...more });
      Object.assign(message.params._meta, {
        'io.modelcontextprotocol/clientCapabilities': declared,
        ...meta,
      });
      return message;
    },
  };
}

const withoutSession: Client = { headers: () => ({}), call: toolCall };

async function inSession(slug: string, capabilities: object): Promise<Client> {
  const params = { protocolVersion: '2025-11-25', capabilities, clientInfo: { name: 't', version: '1' } };
  const [one] = lanes.open(1).all as [Connection];
  const answer = await one.post(`/mcp/${slug}`, { id: 0, method: 'initialize', params });
  const session = String(answer.headers['mcp-session-id']);
  return { headers: () => ({ 'mcp-session-id': session }), call: toolCall };
}

/** Everything that a client can be asked. */
const askable = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };

async function calls(
  name: ProcessName,
  client: Client,
  slug: string,
  tool = 'Echo',
  args: Json = {},
  onPiece?: (text: string) => void,
): Promise<Answer> {
  return at[name].post(`/mcp/${slug}`, client.call(tool, args), client.headers(tool), onPiece);
}

/** Lanes know the server, and the client. */
async function known(slug: string, client: Client, tool = 'Echo'): Promise<void> {
  for (const lane of ['lane-1', 'lane-2'] as const)
    while ((await lanes.servedBy(await calls(lane, client, slug, tool))) !== lane);
}

/** Which process served it on each connection. */
async function servedOnEach(slug: string, client: Client, tool = 'Echo'): Promise<string[]> {
  const answers = await Promise.all(processNames.map((name) => calls(name, client, slug, tool)));
  return Promise.all(answers.map(lanes.servedBy));
}
const nobodyElse = processNames.map(() => 'office');

/** All but what is another with each answer. */
function comparable({ status, headers, text }: Answer): Json {
  const { date: _date, traceresponse: _trace, traceparent: _parent, ...same } = headers;
  return { status, headers: same, text };
}

async function recordsOf(answer: Answer): Promise<Json[]> {
  const { body } = await lanes.api('GET', '/v1/audit_events?limit=20');
  return body.items
    .filter(({ trace_id }: Json) => trace_id === traceOf(answer))
    .map(({ id, time, execution_id, trace_id, duration_ms, ...same }: Json) => same);
}

/** The clients whose calls lanes may make at a server of that kind. */
async function clientsOf(kind: Kind): Promise<Record<string, Client>> {
  return {
    'without a session': withoutSession,
    'in a session': await inSession(kind, {}),
    'in a session, to be asked': await inSession(kind, askable),
    'of today': today(),
    ...(kind === 'modern' ? { 'of today, to be asked': today(askable) } : {}),
  };
}

describe('a server that keeps nothing', () => {
  for (const kind of ['modern', 'stateless'] as const) {
    test(`${kind}: is called by the process that has the connection, with the same answers and records`, async () => {
      servers[kind].raw = JSON.stringify({
        content: [{ type: 'text', text: 'x'.repeat(3_000_000) }],
        ...(kind === 'modern' ? { resultType: 'complete' } : {}),
      });
      for (const [who, client] of Object.entries(await clientsOf(kind))) {
        await known(kind, client);
        const tools: [string, Json?][] = [
          ['Echo', { zulu: 'é' }],
          ['Fail'],
          ['Raw'],
          ['Log'],
          ['None'],
          ['Echo', { zulu: 5 }],
        ];
        for (const [tool, args = {}] of tools) {
          const what = `${who}: ${tool}`;
          const answers = await Promise.all(
            processNames.map((name) => calls(name, client, kind, tool, args)),
          );
          const [office, ...others] = answers.map(comparable);
          for (const other of others) assert.deepEqual(other, office, what);
          const [record, ...records] = await Promise.all(answers.map(recordsOf));
          assert.equal(record?.length, 1, what);
          for (const other of records) assert.deepEqual(other, record, what);
          // Nobody logs a tool that there is not.
          if (tool !== 'None')
            assert.deepEqual(await Promise.all(answers.map(lanes.servedBy)), processNames, what);
        }
      }
    });

    test(`${kind}: tells of progress on the stream of the call, wherever that is`, async () => {
      const client = await inSession(kind, {});
      await known(kind, client);
      const message = client.call('Steps', {}, { _meta: { progressToken: 'mine' } });
      const answers = await Promise.all(
        processNames.map((name) => at[name].post(`/mcp/${kind}`, message, client.headers('Steps'))),
      );
      assert.deepEqual(await Promise.all(answers.map(lanes.servedBy)), processNames);
      for (const { text } of answers) {
        assert.match(
          text,
          /"progressToken":"mine","progress":1.*"progressToken":"mine","progress":2.*"result"/s,
        );
        assert.equal(text, answers[0]?.text);
      }
    });

    test(`${kind}: is never asked under the same id by two processes`, async () => {
      await known(kind, withoutSession);
      const before = servers[kind].heard.length;
      for (let round = 0; round < 5; round++) await servedOnEach(kind, withoutSession);
      const ids = servers[kind].heard
        .slice(before)
        .filter(({ message: { method } }) => method === 'tools/call')
        .map(({ message }) => message.id);
      assert.equal(new Set(ids).size, 15);
    });
  }

  test('hears of a call that its client takes back, whichever process is told', async () => {
    const client = await inSession('modern', {});
    await known('modern', client);
    for (const running of processNames) {
      const other = processNames.find((name) => name !== running) as ProcessName;
      const [came, told] = [once(servers.modern.events, 'calling'), once(servers.modern.events, 'cancelled')];
      const calling = calls(running, client, 'modern', 'Wait');
      await came;
      const cancelled = { method: 'notifications/cancelled', params: { requestId: 1 } };
      assert.equal((await at[other].post('/mcp/modern', cancelled, client.headers(''))).status, 202);
      assert.equal((await calling).body, null);
      await told;
    }
  });

  test('says no more than its client wants to hear, from the next call on', async () => {
    const client = await inSession('modern', {});
    await known('modern', client);
    for (const level of ['error', 'debug', 'info'] as const) {
      const setting = { id: 9, method: 'logging/setLevel', params: { level } };
      await at['lane-1'].post('/mcp/modern', setting, client.headers(''));
      for (const name of processNames) {
        const { text } = await calls(name, client, 'modern', 'Log');
        const said = [...text.matchAll(/"level":"(\w+)"/g)].map(([, one]) => one);
        const all = ['debug', 'info', 'error'];
        assert.deepEqual(said, all.slice(all.indexOf(level)), `${name} ${level}`);
      }
    }
  });

  test('asks the client of a session, who answers to whichever process', async () => {
    const client = await inSession('modern', askable);
    await known('modern', client);
    const [further] = lanes.open(1).all as [Connection];
    for (const running of processNames) {
      for (const answering of [
        ...processNames.filter((name) => name !== running).map((name) => at[name]),
        further,
      ]) {
        const asked = Promise.withResolvers<Json>();
        const calling = calls(running, client, 'modern', 'AskForm', {}, (text) => {
          const event = /^data: (.*"method":"elicitation\/create".*)$/m.exec(text);
          if (event !== null) asked.resolve(JSON.parse(event[1] as string));
        });
        const { id, params } = await asked.promise;
        assert.equal(params.message, 'Your name?');
        const answer = { id, result: { action: 'accept', content: { name: 'Ann' } } };
        assert.equal((await answering.post('/mcp/modern', answer, client.headers(''))).status, 202);
        const answered = await calling;
        assert.match(answered.body.result.content[0].text, /"name":"Ann"/);
        assert.equal(await lanes.servedBy(answered), running);
      }
    }
  });

  test('asks a client of today, who goes on at whichever process', async () => {
    const client = today(askable);
    await known('modern', client);
    for (const name of processNames) {
      const first = await calls(name, client, 'modern', 'AskForm');
      assert.equal(await lanes.servedBy(first), name);
      const { resultType, inputRequests, requestState } = first.body.result;
      assert.deepEqual([resultType, Object.keys(inputRequests)], ['input_required', ['name']]);
      const inputResponses = { name: { action: 'accept', content: { name: 'Ann' } } };
      const more = client.call('AskForm', {}, { inputResponses, requestState });
      const other = processNames.find((one) => one !== name) as ProcessName;
      const { body } = await at[other].post('/mcp/modern', more, client.headers('AskForm'));
      assert.match(body.result.content[0].text, /"name":"Ann"/);
    }
  });
});

describe('the office calls', () => {
  test('a server that keeps sessions: one of its sessions for each of its clients', async () => {
    for (const client of [
      await inSession('stateful', {}),
      await inSession('stateful', askable),
      withoutSession,
      today(),
    ]) {
      await calls('lane-1', client, 'stateful');
      const before = servers.stateful.heard.length;
      for (let round = 0; round < 3; round++)
        assert.deepEqual(await servedOnEach('stateful', client), nobodyElse);
      const sessions = servers.stateful.heard
        .slice(before)
        .filter(({ message: { method } }) => method === 'tools/call')
        .map(({ headers }) => headers['mcp-session-id']);
      assert.equal(sessions.length, 9);
      assert.equal(new Set(sessions).size, 1);
    }
  });

  test('whatever one process has to remember', async () => {
    const session = await inSession('stateless', {});
    const tasks = { extensions: { 'io.modelcontextprotocol/tasks': {} } };
    const level = { 'io.modelcontextprotocol/logLevel': 'info' };
    const asTask: Client = { ...session, call: (name, args) => toolCall(name, args, { task: {} }) };
    const left: [string, string, Client][] = [
      ['questions of an older server to a client of today', 'stateless', today(askable)],
      ['a call that may go on as a task', 'modern', today(tasks)],
      ['a call as a task', 'stateless', asTask],
      ['a level of one call', 'modern', today({}, level)],
    ];
    for (const slug of ['stateless', 'modern']) await known(slug, withoutSession);
    await known('stateless', session);
    for (const [what, slug, client] of left)
      assert.deepEqual(await servedOnEach(slug, client), nobodyElse, what);
  });

  test('a tool that asks of the user what its source wants', async () => {
    await lanes.api('PATCH', '/v1/workers/modern', { mcp: { auth_provider: { id: 'none', scopes: [] } } });
    assert.deepEqual(await servedOnEach('modern', withoutSession), nobodyElse);
    await lanes.api('PATCH', '/v1/workers/modern', { mcp: { auth_provider: null } });
    await known('modern', withoutSession);
  });
});

test('a user is asked to consent by the process that was refused, once for all, and is called for by the office from then on', async () => {
  const source = await startOAuthSource('modern');
  source.guardsCallsOnly = true;
  await declare('guarded', source.uri);
  await known('guarded', withoutSession, 'WhoAmI');
  const refused = await Promise.all(
    processNames.map((name) => calls(name, withoutSession, 'guarded', 'WhoAmI')),
  );
  assert.deepEqual(await Promise.all(refused.map(lanes.servedBy)), processNames);
  const [url, ...others] = new Set(refused.map(({ body }) => body.result._meta.authorization_url));
  assert.deepEqual(others, []);
  source.signedInAs = 'alice there';
  const browser = createBrowser();
  const page = await browser.open(url);
  assert.match((page.forms.length === 0 ? page : await browser.submit(page)).text, /is connected/);
  assert.deepEqual(await servedOnEach('guarded', withoutSession, 'WhoAmI'), nobodyElse);
  for (const name of processNames) {
    const { body } = await calls(name, withoutSession, 'guarded', 'WhoAmI');
    assert.equal(body.result.content[0].text, 'alice there');
  }
  await source.close();
});

describe('a source', () => {
  const each = (slug: string, client: Client) =>
    Promise.all(processNames.map(async (name) => (await calls(name, client, slug)).body));

  test('that is disabled, moved or removed is not called by any process once that is answered', async () => {
    const places = [await start('modern'), await start('stateless')] as const;
    const ran = () => places.map((place) => place.ran.length);
    /** How many more calls came to each place, where all processes are asked for one. */
    async function reached(client: Client): Promise<number[]> {
      const before = ran();
      await each('moving', client);
      return ran().map((count, nth) => count - (before[nth] as number));
    }
    for (let round = 0; round < 3; round++) {
      await declare('moving', places[0].uri);
      const client = await inSession('moving', {});
      await known('moving', client);
      await lanes.api('PATCH', '/v1/workers/moving', { mcp: { uri: places[1].uri } });
      assert.deepEqual(await reached(client), [0, 3]);
      await known('moving', client);
      await lanes.api('PATCH', '/v1/workers/moving', { enabled: false });
      assert.deepEqual(await reached(client), [0, 0]);
      await lanes.api('PATCH', '/v1/workers/moving', { enabled: true });
      await healthy('moving');
      await anew();
      await known('moving', client);
      assert.deepEqual(await reached(client), [0, 3]);
      const { body } = await lanes.api('GET', '/v1/gateways');
      const { id } = body.items.find(({ slug }: Json) => slug === 'moving');
      assert.equal((await lanes.api('DELETE', '/v1/workers/moving')).status, 204);
      assert.deepEqual(await reached(client), [0, 0]);
      await lanes.api('DELETE', `/v1/gateways/${id}`);
      await anew();
    }
    for (const place of places) await place.close();
  });

  test('that is begun anew is called as before, by all', async () => {
    for (const kind of ['modern', 'stateless'] as const) {
      const client = await inSession(kind, {});
      await known(kind, client);
      const port = Number(new URL(servers[kind].uri).port);
      await servers[kind].close();
      for (const body of await each(kind, client)) assert.equal(body.result?.isError ?? true, true);
      servers[kind] = await start(kind, port);
      await healthy(kind);
      await known(kind, client);
    }
  });

  test('that keeps sessions from now on, or speaks the other generation, loses no call, and goes to the office', async () => {
    const first = await start('stateless');
    const port = Number(new URL(first.uri).port);
    await declare('changing', first.uri);
    let running = first;
    for (const kind of ['stateless', 'stateful', 'modern', 'stateful'] as const) {
      await running.close();
      running = await start(kind, port);
      await healthy('changing');
      const client = await inSession('changing', {});
      for (const body of await each('changing', client))
        assert.equal(body.result.isError ?? false, false, kind);
      if (kind !== 'stateful') await known('changing', client);
      else while ((await servedOnEach('changing', client)).some((name) => name !== 'office'));
    }
    await running.close();
  });
});

test('a lane that is killed takes its calls with it, and the one after it calls as before', async () => {
  const client = await inSession('modern', {});
  await known('modern', client);
  const [came, told] = [once(servers.modern.events, 'calling'), once(servers.modern.events, 'cancelled')];
  const calling = calls('lane-1', client, 'modern', 'Wait');
  await came;
  const served = lanes.pids().length;
  const [line] = lanes.lines().filter(({ lane, msg }) => lane === 'lane-1' && msg === 'a lane serves');
  process.kill(line?.pid, 'SIGKILL');
  await assert.rejects(calling);
  await told;
  await lanes.served(served + 1);
  await anew();
  await known('modern', client);
  assert.deepEqual(await servedOnEach('modern', client), processNames);
});
