import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSingleFlight } from './single-flight.ts';

test('whoever asks while it runs gets what comes of it, and whoever asks afterwards has it run anew', async () => {
  const once = createSingleFlight<number>();
  let runs = 0;
  const run = async () => ++runs;
  assert.deepEqual(await Promise.all([once('a', run), once('a', run), once('b', run)]), [1, 1, 2]);
  assert.equal(await once('a', run), 3);
});

test('a run that fails fails for all who wait, and not for the next', async () => {
  const once = createSingleFlight<string>();
  const fail = async () => {
    throw new Error('no');
  };
  const both = await Promise.allSettled([once('a', fail), once('a', fail)]);
  assert.deepEqual(
    both.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.equal(await once('a', async () => 'yes'), 'yes');
});
