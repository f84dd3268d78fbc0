import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isWithin, namespacesIn, type Spaces } from './namespaces.ts';

const space = (tools: number, description: string | null = null) => ({ description, tools });
const spaces: Spaces = new Map([
  ['worker://Google', space(1, 'All of Google. And more.')],
  ['worker://Google.Gmail', space(2)],
  ['worker://Google.Gmail.Drafts', space(3)],
  ['worker://Goo', space(4)],
  ['mcp://github', space(5)],
]);
const counted = (prefix: string) =>
  namespacesIn(spaces, prefix).namespaces.map(({ namespace, tools }) => [namespace, tools]);

describe('namespaces', () => {
  it('are listed one level at a time, with what is below them counted', () => {
    assert.deepEqual(counted(''), [
      ['mcp://github', 5],
      ['worker://Goo', 4],
      ['worker://Google', 6],
    ]);
    assert.deepEqual(counted('worker://Google'), [
      ['worker://Google', 1],
      ['worker://Google.Gmail', 5],
    ]);
    assert.deepEqual(counted('worker://google.gmail'), [
      ['worker://Google.Gmail', 2],
      ['worker://Google.Gmail.Drafts', 3],
    ]);
  });

  it('are found by how they begin, with the scheme or without', () => {
    assert.deepEqual(counted('mcp://'), [['mcp://github', 5]]);
    assert.deepEqual(counted('git'), [['mcp://github', 5]]);
    assert.deepEqual(counted('nothing'), []);
  });

  it('are told in one line each, and not all where there are too many', () => {
    const { namespaces } = namespacesIn(spaces, 'worker://Google');
    assert.equal(namespaces[0]?.description, 'All of Google.');
    const many: Spaces = new Map(Array.from({ length: 500 }, (_, at) => [`mcp://s${at}`, space(1)]));
    const answer = namespacesIn(many, '');
    assert.equal(answer.namespaces.length, 200);
    assert.match(answer.advice ?? '', /200 of 500/);
  });

  it('hold themselves and what is below them, and nothing that only begins alike', () => {
    assert.ok(isWithin('worker://Google.Gmail', 'worker://Google'));
    assert.ok(isWithin('worker://Google.Gmail', 'google'));
    assert.ok(isWithin('worker://Google', 'worker://Google.*'));
    assert.ok(isWithin('mcp://github', 'mcp://'));
    assert.ok(!isWithin('worker://Google', 'worker://Goo'));
    assert.ok(!isWithin('mcp://google', 'worker://google'));
  });
});
