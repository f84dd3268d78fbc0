import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meanOf, qualityOf } from './metrics.ts';

function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);
}

test('one wanted tool at the third place counts half', () => {
  const quality = qualityOf(['a', 'b', 'wanted'], ['wanted']);
  assert.deepEqual(quality, { hit1: 0, recall1: 0, recall5: 1, recall10: 1, ndcg10: 0.5 });
});

test('two of three wanted tools at places one and three, as worked by hand', () => {
  const quality = qualityOf(['x', 'a', 'y', 'b'], ['x', 'y', 'z']);
  assert.equal(quality.hit1, 1);
  near(quality.recall1, 1 / 3);
  near(quality.recall5, 2 / 3);
  // (1 + 1/2) / (1 + 1/log2(3) + 1/2)
  near(quality.ndcg10, 1.5 / (1.5 + 1 / Math.log2(3)));
});

test('the best order there could be is 1, with more wanted than ten, too', () => {
  const many = Array.from({ length: 14 }, (_, index) => `t${index}`);
  const quality = qualityOf(many, many);
  near(quality.ndcg10, 1);
  near(quality.recall10, 10 / 14);
});

test('what comes eleventh is not counted, and what is named twice is counted once', () => {
  const filler = Array.from({ length: 10 }, (_, index) => `f${index}`);
  assert.equal(qualityOf([...filler, 'wanted'], ['wanted']).recall10, 0);
  assert.equal(qualityOf(['wanted', 'wanted', 'other'], ['wanted', 'other']).recall1, 0.5);
  near(qualityOf(['wanted', 'wanted', 'other'], ['wanted', 'other']).ndcg10, 1);
});

test('an empty answer is nothing, and means are in per cent', () => {
  const score = meanOf([qualityOf([], ['a']), qualityOf(['a'], ['a'])]);
  assert.deepEqual(score, { queries: 2, hit1: 50, recall1: 50, recall5: 50, recall10: 50, ndcg10: 50 });
});
