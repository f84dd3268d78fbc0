import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBatches } from './batches.ts';

/** Runs when it is told to; keeps what came together. */
function held(weightOf: (item: number) => number = () => 1) {
  const batches: (readonly number[])[] = [];
  const gates: (() => void)[] = [];
  const add = createBatches<number, string>(weightOf, async (items) => {
    batches.push(items);
    await new Promise<void>((resolve) => gates.push(resolve));
    if (items.includes(13)) throw new Error('13');
    return items.map((item) => `done ${item}`);
  });
  const step = async () => {
    while (gates.length === 0) await Promise.resolve();
    gates.shift()?.();
  };
  return { add, batches, step };
}

describe('a batch', () => {
  it('begins at once, and what comes meanwhile is done together', async () => {
    const { add, batches, step } = held();
    const all = Promise.all([1, 2, 3].map(add));
    await step();
    await step();
    assert.deepEqual(await all, ['done 1', 'done 2', 'done 3']);
    assert.deepEqual(batches, [[1], [2, 3]]);
  });

  it('that fails fails for its own items only', async () => {
    const { add, step } = held();
    const all = Promise.allSettled([1, 13, 3].map(add));
    await step();
    await step();
    const after = add(4);
    await step();
    assert.deepEqual(
      (await all).map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected'],
    );
    assert.equal(await after, 'done 4');
  });

  it('holds so many at most, and no more than is too heavy together', async () => {
    const many = held();
    const all = Promise.all(Array.from({ length: 251 }, (_, n) => many.add(n + 100)));
    for (let n = 0; n < 4; n++) await many.step();
    await all;
    assert.deepEqual(
      many.batches.map(({ length }) => length),
      [1, 100, 100, 50],
    );
    const heavy = held(() => 3 * 1024 * 1024);
    const three = Promise.all([1, 2, 3].map(heavy.add));
    for (let n = 0; n < 3; n++) await heavy.step();
    await three;
    assert.deepEqual(heavy.batches, [[1], [2], [3]]);
  });
});
