import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createTurns } from './turns.ts';

it('things take turns as they were asked for, and one that fails keeps nothing from the next', async () => {
  const inTurn = createTurns();
  const first = Promise.withResolvers<void>();
  const done: string[] = [];
  const one = inTurn(async () => {
    await first.promise;
    done.push('one');
  });
  const two = inTurn(async () => {
    done.push('two');
    throw new Error('it cannot');
  });
  const three = inTurn(async () => {
    done.push('three');
    return 3;
  });
  first.resolve();
  await one;
  await assert.rejects(two, /it cannot/);
  assert.equal(await three, 3);
  assert.deepEqual(done, ['one', 'two', 'three']);
});
