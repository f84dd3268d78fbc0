import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { manualClock } from '#foundation';
import { createStreams } from './streams.ts';

test('a principal has so many listening streams and no more; one that closes makes room, and others have their own', () => {
  const streams = createStreams(manualClock());
  /** Of a response, only its end is waited for. */
  const opened = () => new EventEmitter() as unknown as ServerResponse;
  const first = opened();
  let admitted = 0;
  while (admitted < 100_000 && streams.admit('key', admitted === 0 ? first : opened())) admitted++;
  assert.ok(admitted > 100 && admitted < 100_000);
  assert.equal(streams.admit('key', opened()), false);
  assert.equal(streams.admit('other', opened()), true);
  first.emit('close');
  assert.equal(streams.admit('key', opened()), true);
  assert.equal(streams.admit('key', opened()), false);
  streams.close();
});

test('a call under way is kept alive from its second round on and until it ends, in whatever order they end', () => {
  const clock = manualClock();
  const streams = createStreams(clock);
  const said: string[] = [];
  const begin = (name: string) => streams.whileWaiting(() => void said.push(name));
  const ends = ['a', 'b', 'c', 'd'].map(begin);
  clock.advance(15_000);
  assert.deepEqual(said.splice(0), []);
  const endLate = begin('late');
  ends[1]?.();
  ends[1]?.();
  ends[3]?.();
  assert.equal(streams.waiting(), 3);
  clock.advance(15_000);
  assert.deepEqual(said.splice(0).sort(), ['a', 'c']);
  ends[0]?.();
  clock.advance(15_000);
  assert.deepEqual(said.splice(0).sort(), ['c', 'late']);
  ends[2]?.();
  endLate();
  clock.advance(60_000);
  assert.deepEqual(said, []);
  assert.equal(streams.waiting(), 0);
  streams.close();
});
