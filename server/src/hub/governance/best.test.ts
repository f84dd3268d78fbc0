import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createBest } from './best.ts';

test('the best of many are those that sorting all of them would put first, and all are counted', () => {
  const item = fc.record({ help: fc.nat(20), id: fc.string({ maxLength: 4 }) });
  fc.assert(
    fc.property(
      fc.uniqueArray(item, { selector: ({ id }) => id }),
      fc.integer({ min: 1, max: 9 }),
      (all, max) => {
        const best = createBest<(typeof all)[number]>(max);
        for (const one of all) best.add(one);
        const sorted = all.toSorted((a, b) => b.help - a.help || (a.id < b.id ? -1 : 1));
        assert.deepEqual(best.done(), { items: sorted.slice(0, max), total: all.length });
      },
    ),
  );
});
