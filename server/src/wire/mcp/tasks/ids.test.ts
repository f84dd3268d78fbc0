import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSealer, manualClock } from '#foundation';
import { createTaskIds } from './ids.ts';

const key = Buffer.alloc(32, 7);
const task = { sourceId: 'docs', own: 'task-1', toolId: 'tool_1' };
const hourMs = 3_600_000;

test('an id is good for the one who got it, in every process that has the key, and for nobody else', () => {
  const clock = manualClock();
  const id = createTaskIds(createSealer(key), clock).give('alice', task, 1000);
  const elsewhere = createTaskIds(createSealer(key), clock);
  assert.deepEqual(elsewhere.open('alice', id), task);
  assert.equal(elsewhere.open('bob', id), null);
  assert.equal(elsewhere.open('alice', `${id.slice(0, -1)}${id.endsWith('A') ? 'B' : 'A'}`), null);
  assert.equal(elsewhere.open('alice', 'task-1'), null);
  assert.equal(createTaskIds(createSealer(Buffer.alloc(32, 8)), clock).open('alice', id), null);
  assert.match(id, /^[A-Za-z0-9_-]+$/, 'it can stand in a header and in an address');
});

test('a task keeps its id; it is told of under it to nobody else', () => {
  const ids = createTaskIds(createSealer(key), manualClock());
  const id = ids.give('alice', task, null);
  assert.equal(ids.give('alice', task, null), id);
  assert.equal(ids.given('alice', 'docs', 'task-1'), id);
  assert.equal(ids.given('alice', 'other source', 'task-1'), null);
  assert.equal(ids.given('bob', 'docs', 'task-1'), null);
  assert.deepEqual(ids.givenTo('bob'), []);
});

test('an id is good for as long as its source keeps the task, at least for a day', () => {
  const clock = manualClock();
  const ids = createTaskIds(createSealer(key), clock);
  const soon = ids.give('alice', { ...task, own: 'soon' }, 1000);
  const late = ids.give('alice', { ...task, own: 'late' }, 48 * hourMs);
  clock.advance(23 * hourMs);
  assert.notEqual(ids.open('alice', soon), null);
  clock.advance(2 * hourMs);
  assert.equal(ids.open('alice', soon), null);
  assert.equal(ids.given('alice', 'docs', 'soon'), null);
  assert.notEqual(ids.open('alice', late), null);
  assert.deepEqual(
    ids.givenTo('alice').map(({ own }) => own),
    ['late'],
  );
});

test('what is remembered is bounded, the newest stay; what is forgotten can still be opened', () => {
  const ids = createTaskIds(createSealer(key), manualClock(), { each: 2, bearers: 2 });
  const given = ['a', 'b', 'c'].map((own) => ids.give('alice', { ...task, own }, null));
  assert.deepEqual(
    ids.givenTo('alice').map(({ own }) => own),
    ['b', 'c'],
  );
  assert.equal(ids.open('alice', given[0] as string)?.own, 'a');
  for (const bearer of ['bob', 'carol']) ids.give(bearer, task, null);
  assert.deepEqual(ids.givenTo('alice'), []);
  assert.equal(ids.givenTo('carol').length, 1);
});
