import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemClock } from '#foundation';
import type { Db } from '#storage';
import { createMetrics } from '#telemetry';
import { openTestDatabase } from '../../test/database.ts';
import { observedDb } from './observed-db.ts';

const metrics = createMetrics();
let kept: Db;
let db: Db;
before(async () => {
  kept = await openTestDatabase();
  db = observedDb(kept, metrics, systemClock);
  await kept.query('create table things (id text primary key)');
});
after(() => kept.close());

async function counted(): Promise<Record<string, number>> {
  const [{ series } = { series: [] }] = await metrics.read();
  return Object.fromEntries(
    series.map(({ values, counts = [] }) => [values.join(' '), counts.reduce((sum, one) => sum + one, 0)]),
  );
}

test('the database answers as it does unobserved, and what it did is counted', async () => {
  assert.deepEqual(await db.query('select 1 as one'), [{ one: 1 }]);
  await db.ping();
  const insert = "insert into things values ('a')";
  await db.tx(({ query }) => query(insert));
  // Somebody was there before: an answer, and no trouble of the database.
  await assert.rejects(db.query(insert), /duplicate key/);
  await assert.rejects(db.query('select nonsense'), /nonsense/);
  assert.deepEqual(await counted(), {
    'query answered': 2,
    'query failed': 1,
    'ping answered': 1,
    'transaction answered': 1,
  });
});
