import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ShownTool } from '#catalog';
import { createParts } from './scope-parts.ts';

const listOf = (sourceId: string, count: number): ShownTool[] =>
  Array.from({ length: count }, () => ({ tool: { sourceId } }) as ShownTool);

describe('the parts of lists of tools', () => {
  it('are all of them, in their order, and none is long', () => {
    const partsOf = createParts();
    for (const counts of [[], [3], [2, 0, 4], [9000, 9000], [25_000], [4000, 4000, 4000], [10_000, 1]]) {
      const lists = counts.map((count, at) => listOf(`s${at}`, count));
      const parts = partsOf(lists);
      assert.deepEqual(parts.flat(), lists.flat());
      assert.ok(parts.every(({ length }) => length > 0 && length <= 10_000));
    }
  });

  it('are the same objects where one source changed, but for its own', () => {
    const partsOf = createParts();
    const [one, two, three] = [listOf('a', 6000), listOf('b', 6000), listOf('c', 6000)];
    const before = partsOf([one, two, three]);
    assert.equal(before.length, 3);
    const after = partsOf([one, two.slice(1), three]);
    assert.deepEqual(
      after.map((part, at) => part === before[at]),
      [true, false, true],
    );
    assert.deepEqual(after[1], two.slice(1));
  });

  it('of one large source are the same objects where none of theirs changed', () => {
    const partsOf = createParts();
    const tools = listOf('a', 25_000);
    const before = partsOf([tools]);
    const after = partsOf([tools.with(12_345, listOf('a', 1)[0] as ShownTool)]);
    assert.deepEqual(
      after.map((part, at) => part === before[at]),
      [true, false, true],
    );
  });

  it('are few where there are many small sources', () => {
    const parts = createParts()(Array.from({ length: 3000 }, (_, at) => listOf(`s${at}`, 5)));
    assert.deepEqual(
      parts.map(({ length }) => length),
      [5000, 5000, 5000],
    );
  });
});
