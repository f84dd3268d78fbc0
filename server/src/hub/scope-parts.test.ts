import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ShownTool } from '#catalog';
import { createParts } from './scope-parts.ts';

const shownOf = (sourceId: string, count: number): ShownTool[] =>
  Array.from({ length: count }, () => ({ tool: { sourceId } }) as ShownTool);

describe('the parts of a list of tools', () => {
  it('are all of it, in its order, and none is long', () => {
    const partsOf = createParts();
    for (const counts of [[], [3], [2, 4], [9000, 9000], [25_000], [4000, 4000, 4000], [10_000, 1]]) {
      const tools = counts.flatMap((count, at) => shownOf(`s${at}`, count));
      const parts = partsOf(tools);
      assert.deepEqual(parts.flat(), tools);
      assert.ok(parts.every(({ length }) => length > 0 && length <= 10_000));
    }
  });

  it('are the same objects where one source changed, but for its own', () => {
    const partsOf = createParts();
    const [one, two, three] = [shownOf('a', 6000), shownOf('b', 6000), shownOf('c', 6000)];
    const before = partsOf([...one, ...two, ...three]);
    assert.equal(before.length, 3);
    const after = partsOf([...one, ...two.slice(1), ...three]);
    assert.deepEqual(
      after.map((part, at) => part === before[at]),
      [true, false, true],
    );
    assert.deepEqual(after[1], two.slice(1));
  });
});
