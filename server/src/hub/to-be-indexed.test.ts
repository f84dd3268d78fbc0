import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ShownTool } from '#catalog';
import type { Tool } from '#domain';
import { createToBeIndexed } from './to-be-indexed.ts';

const tool = (id: string, text = ''): Tool => ({ id, description: text }) as Tool;
const listOf = (source: string, count: number): readonly ShownTool[] =>
  Array.from({ length: count }, (_, at) => ({ tool: tool(`${source}${at}`) }) as ShownTool);

/** All that is due, in its order. */
function* rest(due: ReturnType<typeof createToBeIndexed>): Iterable<Tool> {
  for (let tools = due.tools(); tools.length > 0; tools = due.tools()) yield* tools;
}

it('is everything at first, each tool once', () => {
  const lists = [listOf('a', 1200), [], listOf('b', 3)];
  const due = createToBeIndexed(() => lists);
  assert.equal(due.count(), 1203);
  assert.deepEqual(
    [...rest(due)],
    lists.flat().map((shown) => shown.tool),
  );
  assert.deepEqual([due.count(), due.wereAll(), due.wereAll()], [0, true, false]);
});

it('takes what changed first, and does not put what was there before in its place', () => {
  const due = createToBeIndexed(() => [listOf('a', 2000)]);
  due.tools();
  due.changed({ put: [tool('a1999', 'new')], removed: ['a1998'] });
  assert.deepEqual(due.removed(), ['a1998']);
  assert.deepEqual(due.tools(), [tool('a1999', 'new')]);
  const left = [...rest(due)].map(({ id }) => id);
  assert.equal(left.at(-1), 'a1997');
});

it('takes a few tools that changed before many that came, also where they came before', () => {
  const due = createToBeIndexed(() => []);
  due.tools();
  due.changed({ put: listOf('a', 1200).map((shown) => shown.tool), removed: [] });
  due.changed({ put: [tool('a1100', 'new')], removed: [] });
  due.changed({ put: listOf('b', 600).map((shown) => shown.tool), removed: ['a0'] });
  assert.equal(due.count(), 1800);
  due.removed();
  const ids = [...rest(due)].map(({ id }) => id);
  assert.deepEqual([ids[0], ids[1], ids.length], ['a1100', 'a1', 1799]);
});

it('counts what was told last of a tool', () => {
  const due = createToBeIndexed(() => []);
  due.tools();
  due.changed({ put: [tool('x', 'first')], removed: [] });
  due.changed({ put: [tool('x', 'second')], removed: ['y'] });
  due.changed({ put: [tool('y')], removed: ['x'] });
  assert.deepEqual(due.removed(), ['x']);
  assert.deepEqual(due.tools(), [tool('y')]);
  assert.equal(due.count(), 0);
});

it('does not take what somebody said something of for newer than what was told of it since', () => {
  const due = createToBeIndexed(() => []);
  due.tools();
  due.saidOf(['x', 'y', 'z']);
  assert.deepEqual(due.said(), ['x', 'y', 'z']);
  // While they are looked for.
  due.changed({ put: [tool('x', 'new')], removed: ['y'] });
  due.found(['x', 'y', 'z'].map((id) => tool(id)));
  assert.deepEqual(due.removed(), ['y']);
  assert.deepEqual(due.tools(), [tool('x', 'new'), tool('z')]);
});

it('is no more than what changed, however many there are', () => {
  const due = createToBeIndexed(() => [listOf('a', 50_000)]);
  for (const _ of rest(due));
  due.changed({ put: [tool('a7', 'new')], removed: [] });
  assert.equal(due.count(), 1);
  assert.deepEqual(due.tools(), [tool('a7', 'new')]);
  assert.deepEqual([due.tools(), due.said(), due.removed()], [[], [], []]);
});
