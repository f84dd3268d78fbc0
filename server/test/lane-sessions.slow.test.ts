import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Connection } from './connections.ts';
import { type HeldWorker, startHeldWorker } from './held-worker.ts';
import { asAlice, auth, type Lanes, type ProcessName, processNames, startLanes, traceOf } from './lanes.ts';
import { type Json, modern } from './start-app.ts';

/** Clients with a session, whose calls any process serves. */

const versions = ['2025-03-26', '2025-06-18', '2025-11-25'];
let worker: HeldWorker;
let lanes: Lanes;
/** One for each process, by the name it has in the log. */
let at: Readonly<Record<ProcessName, Connection>>;
let texts = 0;

before(async () => {
  worker = await startHeldWorker();
  lanes = await startLanes(worker.uri);
  at = await lanes.ofEach(call());
});
after(async () => {
  lanes?.close();
  await worker.stop();
});

const unique = () => `text-${++texts}`;
const call = (id: string | number = 1, args: Json = { text: unique() }, name = 'Kit_Read') => ({
  id,
  method: 'tools/call',
  params: { name, arguments: args },
});

async function servedBy(connection: Connection, headers: Record<string, string> = {}): Promise<string> {
  return lanes.servedBy(await connection.post('/mcp/main', call(), headers));
}

async function open(protocolVersion = '2025-11-25', by: Record<string, string> = asAlice): Promise<Headers> {
  const params = { protocolVersion, capabilities: { roots: {} }, clientInfo: { name: 't', version: '1' } };
  const [one] = lanes.open(1, by).all as [Connection];
  const answer = await one.post('/mcp/main', { id: 0, method: 'initialize', params });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return { 'mcp-session-id': String(answer.headers['mcp-session-id']) };
}
type Headers = Record<string, string>;

/** Lanes serve in it from now on. */
async function known(session: Headers): Promise<void> {
  for (const lane of ['lane-1', 'lane-2'] as const) while ((await servedBy(at[lane], session)) !== lane);
}

async function remove(session: Headers): Promise<Response> {
  return fetch(`${lanes.server.url}/mcp/main`, { method: 'DELETE', headers: { ...asAlice, ...session } });
}

const nameOf = ({ body }: { body: Json }) => body?.error?.data?.name;

describe('a session', () => {
  test('is served by the process that has the connection, from the second request on', async () => {
    const session = await open();
    await known(session);
    for (const name of processNames)
      for (let round = 0; round < 3; round++) assert.equal(await servedBy(at[name], session), name);
  });

  test('gets the same answers, in bytes, and the same records from every process', async () => {
    for (const version of versions) {
      const session = await open(version);
      await known(session);
      for (const [what, message, more = {}] of conversation(version)) {
        const [office, lane] = await Promise.all(
          [at.office, at['lane-1']].map((one) => one.post('/mcp/main', message, { ...session, ...more })),
        );
        assert.deepEqual(comparable(lane as Json), comparable(office as Json), `${version}: ${what}`);
        const [there, here] = await Promise.all([lane, office].map((one) => recordsOf(one as Json)));
        assert.equal(here?.length, unrecorded.has(what) ? 0 : 1, `${version}: ${what}`);
        assert.deepEqual(there, here, `${version}: ${what}`);
      }
    }
  });

  test('is refused by every process once the client has ended it', async () => {
    for (let round = 0; round < 5; round++) {
      const session = await open();
      await known(session);
      assert.equal((await remove(session)).status, 204);
      for (const name of ['lane-1', 'lane-2', 'office'] as const) {
        const answer = await at[name].post('/mcp/main', call(), session);
        assert.deepEqual([answer.status, nameOf(answer)], [404, 'session.unknown'], name);
      }
    }
  });

  test('that is ended ends its calls in every process', async () => {
    const session = await open();
    await known(session);
    const before = worker.cut();
    const held = [unique(), unique(), unique()];
    const calls = held.map((text, nth) => {
      const name = processNames[nth] as ProcessName;
      return at[name].post('/mcp/main', call(nth, { text, held: true }), session);
    });
    await Promise.all(held.map(worker.arrived));
    assert.equal((await remove(session)).status, 204);
    for (const answer of await Promise.all(calls)) assert.equal(answer.body, null);
    while (worker.cut() < before + 3) await lanes.api('GET', '/v1/health');
  });

  test('a call is cancelled where it runs, whichever process hears of that', async () => {
    const session = await open();
    await known(session);
    const [further] = lanes.open(1).all as [Connection];
    for (const running of processNames) {
      for (const id of [7, 'seven', 's'.repeat(1000)]) {
        const text = unique();
        const before = worker.cut();
        const calling = at[running].post('/mcp/main', call(id, { text, held: true }), session);
        await worker.arrived(text);
        const other = processNames.find((name) => name !== running) as ProcessName;
        const cancelled = { method: 'notifications/cancelled', params: { requestId: id } };
        for (const one of [at[other], further])
          assert.equal((await one.post('/mcp/main', cancelled, session)).status, 202);
        assert.equal((await calling).body, null, `${running} ${id}`);
        while (worker.cut() === before) await lanes.api('GET', '/v1/health');
      }
    }
  });

  test('a call of one session is not cancelled by another', async () => {
    const [mine, other] = [await open(), await open()];
    await known(mine);
    await known(other);
    const text = unique();
    const calling = at['lane-1'].post('/mcp/main', call(9, { text, held: true }), mine);
    await worker.arrived(text);
    const cancelled = { method: 'notifications/cancelled', params: { requestId: 9 } };
    assert.equal((await at['lane-2'].post('/mcp/main', cancelled, other)).status, 202);
    await lanes.api('GET', '/v1/health');
    worker.release(text);
    assert.notEqual((await calling).body?.result, undefined);
  });

  test('keeps what it set, whichever process is asked', async () => {
    const session = await open();
    await known(session);
    const setting = { id: 1, method: 'logging/setLevel', params: { level: 'error' } };
    for (const one of Object.values(at))
      assert.deepEqual((await one.post('/mcp/main', setting, session)).body.result, {});
    await known(session);
  });

  test('is counted once, however many processes serve in it', async () => {
    const counted = async () => {
      const text = await (await fetch(`${lanes.server.url}/metrics`)).text();
      return Number(/^sallyport_mcp_sessions (\d+)$/m.exec(text)?.[1]);
    };
    const before = await counted();
    const session = await open();
    await known(session);
    assert.equal(await counted(), before + 1);
    await remove(session);
    assert.equal(await counted(), before);
  });

  test('leaves no connection with one process for good', async () => {
    for (let round = 0; round < 6; round++) {
      const session = await open();
      const answer = await remove(session);
      assert.equal(answer.headers.get('connection'), 'close');
    }
  });
});

describe('a session of somebody else', () => {
  test('is worth nothing to another user, key or gateway, though lanes serve in it', async () => {
    await lanes.api('POST', '/v1/gateways', { name: 'Other', slug: 'other' });
    const { body: key } = await lanes.api('POST', '/v1/api_keys', { name: 'other', scopes: ['call'] });
    const session = await open();
    await known(session);
    const others: [string, Record<string, string>][] = [
      ['/mcp/main', { ...auth, 'arcade-user-id': 'mallory' }],
      ['/mcp/main', { authorization: `Bearer ${key.key}`, 'arcade-user-id': 'alice' }],
      ['/mcp/other', asAlice],
    ];
    const ran = worker.ran.Read.length;
    for (const [path, by] of others) {
      for (const one of lanes.open(3, by).all) {
        // Who comes for the first time is known the next time.
        for (let round = 0; round < 3; round++) {
          const answer = await one.post(path, call(), session);
          assert.deepEqual([answer.status, nameOf(answer)], [404, 'session.unknown']);
        }
      }
    }
    assert.equal(worker.ran.Read.length, ran);
  });

  test('is not opened by an id that was changed in any place', async () => {
    const { 'mcp-session-id': id } = (await open()) as { 'mcp-session-id': string };
    await known({ 'mcp-session-id': id });
    const flipped = (place: number) =>
      id.slice(0, place) + (id[place] === 'A' ? 'B' : 'A') + id.slice(place + 1);
    const places = Array.from({ length: 12 }, (_, nth) => Math.floor((nth * (id.length - 2)) / 11));
    for (const forged of [...places.map(flipped), id.slice(1), `${id}A`, `${id}${id}`, 'x']) {
      for (const name of ['lane-1', 'lane-2'] as const) {
        const answer = await at[name].post('/mcp/main', call(), { 'mcp-session-id': forged });
        assert.deepEqual([answer.status, nameOf(answer)], [404, 'session.unknown'], forged);
      }
    }
  });

  test('a key that is revoked is refused in its sessions on the next call, in every process', async () => {
    const { body: key } = await lanes.api('POST', '/v1/api_keys', { name: 'short', scopes: ['call'] });
    const by = { authorization: `Bearer ${key.key}`, 'arcade-user-id': 'alice' };
    const session = await open('2025-11-25', by);
    const { all } = lanes.open(9, by);
    const each = () => Promise.all(all.map((one) => one.post('/mcp/main', call(), session)));
    for (let round = 0; round < 3; round++) for (const { status } of await each()) assert.equal(status, 200);
    await lanes.api('DELETE', `/v1/api_keys/${key.id}`);
    assert.deepEqual(new Set((await each()).map(({ status }) => status)), new Set([401]));
  });
});

/** Methods that nobody is asked about. */
const unrecorded: ReadonlySet<string> = new Set(['ping']);

/** What the same client may say, and what is not to be understood. */
function conversation(version: string): [string, object, Headers?][] {
  const { message, headers } = modern('tools/call', call().params);
  const text = 'the same for all';
  const batch = { id: 5, method: 'ping' };
  return [
    ['ping', { id: 1, method: 'ping' }],
    ['tools/list', { id: 2, method: 'tools/list' }],
    ['a cursor of nobody', { id: 2, method: 'tools/list', params: { cursor: 'x' } }],
    ['tools/call', call(3, { text })],
    ['tools/call, and its version', call(3, { text }), { 'mcp-protocol-version': version }],
    ['tools/call, of another version', call(3, { text }), { 'mcp-protocol-version': '2025-03-26' }],
    ['tools/call, of no version', call(3, { text }), { 'mcp-protocol-version': '2020-01-01' }],
    ['tools/call, without a stream', call(3, { text }), { accept: 'application/json' }],
    ['tools/call, of no media type', call(3, { text }), { 'content-type': 'text/plain' }],
    ['tools/call, with an id of text', call('é"', { text })],
    ['tools/call, with a token for progress', withMeta(call(4, { text }), { progressToken: 1 })],
    ['wrong arguments', call(5, { text: 5 })],
    ['arguments that are none', call(5, 'x')],
    ['no such tool', call(6, {}, 'Kit_None')],
    ['a call as a task', { ...call(7), params: { ...call().params, arguments: { text }, task: {} } }],
    ['no such method', { id: 8, method: 'no/such' }],
    ['what does not exist', { id: 9, method: 'resources/read', params: { uri: 'x:y' } }],
    ['a wrong level', { id: 10, method: 'logging/setLevel', params: { level: 'x' } }],
    ['the other generation', message, headers],
    ['no request', { ...batch, jsonrpc: '1.0' }],
  ];
}

function withMeta(message: ReturnType<typeof call>, _meta: object): object {
  return { ...message, params: { ...message.params, _meta } };
}

/** All but what is another with each answer. */
function comparable({ status, headers, body }: Json): Json {
  const { date: _date, traceresponse: _trace, traceparent: _parent, ...same } = headers;
  return { status, headers: same, body };
}

async function recordsOf(answer: Json): Promise<Json[]> {
  const traceId = traceOf(answer);
  const { body } = await lanes.api('GET', '/v1/audit_events?limit=20');
  return body.items
    .filter(({ trace_id }: Json) => trace_id === traceId)
    .map(({ id, time, execution_id, trace_id, duration_ms, ...same }: Json) => same);
}
