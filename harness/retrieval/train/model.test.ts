import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addRow } from './matrix.ts';
import { type Batch, gradientsOf, type Model } from './model.ts';

/** Small numbers that are the same in each run. */
function numbers(length: number, seed: number): Float64Array {
  let state = seed;
  return Float64Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}

const model: Model = {
  teacherDimensions: 5,
  dimensions: 3,
  teacher: numbers(7 * 5, 1),
  projection: numbers(5 * 3, 2),
  own: numbers(7 * 3, 3),
};
const texts = (...lists: number[][]) => lists.map((list) => Int32Array.from(list));
const batch: Batch = {
  left: texts([0, 1], [2, 2, 3], [4]),
  right: texts([1, 5], [3, 0], [6, 4, 5]),
};
const temperature = 0.3;

/** By how much the loss changes with this number, found by changing it. */
function measured(parameters: Float64Array, at: number): number {
  const epsilon = 1e-6;
  const before = parameters[at] as number;
  const lossWith = (value: number): number => {
    parameters[at] = value;
    return gradientsOf(model, batch, temperature).loss;
  };
  const slope = (lossWith(before + epsilon) - lossWith(before - epsilon)) / (2 * epsilon);
  parameters[at] = before;
  return slope;
}

test('the gradient of the projection is what changing each of its numbers does to the loss', () => {
  const { projection } = gradientsOf(model, batch, temperature);
  assert.ok(projection.some((one) => Math.abs(one) > 1e-3));
  for (const [at, told] of projection.entries()) {
    const found = measured(model.projection as Float64Array, at);
    assert.ok(Math.abs(found - told) < 1e-7, `${at}: ${told} is told, ${found} found`);
  }
});

test('the gradient of words, given by the texts that they are in, is what changing each does to the loss', () => {
  const { texts: back } = gradientsOf(model, batch, temperature);
  const own = new Float64Array(model.own.length);
  for (const [text, words] of [...batch.left, ...batch.right].entries())
    for (const word of words) addRow(own, word * 3, back, text * 3, 3);
  for (const [at, told] of own.entries()) {
    const found = measured(model.own as Float64Array, at);
    assert.ok(Math.abs(found - told) < 1e-7, `${at}: ${told} is told, ${found} found`);
  }
});

test('the loss of texts that cannot be told apart is the logarithm of how many there are', () => {
  const same = { left: texts([1], [1], [1], [1]), right: texts([2], [2], [2], [2]) };
  assert.ok(Math.abs(gradientsOf(model, same, temperature).loss - Math.log(4)) < 1e-9);
});
