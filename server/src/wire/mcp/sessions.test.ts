import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Caller } from '#domain';
import { manualClock } from '#foundation';
import { createSessions } from './sessions.ts';

function caller(keyId: string, userId: string): Caller {
  return { principal: { id: keyId }, userId } as Caller;
}
const alice = caller('key_1', 'alice');
const limits = { idleMs: 60_000, total: 3, perPrincipal: 2 };

describe('sessions', () => {
  test('an idle session ends by itself; one in use does not', () => {
    const clock = manualClock();
    const sessions = createSessions(clock, limits);
    const idle = sessions.open(alice, 'gw_1', '2025-11-25');
    const used = sessions.open(alice, 'gw_1', '2025-11-25');
    assert.ok(idle !== null && used !== null);
    clock.advance(40_000);
    assert.equal(sessions.find(used.id, alice, 'gw_1'), used);
    clock.advance(40_000);
    assert.equal(sessions.find(idle.id, alice, 'gw_1'), null);
    assert.equal(sessions.find(used.id, alice, 'gw_1'), used);
  });

  test('a session is worth nothing to another key, user or gateway', () => {
    const sessions = createSessions(manualClock(), limits);
    const id = sessions.open(alice, 'gw_1', '2025-11-25')?.id as string;
    assert.equal(sessions.find(id, caller('key_2', 'alice'), 'gw_1'), null);
    assert.equal(sessions.find(id, caller('key_1', 'bob'), 'gw_1'), null);
    assert.equal(sessions.find(id, alice, 'gw_2'), null);
    assert.notEqual(sessions.find(id, alice, 'gw_1'), null);
  });

  test('at the cap of a key its own longest idle session makes room, not that of another', () => {
    const sessions = createSessions(manualClock(), limits);
    const bob = caller('key_2', 'bob');
    const ofBob = sessions.open(bob, 'gw_1', '2025-11-25')?.id as string;
    const [first, second] = [1, 2].map(() => sessions.open(alice, 'gw_1', '2025-11-25')?.id as string);
    const third = sessions.open(alice, 'gw_1', '2025-11-25')?.id as string;
    assert.equal(sessions.find(first as string, alice, 'gw_1'), null);
    for (const id of [second as string, third]) assert.notEqual(sessions.find(id, alice, 'gw_1'), null);
    assert.notEqual(sessions.find(ofBob, bob, 'gw_1'), null);
    assert.equal(sessions.size(), 3);
  });

  test('sessions with a call under way are not sacrificed; then a new one is refused', () => {
    const sessions = createSessions(manualClock(), limits);
    for (const id of [1, 2]) {
      sessions.open(alice, 'gw_1', '2025-11-25')?.pending.set(id, new AbortController());
    }
    assert.equal(sessions.open(alice, 'gw_1', '2025-11-25'), null);
  });

  test('ending a session aborts its calls', () => {
    const sessions = createSessions(manualClock(), limits);
    const session = sessions.open(alice, 'gw_1', '2025-11-25');
    assert.ok(session !== null);
    const controller = new AbortController();
    session.pending.set(1, controller);
    sessions.end(session);
    assert.equal(controller.signal.aborted, true);
    assert.equal(sessions.size(), 0);
  });
});
