import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare } from './filtered.ts';
import { gateOfFiltered } from './gates.ts';

const hit = (id: string, score: number, alike: string[] = []) => ({ id, score, alike });
const permitted = new Set(['a', 'b', 'c', 'd']);
const counts = { share: 0.1, permitted: 4, queries: 1 };

test('the same answer is a recall of 1, and nothing is told', () => {
  const answer = [[hit('a', 1), hit('b', 0.5)]];
  const compared = compare(answer, answer, permitted);
  assert.deepEqual(compared, { recall: 1, forbidden: 0, scoreDifference: 0 });
  assert.ok(gateOfFiltered({ ...counts, ...compared }).passed);
});

test('a missing result, one that is not permitted, also among those alike, and a score that moved each fail the gate', () => {
  const alone = [[hit('a', 1), hit('b', 0.5)]];
  const missing = compare([[hit('a', 1)]], alone, permitted);
  assert.equal(missing.recall, 0.5);
  const foreign = compare([[hit('a', 1), hit('x', 0.9), hit('b', 0.5, ['y'])]], alone, permitted);
  assert.equal(foreign.forbidden, 2);
  const moved = compare([[hit('a', 1), hit('b', 0.4)]], alone, permitted);
  assert.ok(Math.abs(moved.scoreDifference - 0.1) < 1e-12);
  for (const one of [missing, foreign, moved])
    assert.equal(gateOfFiltered({ ...counts, ...one }).passed, false);
});

test('of several that share the last place any will do', () => {
  const compared = compare([[hit('a', 1), hit('c', 0.5)]], [[hit('a', 1), hit('b', 0.5)]], permitted);
  assert.equal(compared.recall, 1);
});

test('an answer to which nothing belongs must be empty of the permitted', () => {
  assert.equal(compare([[]], [[]], permitted).recall, 1);
});
