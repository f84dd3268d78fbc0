import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { manualClock } from '#foundation';
import type { Db } from '#storage';
import { openTestDatabase } from '../../../../test/database.ts';
import { createUsedOnce } from './used-once.ts';

let db: Db;
before(async () => {
  db = await openTestDatabase();
});
after(() => db.close());

describe('what is used once', () => {
  it('is used by one of many that come with it at the same moment', async () => {
    const clock = manualClock();
    const replicas = Array.from({ length: 8 }, () => createUsedOnce({ db, clock }));
    const uses = await Promise.all(replicas.map((usedOnce) => usedOnce(['a', 'jti'], clock.now() + 1000)));
    assert.equal(uses.filter((first) => first).length, 1);
  });

  it('is remembered until then, and no longer', async () => {
    const clock = manualClock();
    const usedOnce = createUsedOnce({ db, clock });
    assert.equal(await usedOnce(['b', 'jti'], clock.now() + 1000), true);
    clock.advance(999);
    assert.equal(await usedOnce(['b', 'jti'], clock.now() + 1000), false);
    clock.advance(1);
    assert.equal(await usedOnce(['b', 'jti'], clock.now() + 1000), true);
  });

  it('is told from others however their names are cut', async () => {
    const usedOnce = createUsedOnce({ db, clock: manualClock() });
    assert.equal(await usedOnce(['c', 'de'], 1e13), true);
    assert.equal(await usedOnce(['cd', 'e'], 1e13), true);
  });
});
