import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { after, before, describe, test } from 'node:test';
import type { Caller } from '#domain';
import { createSealer, manualClock } from '#foundation';
import type { Announcement } from '#sources';
import type { Db } from '#storage';
import { silentLog } from '#telemetry';
import { openTestDatabase } from '../../../../test/database.ts';
import type { Exchange } from '../exchange.ts';
import type { SessionNews } from './among-processes.ts';
import type { Session } from './session.ts';
import { createSessions, type Sessions } from './sessions.ts';

function caller(keyId: string, userId: string): Caller {
  return { principal: { id: keyId }, userId } as Caller;
}
const alice = caller('key_1', 'alice');
const bob = caller('key_2', 'bob');
const limits = { idleMs: 60_000, total: 3, perPrincipal: 2 };
const said = { version: '2025-11-25', capabilities: '{"roots":{}}', clientName: 'test' } as const;
const dayMs = 24 * 60 * 60_000;

/** The clock of a process that begins so many days later. */
const days = (count: number) => manualClock(manualClock().now() + count * dayMs);

describe('sessions', () => {
  let db: Db;
  before(async () => {
    db = await openTestDatabase();
  });
  after(() => db.close());

  /** One process of the installation: replicas share the key and the database. Of one server, each is told by the first. */
  function replica(clock = manualClock(), own: typeof limits | undefined = limits, beside: Sessions[] = []) {
    const tell = async (news: SessionNews) => {
      for (const sessions of beside) sessions.heard(news);
    };
    const over: string[] = [];
    const listeners: ((announcement: Announcement) => void)[] = [];
    const sources = {
      endConversation: (conversation: string) => void over.push(conversation),
      onAnnouncement(listener: (announcement: Announcement) => void) {
        listeners.push(listener);
        return () => {};
      },
    };
    const sealer = createSealer(Buffer.alloc(32, 7));
    const sessions = createSessions({ clock, sealer, db, sources, log: silentLog, tell }, own);
    return { clock, sessions, over };
  }

  function opened(sessions: Sessions, by = alice): Session {
    const session = sessions.open(by, 'gw_1', said);
    assert.ok(session.ok);
    return session.value;
  }
  async function found(sessions: Sessions, { sealedId }: Session, by = alice): Promise<Session | null> {
    const session = await sessions.find(sealedId, by, 'gw_1');
    if (!session.ok) assert.equal(session.error.code, 'session.unknown');
    return session.ok ? session.value : null;
  }

  test('an id is short enough for a header, and only of letters, digits, - and _', () => {
    const { sealedId } = opened(replica().sessions);
    assert.match(sealedId, /^[A-Za-z0-9_-]{1,400}$/);
  });

  test('an idle session costs no memory, and is the same again when its id is used again', async () => {
    const { clock, sessions, over } = replica();
    const [idle, used] = [opened(sessions), opened(sessions)];
    clock.advance(40_000);
    assert.equal(await found(sessions, used), used);
    clock.advance(40_000);
    assert.equal(sessions.size(), 1);
    assert.deepEqual(over, [idle.id]);
    const again = await found(sessions, idle);
    assert.notEqual(again, idle);
    assert.deepEqual(
      [again?.id, again?.version, again?.capabilities],
      [idle.id, '2025-11-25', { roots: {} }],
    );
  });

  test('an idle session goes at its time, also behind one whose stream closed late', async () => {
    const { clock, sessions, over } = replica();
    const [listening, idle] = [opened(sessions), opened(sessions)];
    clock.advance(59_000);
    sessions.touch(listening);
    clock.advance(10_000);
    assert.deepEqual(over, [idle.id]);
  });

  test('a session is worth nothing to another key, user or gateway, in memory or not', async () => {
    const first = replica();
    const session = opened(first.sessions);
    for (const { sessions } of [first, replica()]) {
      assert.equal(await found(sessions, session, caller('key_2', 'alice')), null);
      assert.equal(await found(sessions, session, caller('key_1', 'bob')), null);
      assert.equal((await sessions.find(session.sealedId, alice, 'gw_2')).ok, false);
      assert.notEqual(await found(sessions, session), null);
    }
  });

  test('a forged, cut or lengthened id is refused', async () => {
    const { sessions } = replica();
    const { sealedId } = opened(sessions);
    const other = sealedId.startsWith('A') ? 'B' : 'A';
    for (const id of ['', 'x', sealedId.slice(0, -1), `${sealedId}A`, other + sealedId.slice(1)]) {
      assert.equal((await sessions.find(id, alice, 'gw_1')).ok, false, id);
    }
  });

  test('an id is good for thirty days, in memory or not', async () => {
    const session = opened(replica().sessions);
    const { clock, sessions } = replica(days(30));
    assert.notEqual(await found(sessions, session), null);
    clock.advance(1000);
    assert.equal(await found(sessions, session), null);
    clock.advance(dayMs);
    assert.equal(await found(sessions, session), null);
  });

  test('a session that was ended is refused here, after a restart, and at a replica that has it in use', async () => {
    const [here, there] = [replica(), replica()];
    const session = opened(here.sessions);
    assert.notEqual(await found(there.sessions, session), null);
    await here.sessions.end(session);
    assert.equal(await found(here.sessions, session), null);
    assert.equal(await found(replica().sessions, session), null);
    there.clock.advance(10_000);
    await ended(there.over, session.id);
    assert.equal(await found(there.sessions, session), null);
  });

  /** What a clock sets off reads the database, and is awaited by asking for something there. */
  async function ended(over: readonly string[], id: string): Promise<void> {
    while (!over.includes(id)) await db.query('select 1');
  }

  test('log level and subscriptions outlive the process, and reach a replica', async () => {
    const [here, there] = [replica(), replica()];
    const session = opened(here.sessions);
    const other = (await found(there.sessions, session)) as Session;
    await here.sessions.setLogLevel(session, 'error');
    await here.sessions.keepSubscription(session, 'mem://a');
    await here.sessions.keepSubscription(session, 'mem://b');
    await here.sessions.forgetSubscription(session, 'mem://a');
    there.clock.advance(10_000);
    while (other.logLevel === null) await db.query('select 1');
    const restarted = await found(replica().sessions, session);
    for (const one of [other, restarted]) {
      assert.equal(one?.logLevel, 'error');
      assert.deepEqual([...(one?.subscriptions.keys() ?? [])], ['mem://b']);
    }
  });

  test('what a replica wrote takes nothing from one that wrote in the meantime', async () => {
    const [here, there] = [replica(), replica()];
    const session = opened(here.sessions);
    const other = (await found(there.sessions, session)) as Session;
    session.subscriptions.set('mem://a', { stored: true, release: null, isTaking: false });
    await here.sessions.keepSubscription(session, 'mem://a');
    await there.sessions.keepSubscription(other, 'mem://b');
    here.clock.advance(10_000);
    while (session.subscriptions.size < 2) await db.query('select 1');
    assert.deepEqual([...session.subscriptions.keys()], ['mem://a', 'mem://b']);
  });

  test('rows go when no id that they are about is good any more', async () => {
    const { sessions } = replica();
    const session = opened(sessions);
    await sessions.keepSubscription(session, 'mem://a');
    await sessions.end(session);
    const { clock } = replica(days(29));
    const rows = () => db.query('select id from sessions where id = $1', [session.id]);
    clock.advance(dayMs);
    await db.query('select 1');
    assert.equal((await rows()).length, 1);
    clock.advance(2 * dayMs);
    while ((await rows()).length > 0);
  });

  test('at the cap of a key its own longest idle session makes room, not that of another', () => {
    const { sessions, over } = replica();
    const ofBob = opened(sessions, caller('key_2', 'bob'));
    const [first] = [1, 2, 3].map(() => opened(sessions));
    assert.deepEqual(over, [first?.id]);
    assert.equal(sessions.size(), 3);
    assert.equal(ofBob.isOver, false);
  });

  test('sessions with a call under way are not sacrificed; then one more is refused, new or known', async () => {
    const { sessions } = replica();
    for (const id of [1, 2]) opened(sessions).pending.set(id, new AbortController());
    const known = opened(replica().sessions);
    for (const refused of [
      sessions.open(alice, 'gw_1', said),
      await sessions.find(known.sealedId, alice, 'gw_1'),
    ]) {
      assert.equal(!refused.ok && refused.error.code, 'session.limit');
    }
  });

  test('requests that arrive together find one session', async () => {
    const session = opened(replica().sessions);
    const { sessions } = replica();
    const both = await Promise.all([1, 2].map(() => found(sessions, session)));
    assert.equal(both[0], both[1]);
    assert.equal(sessions.size(), 1);
  });

  test('ending a session aborts its calls, and releases what it subscribed to', async () => {
    const { sessions } = replica();
    const session = opened(sessions);
    const controller = new AbortController();
    let released = 0;
    session.pending.set(1, controller);
    session.subscriptions.set('mem://a', { stored: true, release: () => released++, isTaking: false });
    await sessions.end(session);
    assert.deepEqual([controller.signal.aborted, released, sessions.size()], [true, 1, 0]);
  });

  describe('in several processes of one server', () => {
    /** The one that ends sessions, and one that serves in them beside it. */
    function server() {
      const lane = replica();
      const office = replica(manualClock(), limits, [lane.sessions]);
      return { lane, office };
    }

    test('a session that is ended is refused by all before that is confirmed, and its calls end there', async () => {
      const { lane, office } = server();
      const session = opened(office.sessions);
      const there = (await found(lane.sessions, session)) as Session;
      const call = new AbortController();
      there.pending.set(1, call);
      await office.sessions.end(session);
      assert.equal(call.signal.aborted, true);
      assert.equal(await found(lane.sessions, session), null);
    });

    test('a session that is ended while another process looks it up is not known there', async () => {
      const { lane, office } = server();
      const session = opened(office.sessions);
      const finding = lane.sessions.find(session.sealedId, alice, 'gw_1');
      assert.ok(finding instanceof Promise);
      // What was read before it was ended is still on its way.
      lane.sessions.heard({ kind: 'ended', id: session.id });
      assert.equal((await finding).ok, false);
      assert.equal(lane.sessions.size(), 0);
    });

    test('a request is taken back where it is served, and no other', async () => {
      const { lane, office } = server();
      const session = opened(office.sessions);
      const there = (await found(lane.sessions, session)) as Session;
      const calls = ['1', 1, 2].map((id) => {
        const call = new AbortController();
        (id === 2 ? session : there).pending.set(id, call);
        return call;
      });
      office.sessions.cancel(session, 1);
      assert.deepEqual(
        calls.map(({ signal }) => signal.aborted),
        [false, true, false],
      );
      office.sessions.cancel(session, 2);
      office.sessions.cancel(session, 'x'.repeat(1000));
      assert.deepEqual(
        calls.map(({ signal }) => signal.aborted),
        [false, true, true],
      );
    });

    test('others hear of an answer to what one of them asked in that session, and of no other', async () => {
      const heard: SessionNews[] = [];
      const { lane } = server();
      const listening = { heard: (news: SessionNews) => void heard.push(news) } as Sessions;
      const office = replica(manualClock(), limits, [lane.sessions, listening]);
      const [session, other] = [opened(office.sessions), opened(office.sessions, bob)];
      const there = (await found(lane.sessions, session)) as Session;
      const asked: string[] = [];
      const say = ({ id }: { id: string }) => asked.push(id) > 0;
      const exchange = { response: new EventEmitter(), acceptsStream: true, say } as unknown as Exchange;
      const { signal } = new AbortController();
      const question = lane.sessions.ask(there, exchange, { method: 'roots/list' }, signal);
      const [id] = asked as [string];
      const large = { result: { roots: [] } };
      for (const guess of [1, 'x', '0'.repeat(id.length), `${id.slice(0, -1)}-`, id.slice(0, 24)])
        office.sessions.answer(session, guess, large);
      office.sessions.answer(other, id, { result: {} });
      assert.deepEqual(heard, []);
      for (let nth = 0; nth < 200; nth++) office.sessions.answer(session, id, large);
      assert.deepEqual(await question, large);
      assert.equal(heard.length, 1, 'it is on its way');
    });

    test('a session that is used in one process is not idle in the other', async () => {
      const { lane, office } = server();
      const [used, idle] = [opened(office.sessions), opened(office.sessions, bob)];
      for (const [session, by] of [[used, alice] as const, [idle, bob] as const])
        await found(lane.sessions, session, by);
      for (const { clock } of [lane, office]) clock.advance(40_000);
      const since = lane.clock.now();
      await found(lane.sessions, used);
      office.sessions.usedElsewhere(lane.sessions.usedSince(since));
      for (const { clock } of [lane, office]) clock.advance(40_000);
      assert.deepEqual(office.over, [idle.id]);
    });
  });
});
