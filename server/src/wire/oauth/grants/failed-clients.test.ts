import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { manualClock } from '#foundation';
import { createFailedClients } from './failed-clients.ts';

describe('whoever fails to be a client', () => {
  it('ten times in a minute is told to wait, until the first of them is a minute ago', () => {
    const clock = manualClock();
    const { failed } = createFailedClients(clock);
    for (let count = 0; count < 10; count++) {
      assert.equal(failed('svc_a'), null);
      clock.advance(1000);
    }
    assert.deepEqual(failed('svc_a'), { retryAfterMs: 50_000, isFirst: true });
    clock.advance(49_999);
    assert.deepEqual(failed('svc_a'), { retryAfterMs: 1, isFirst: false });
    clock.advance(1);
    assert.equal(failed('svc_a'), null);
    assert.deepEqual(failed('svc_a'), { retryAfterMs: 1000, isFirst: true });
  });

  it('does not hold up who fails to be another', () => {
    const { failed } = createFailedClients(manualClock());
    for (let count = 0; count < 11; count++) failed('svc_a');
    assert.notEqual(failed('svc_a'), null);
    assert.equal(failed('svc_b'), null);
  });

  it('under many names is forgotten by the oldest name', () => {
    const { failed } = createFailedClients(manualClock());
    for (let count = 0; count < 11; count++) failed('first');
    for (let count = 0; count < 9_999; count++) failed(`other ${count}`);
    assert.notEqual(failed('first'), null);
    for (let count = 0; count < 10_000; count++) failed(`another ${count}`);
    assert.equal(failed('first'), null);
  });
});
