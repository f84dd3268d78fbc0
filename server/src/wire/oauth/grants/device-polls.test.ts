import assert from 'node:assert/strict';
import { it } from 'node:test';
import { manualClock } from '#foundation';
import { createDevicePolls } from './device-polls.ts';

it('a device that asks every five seconds is never too hasty', () => {
  const clock = manualClock();
  const polls = createDevicePolls(clock);
  for (let count = 0; count < 20; count++) {
    assert.equal(polls.isTooSoon('code'), false);
    clock.advance(4_100);
  }
});

it('a hasty device is told, and from then on waits longer each time', () => {
  const clock = manualClock();
  const polls = createDevicePolls(clock);
  const asked = (afterMs: number) => {
    clock.advance(afterMs);
    return polls.isTooSoon('code');
  };
  assert.deepEqual([asked(0), asked(1000), asked(5000), asked(15_000)], [false, true, true, false]);
  assert.equal(polls.isTooSoon('another code'), false);
});

it('devices without number are not remembered', () => {
  const polls = createDevicePolls(manualClock());
  polls.isTooSoon('first');
  for (let count = 0; count < 10_000; count++) polls.isTooSoon(`code ${count}`);
  assert.equal(polls.isTooSoon('first'), false);
});
