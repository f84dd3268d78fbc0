import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LimitRequest } from '@sallyport/contracts';
import { createCounts, waitMs } from './counts.ts';
import { compileLimit, type Limit } from './limit.ts';

const limitOf = (more: Partial<LimitRequest>, id = 'limit_1'): Limit => {
  const definition: LimitRequest = { name: 'A', tools: ['*'], per: ['user'], ...more };
  const at = '2026-01-01T00:00:00.000Z';
  return compileLimit({
    id,
    projectId: 'default',
    origin: 'api',
    definition,
    createdAt: at,
    updatedAt: at,
  });
};
const onceASecond = limitOf({ rate: { limit: 1, per_seconds: 1 } });

/** Whether a call passes; where it does, it is counted, and over. */
function passes(counts: ReturnType<typeof createCounts>, limit: Limit, key: string, nowMs: number): boolean {
  const found = counts.find(limit, key, nowMs);
  if (waitMs(limit, found, nowMs) > 0) return false;
  counts.add(limit, key, found, nowMs).running--;
  return true;
}

describe('the counts of a process', () => {
  it('are forgotten once they are full again: their number follows the users of the moment, not of all time', () => {
    const counts = createCounts();
    let most = 0;
    for (let user = 0; user < 20_000; user++) {
      // Ten new users a second, each of whom has to wait a second.
      assert.ok(passes(counts, onceASecond, `user ${user}`, user * 100));
      most = Math.max(most, counts.size());
    }
    assert.ok(most <= 30, `${most} counts at once`);
  });

  it('of calls under way are kept, however full their bucket is', () => {
    const counts = createCounts();
    const few = limitOf({ concurrency: 1 });
    counts.add(few, 'alice', null, 0);
    for (let user = 0; user < 100; user++) assert.ok(passes(counts, few, `user ${user}`, user));
    assert.equal(waitMs(few, counts.find(few, 'alice', 1000), 1000), Number.POSITIVE_INFINITY);
  });

  it('are never given up for new names: a flood of them resets no limit, and takes no more memory', () => {
    const counts = createCounts(100);
    const hourly = limitOf({ rate: { limit: 2, per_seconds: 7200 } });
    assert.ok(passes(counts, hourly, 'alice', 0));
    assert.ok(passes(counts, hourly, 'alice', 0));
    let passed = 0;
    for (let name = 0; name < 1000; name++) if (passes(counts, hourly, `name ${name}`, 1)) passed++;
    assert.equal(passes(counts, hourly, 'alice', 2), false);
    assert.equal(counts.size(), 100);
    assert.equal(passed, 99 + 2, 'all names for which there was no room have one count together');
  });

  it('of another limit have their own common count when there is no more room', () => {
    const counts = createCounts(1);
    const other = limitOf({ rate: { limit: 1, per_seconds: 3600 } }, 'limit_2');
    assert.ok(passes(counts, onceASecond, 'a', 0));
    assert.ok(passes(counts, onceASecond, 'b', 0));
    assert.equal(passes(counts, onceASecond, 'c', 0), false);
    assert.ok(passes(counts, other, 'd', 0));
    assert.equal(passes(counts, other, 'e', 0), false);
    assert.ok(passes(counts, onceASecond, 'f', 1000), 'there is room again, once a count is full');
  });

  it('that are common stay what they are when the last room is taken in the middle of a call', () => {
    const counts = createCounts(1);
    const other = limitOf({ rate: { limit: 2, per_seconds: 3600 } }, 'limit_2');
    assert.ok(passes(counts, onceASecond, 'a', 0));
    assert.ok(passes(counts, other, 'b', 0));
    assert.equal(counts.find(other, 'c', 1000), null, 'there is room for one');
    counts.add(onceASecond, 'c', null, 1000);
    counts.add(other, 'c', null, 1000);
    assert.equal(passes(counts, other, 'd', 1000), false);
  });

  it('change with their limit also where they are common, and go with it', () => {
    const counts = createCounts(1);
    const hourly = limitOf({ rate: { limit: 1, per_seconds: 3600 } });
    const twice = limitOf({ rate: { limit: 2, per_seconds: 3600 } });
    for (const name of ['a', 'b']) assert.ok(passes(counts, hourly, name, 0));
    counts.move(hourly, twice, 0);
    for (const name of ['a', 'b'])
      assert.deepEqual(
        [1, 2].map(() => passes(counts, twice, name, 0)),
        [true, false],
      );
    counts.move(twice, null, 0);
    assert.equal(counts.size(), 0);
    for (const name of ['a', 'b']) assert.ok(passes(counts, hourly, name, 0));
  });
});
