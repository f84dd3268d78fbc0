import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNaiveBm25 } from './naive-bm25.ts';

const tool = (id: string, description: string) => ({ id, name: id, description, parameters: {} });

test('a rare word weighs more than a common one, a shorter text more than a longer', () => {
  const rank = createNaiveBm25([
    tool('a', 'send the mail'),
    tool('b', 'send the fax'),
    tool('c', 'send the fax to many people at once in the evening'),
  ]);
  assert.deepEqual(rank('send fax', 10), ['b', 'c', 'a']);
  assert.deepEqual(rank('send fax', 1), ['b']);
  assert.deepEqual(rank('nothing', 10), []);
});
