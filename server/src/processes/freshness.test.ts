import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { systemClock } from '#foundation';
import { type Changes, type Db, openChanges } from '#storage';
import { silentLog } from '#telemetry';
import { openTestDatabase } from '../../test/database.ts';
import { createFreshness, type Holder } from './freshness.ts';

/** Notes what it is told; confirms when it is let. */
function holder() {
  const told: string[] = [];
  let confirmed = Promise.resolve();
  const one: Holder = {
    async stale() {
      told.push('stale');
      await confirmed;
    },
    look: () => void told.push('look'),
  };
  function holdBack(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    confirmed = promise;
    return resolve;
  }
  return { one, told, holdBack };
}

let held: Db;
let db: Db;
let changes: Changes;
let lane: ReturnType<typeof holder>;

before(async () => {
  held = await openTestDatabase();
  await held.query('create table notes (id integer)');
});
after(() => held.close());
beforeEach(async () => {
  const freshness = createFreshness();
  db = freshness.database(held);
  changes = freshness.changes(await openChanges(held, { clock: systemClock, log: silentLog }, true));
  lane = holder();
  freshness.join(lane.one);
  await held.query('delete from notes');
});

const notes = async () => (await held.query('select id from notes')).length;

test('who joins looks at once', () => {
  assert.deepEqual(lane.told, ['look']);
});

test('a change is made when all have heard, and seen when it is made', async () => {
  const confirm = lane.holdBack();
  const told = Promise.withResolvers<void>();
  const change = db.tx(async (queries) => {
    await queries.query('insert into notes values (1)');
    told.resolve();
    await changes.tell(queries, 'notes', '1');
    await changes.tell(queries, 'notes', '2');
  });
  await told.promise;
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(lane.told, ['look', 'stale']);
  confirm();
  await change;
  assert.deepEqual(lane.told, ['look', 'stale', 'look']);
  assert.equal(await notes(), 1);
});

test('a change that is undone lets all go on as before', async () => {
  const change = db.tx(async (queries) => {
    await changes.tell(queries, 'notes', '1');
    throw new Error('undo');
  });
  await assert.rejects(change, /undo/);
  assert.deepEqual(lane.told, ['look', 'stale', 'look']);
});

test('what is told outside of a transaction is a change of its own', async () => {
  await changes.tell(db, 'notes', '1');
  assert.deepEqual(lane.told, ['look', 'stale', 'look']);
});

test('changes that overlap are looked at when the last of them is made', async () => {
  const freshness = createFreshness();
  const late = holder();
  freshness.join(late.one);
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  const changing = [freshness.during(() => first.promise), freshness.during(() => second.promise)];
  first.resolve();
  await changing[0];
  assert.deepEqual(late.told, ['look', 'stale']);
  second.resolve();
  await changing[1];
  assert.deepEqual(late.told, ['look', 'stale', 'look']);
});

test('who left is not waited for', async () => {
  const freshness = createFreshness();
  const gone = holder();
  freshness.join(gone.one);
  freshness.leave(gone.one);
  gone.holdBack();
  assert.equal(await freshness.during(async () => 'done'), 'done');
});
