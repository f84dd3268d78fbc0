import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { manualClock } from '#foundation';
import { createBatch } from './batch.ts';

const settings = { delayMs: 1000, maxQueue: 5, maxBatch: 2, exportTimeoutMs: 1 };

function batched() {
  const clock = manualClock();
  const sent: number[][] = [];
  const arrive: (() => void)[] = [];
  let dropped = 0;
  const batch = createBatch<number>(settings, {
    clock,
    send(items) {
      sent.push([...items]);
      return new Promise((resolve) => arrive.push(resolve));
    },
    onDropped: (count) => {
      dropped += count;
    },
  });
  const arrives = async () => {
    arrive.shift()?.();
    await turn();
  };
  return { clock, sent, batch, arrives, dropped: () => dropped };
}

test('what waits is sent after a while, in order', async () => {
  const { clock, sent, batch, arrives } = batched();
  batch.add(1);
  clock.advance(999);
  assert.deepEqual(sent, []);
  clock.advance(1);
  assert.deepEqual(sent, [[1]]);
  await arrives();
  clock.advance(1000);
  assert.deepEqual(sent, [[1]]);
});

test('a full batch is sent at once; one is under way at a time', async () => {
  const { sent, batch, arrives } = batched();
  for (const item of [1, 2, 3, 4, 5]) batch.add(item);
  assert.deepEqual(sent, [[1, 2]]);
  await arrives();
  assert.deepEqual(sent.at(-1), [3, 4]);
  await arrives();
  assert.equal(sent.length, 2);
});

test('what does not fit is dropped and counted, and what was there stays', async () => {
  const { sent, batch, arrives, dropped } = batched();
  for (let item = 1; item <= 10; item++) batch.add(item);
  // Two are under way, five wait.
  assert.equal(dropped(), 3);
  const flushed = batch.flush();
  for (let at = 0; at < 4; at++) await arrives();
  await flushed;
  assert.deepEqual(sent.flat(), [1, 2, 3, 4, 5, 6, 7]);
});
