import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { ExecutionResponse } from '@sallyport/contracts';
import { manualClock } from '#foundation';
import { createMetrics } from '#telemetry';
import {
  askingAs,
  countedIn,
  executionsOf,
  requestOf,
  sharedDb,
  withoutHub,
} from '../../../test/executing.ts';
import { type HeldWorker, startHeldWorker } from '../../../test/held-worker.ts';
import { startApp, type TestApp } from '../../../test/start-app.ts';
import type { Asking, Executions } from './contract.ts';

/** Executions of several processes on one database. Each has a clock of its own: one whose clock stands still says nothing more. */

let worker: HeldWorker;
let app: TestApp;
let alice: Asking;
const opened: Executions[] = [];

before(async () => {
  worker = await startHeldWorker();
  app = await startApp(
    `
workers:
  - { id: kit, http: { uri: "${worker.uri}", secret: s, timeout: 60 } }
gateways:
  - { name: Main, slug: main, tool_filter: { allowed_tools: ["Kit.*"] } }
`,
    { env: withoutHub },
  );
  await app.app.rooms.sources.refresh('default', 'kit');
  alice = askingAs(app, 'alice', 'main');
});
afterEach(async () => {
  for (const executions of opened.splice(0)) await executions.close(0);
});
after(async () => {
  await app?.close();
  await worker?.stop();
});

async function process(startMs = Date.now(), db = sharedDb(app)) {
  const clock = manualClock(startMs);
  const metrics = createMetrics();
  const executions = await executionsOf(app, clock, { db, metrics });
  opened.push(executions);
  return { executions, clock, metrics };
}
/** One that begins when the leases of those before have run out. */
const laterProcess = () => process(Date.now() + 60_000);

type More = Parameters<typeof requestOf>[4] & { asking?: Asking };
async function execute(
  executions: Executions,
  name: string,
  text: string,
  { asking = alice, ...more }: More = {},
) {
  const request = requestOf(app, asking, name, { text, held: true }, more);
  const answer = await executions.execute(asking, request);
  return answer.ok ? answer.value : assert.fail(JSON.stringify(answer.error));
}
async function look(executions: Executions, id: string, asking = alice): Promise<ExecutionResponse> {
  const answer = await executions.look(asking, id);
  return answer.ok ? answer.value : assert.fail(JSON.stringify(answer.error));
}
async function until(executions: Executions, id: string, wanted: string, asking = alice) {
  for (;;) {
    const now = await look(executions, id, asking);
    if (now.status === wanted) return now;
  }
}
/** Who calls `Kit.Write` with this text has to be approved first. */
async function askedFirst(text: string) {
  const { rules, approvals } = app.app.rooms.policy;
  const rule = await rules.create('default', {
    ...{ name: 'ask', direction: 'input', tools: ['Kit.Write'], action: 'approve' },
    ...{ approvers: [{ user: 'boss' }], condition: `arguments.text == '${text}'` },
  });
  const boss = { userId: 'boss', groups: [], claims: {} };
  return {
    approve: (id = '') => approvals.decide('default', id, boss, 'approved', ''),
    forget: () => rules.remove('default', rule.id),
  };
}
/** What comes of it, while time passes for who waits. */
async function passing(
  answer: ReturnType<Executions['cancel']>,
  { clock }: { readonly clock: ReturnType<typeof manualClock> },
  also = () => {},
): Promise<ExecutionResponse> {
  let isDone = false;
  answer.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    also();
    clock.advance(250);
    // Behind what they asked for: time must not pass faster than the database answers.
    await app.app.rooms.db.query('select 1');
  }
  const given = await answer;
  return given.ok ? given.value : assert.fail(JSON.stringify(given.error));
}
const runs = (name: 'Write' | 'Put', text: string) => worker.ran[name].filter((one) => one === text).length;

describe('when a process is gone', () => {
  it('what had an effect, and was begun, is never begun again, and nobody knows how it ended', async () => {
    const first = await process();
    const { execution_id: id } = await execute(first.executions, 'Kit.Write', 'gone 1', { wait_ms: 0 });
    await worker.arrived('gone 1');
    const second = await laterProcess();
    const { status, error, advice } = await look(second.executions, id);
    assert.deepEqual([status, error?.name], ['unknown', 'source.interrupted']);
    assert.match(advice ?? '', /look in the other system/);
    for (let n = 0; n < 3; n++) second.clock.advance(60_000);
    await until(second.executions, id, 'unknown');
    assert.equal(runs('Write', 'gone 1'), 1);
    const [record] = await app.records(`&execution_id=${id}`);
    assert.deepEqual(
      [record.decision, record.code, record.user_id],
      ['failed', 'source.interrupted', 'alice'],
    );
    // It was there after all, and knows better.
    worker.release('gone 1');
    assert.equal((await until(second.executions, id, 'succeeded')).output, 'gone 1');
  });

  it('what does no harm is begun again, so often at most', async () => {
    const first = await process();
    const { execution_id: id } = await execute(first.executions, 'Kit.Put', 'gone 2', { wait_ms: 0 });
    const all = [first];
    for (let attempt = 2; attempt <= 3; attempt++) {
      all.push(await process(Date.now() + attempt * 60_000));
      while (runs('Put', 'gone 2') < attempt) await look(first.executions, id);
    }
    const last = await process(Date.now() + 4 * 60_000);
    assert.equal((await look(last.executions, id)).status, 'unknown');
    assert.equal(runs('Put', 'gone 2'), 3);
    worker.release('gone 2');
    await until(last.executions, id, 'succeeded');
    // Each end is counted where it was one: not by those from whom it was taken.
    for (const { executions } of all) await executions.close(60_000);
    const counted = [...all, last].map(({ metrics }) => countedIn(metrics));
    assert.deepEqual(await Promise.all(counted), [{}, {}, { succeeded: 1 }, { unknown: 1 }]);
  });

  it('what was accepted, and not begun, is begun by another', async () => {
    const db = sharedDb(app);
    // It dies before it says that it begins.
    const dying = {
      ...db,
      query: (sql: string, params?: readonly unknown[]) =>
        isBegin(sql) ? Promise.reject(new Error('gone')) : db.query(sql, params),
    };
    const first = await process(Date.now(), dying as typeof db);
    const { execution_id: id } = await execute(first.executions, 'Kit.Write', 'gone 3', { mode: 'async' });
    assert.equal((await look(first.executions, id)).status, 'pending');
    const second = await laterProcess();
    worker.release('gone 3');
    assert.equal((await until(second.executions, id, 'succeeded')).output, 'gone 3');
    assert.equal(runs('Write', 'gone 3'), 1);
  });

  it('what was accepted, and whose process begins it late, is begun once', async () => {
    const db = sharedDb(app);
    const held = Promise.withResolvers<void>();
    let late: Promise<unknown> | null = null;
    // So long does the database keep it from saying that it begins that it takes it for one whose process is gone.
    const query = (sql: string, params?: readonly unknown[]) => {
      if (late !== null || !isBegin(sql)) return db.query(sql, params);
      late = held.promise.then(() => db.query(sql, params));
      return late;
    };
    const { executions, clock } = await process(Date.now(), { ...db, query } as typeof db);
    const { execution_id: id } = await execute(executions, 'Kit.Write', 'late', { mode: 'async' });
    while (runs('Write', 'late') < 1) {
      clock.advance(5000);
      await db.query('select 1');
    }
    held.resolve();
    assert.deepEqual(await late, []);
    worker.release('late');
    assert.equal((await until(executions, id, 'succeeded')).output, 'late');
    assert.equal(runs('Write', 'late'), 1);
  });

  it('what waits waits on, and any process goes on with it once', async () => {
    const { approve, forget } = await askedFirst('gone 4');
    const first = await process();
    const { execution_id: id, approval_id } = await execute(first.executions, 'Kit.Write', 'gone 4');
    const others = [await laterProcess(), await laterProcess()];
    worker.release('gone 4');
    await approve(approval_id);
    const all = [first, ...others].map(({ executions }) => executions.resume(alice, id, null, 0));
    await Promise.all(all);
    await until(first.executions, id, 'succeeded');
    assert.equal(runs('Write', 'gone 4'), 1);
    await forget();
  });

  it('what came out, and could not be put on record, is nothing that anybody knows', async () => {
    const { rooms } = app.app;
    const unrecorded = {
      ...rooms.pipeline,
      callTool: async (call: Parameters<typeof rooms.pipeline.callTool>[0]) => {
        await rooms.pipeline.callTool(call);
        throw new Error('The audit journal cannot be written');
      },
    };
    const full = { ...app, app: { ...app.app, rooms: { ...rooms, pipeline: unrecorded } } };
    const first = await executionsOf(full as TestApp, manualClock(), { db: sharedDb(app) });
    opened.push(first);
    const { execution_id: id } = await execute(first, 'Kit.Write', 'unrecorded', { mode: 'async' });
    worker.release('unrecorded');
    await worker.arrived('unrecorded');
    const { status, error } = await until((await laterProcess()).executions, id, 'unknown');
    assert.deepEqual([status, error?.name], ['unknown', 'source.interrupted']);
    assert.equal(runs('Write', 'unrecorded'), 1);
  });

  it('a caller who would not be let in any more has nothing begun for them', async () => {
    const { identity } = app.app.rooms;
    const { key, plaintext } = await identity.createKey({
      ...{ projectId: 'default', name: 'k', scopes: ['call'], users: null, gateways: null, tools: null },
      ...{ serviceAccountId: null, expiresAt: null },
    });
    const asking = askingAs(app, 'alice', 'main', plaintext);
    const first = await process();
    const { execution_id: id } = await execute(first.executions, 'Kit.Put', 'gone 5', { asking, wait_ms: 0 });
    await worker.arrived('gone 5');
    await identity.revokeKey('default', key.id);
    const second = await laterProcess();
    const { status, error } = await look(second.executions, id, asking);
    assert.deepEqual([status, error?.name, runs('Put', 'gone 5')], ['failed', 'identity.invalid', 1]);
    worker.release('gone 5');
  });

  it('a caller who may not have the tool any more has nothing begun for them', async () => {
    const first = await process();
    const { execution_id: id } = await execute(first.executions, 'Kit.Put', 'gone 6', { wait_ms: 0 });
    await worker.arrived('gone 6');
    const gateway = app.app.rooms.catalog.view('main')?.gateway;
    const { catalog } = app.app.rooms;
    const restricted = {
      ...app,
      app: { ...app.app, rooms: { ...app.app.rooms, catalog: { ...catalog, view: () => null } } },
    };
    const second = await executionsOf(restricted as TestApp, manualClock(Date.now() + 60_000), {
      db: sharedDb(app),
    });
    opened.push(second);
    const { error } = await until(second, id, 'failed');
    assert.deepEqual(
      [error?.name, runs('Put', 'gone 6'), gateway?.slug],
      ['catalog.tool_unknown', 1, 'main'],
    );
    worker.release('gone 6');
  });
});

describe('processes on one database', () => {
  it('have one effect for one key, and each gets the answer', async () => {
    const [one, other] = [await process(), await process()];
    const more = { idempotency_key: 'shared' };
    const all = Array.from({ length: 100 }, (_, n) =>
      execute((n % 2 === 0 ? one : other).executions, 'Kit.Write', 'shared', more),
    );
    await worker.arrived('shared');
    worker.release('shared');
    let isDone = false;
    const answers = Promise.all(all).finally(() => {
      isDone = true;
    });
    // Who waits for the other process looks again as time passes.
    while (!isDone) {
      for (const { clock } of [one, other]) clock.advance(250);
      // Behind what they asked for: time must not pass faster than the database answers.
      await app.app.rooms.db.query('select 1');
    }
    assert.deepEqual(new Set((await answers).map(({ output }) => output)), new Set(['shared']));
    assert.equal(runs('Write', 'shared'), 1);
  });

  it('cancel what another of them runs', async () => {
    const [one, other] = [await process(), await process()];
    const { execution_id: id } = await execute(one.executions, 'Kit.Write', 'cancelled', { wait_ms: 0 });
    await worker.arrived('cancelled');
    // It says that it is there, and hears what is wanted.
    const { status } = await passing(other.executions.cancel(alice, id), other, () =>
      one.clock.advance(5000),
    );
    assert.equal(status, 'cancelled');
    worker.release('cancelled');
  });

  it('cancel what comes to wait at that moment, and never go on with it', async () => {
    const { approve, forget } = await askedFirst('too late');
    const db = sharedDb(app);
    const [settles, waits] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    // It is slow to say that it waits.
    const query = async (sql: string, params?: readonly unknown[]) => {
      if (!/waiting_for = new/.test(sql)) return db.query(sql, params);
      settles.resolve();
      await waits.promise;
      return db.query(sql, params);
    };
    const one = await process(Date.now(), { ...db, query } as typeof db);
    const other = await process();
    const { execution_id: id } = await execute(one.executions, 'Kit.Write', 'too late', { mode: 'async' });
    await settles.promise;
    const answer = other.executions.cancel(alice, id);
    const isWanted = async () =>
      (await db.query('select 1 from hub_executions where id = $1 and cancelled', [id])).length > 0;
    while (!(await isWanted()));
    waits.resolve();
    const { approval_id } = await until(one.executions, id, 'waiting');
    await approve(approval_id);
    worker.release('too late');
    const resumed = await one.executions.resume(alice, id, null, 0);
    assert.ok(resumed.ok);
    assert.equal(resumed.value.status, 'waiting');
    assert.equal((await passing(answer, other)).status, 'cancelled');
    assert.equal((await look(one.executions, id)).status, 'cancelled');
    assert.equal(runs('Write', 'too late'), 0);
    await forget();
  });

  it('keep what they run as long as they say that they are there', async () => {
    const [one, other] = [await process(), await process()];
    const { execution_id: id } = await execute(one.executions, 'Kit.Put', 'kept', { wait_ms: 0 });
    await worker.arrived('kept');
    const { db } = app.app.rooms;
    const leased = async () =>
      (
        await db.query<{ leased_until: string }>('select leased_until from hub_executions where id = $1', [
          id,
        ])
      )[0]?.leased_until ?? '';
    // Five minutes pass, longer than any lease. The database is given the time that it takes: the other's clock is never ahead.
    for (let look = 0; look < 60; look++) {
      const before = await leased();
      do one.clock.advance(5000);
      while ((await leased()) <= before);
      other.clock.advance(5000);
    }
    assert.equal(runs('Put', 'kept'), 1);
    worker.release('kept');
    await until(one.executions, id, 'succeeded');
  });
});

describe('a process that ends', () => {
  it('lets what it runs come to its end', async () => {
    const { executions } = await process();
    const { execution_id: id } = await execute(executions, 'Kit.Write', 'end 1', { wait_ms: 0 });
    await worker.arrived('end 1');
    const closing = executions.close(60_000);
    const refused = await executions.execute(alice, requestOf(app, alice, 'Kit.Write', { text: 'no' }));
    assert.ok(!refused.ok);
    assert.equal(refused.error.code, 'server.stopping');
    worker.release('end 1');
    await closing;
    assert.equal((await look((await process()).executions, id)).status, 'succeeded');
  });

  it('ends, too, where the database went before it', async () => {
    const shared = sharedDb(app);
    let isGone = false;
    const gone = (sql: string, params?: readonly unknown[]) =>
      isGone ? Promise.reject(new Error('The database is closed')) : shared.query(sql, params);
    const { executions } = await process(Date.now(), { ...shared, query: gone as typeof shared.query });
    isGone = true;
    await assert.doesNotReject(executions.close(0));
  });

  it('leaves the rest to another at once: what does no harm is begun again, of the rest nobody knows', async () => {
    const { executions } = await process();
    const ids = await Promise.all(
      (['Kit.Put', 'Kit.Write'] as const).map((name) => execute(executions, name, 'end 2', { wait_ms: 0 })),
    );
    while (runs('Put', 'end 2') + runs('Write', 'end 2') < 2)
      await look(executions, ids[0]?.execution_id ?? '');
    await executions.close(0);
    const next = await process();
    worker.release('end 2');
    assert.equal((await until(next.executions, ids[0]?.execution_id ?? '', 'succeeded')).output, 'end 2');
    assert.equal((await look(next.executions, ids[1]?.execution_id ?? '')).status, 'unknown');
    assert.deepEqual([runs('Put', 'end 2'), runs('Write', 'end 2')], [2, 1]);
  });
});

const isBegin = (sql: string): boolean => /set status = 'running', attempt/.test(sql);
