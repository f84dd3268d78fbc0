import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { manualClock } from '#foundation';
import { type MailWorld, startMailWorld } from '../fixtures/mail-world.ts';

describe('an authorization that nobody finishes', () => {
  const clock = manualClock(Date.parse('2026-03-01T12:00:00Z'));
  let late: MailWorld;
  before(async () => {
    late = await startMailWorld({ clock });
  });
  after(() => late?.close());

  it('fails after ten minutes: told once, and begun anew with another address', async () => {
    const asked = { auth_requirement: { id: 'google' }, user_id: 'ann' };
    const begin = async () => (await late.server.ask('POST', '/v1/auth/authorize', { body: asked })).body;
    const follow = () => late.server.ask('GET', `/v1/auth/status?id=${first.id}`);
    const first = await begin();
    clock.advance(9 * 60_000);
    assert.equal((await begin()).url, first.url);
    clock.advance(60_000);
    const told = await follow();
    assert.deepEqual([told.status, told.body.status, told.body.error.code], [200, 'failed', 'expired']);
    assert.deepEqual([(await follow()).status, (await follow()).body.details.code], [400, 'expired']);
    const second = await begin();
    assert.equal(second.status, 'pending');
    assert.notEqual(second.url, first.url);
  });

  it('keeps no process from ending: who waits is told how it is', async () => {
    const asked = { auth_requirement: { id: 'google' }, user_id: 'bob' };
    const { body } = await late.server.ask('POST', '/v1/auth/authorize', { body: asked });
    const waits = late.server.ask('GET', `/v1/auth/status?id=${body.id}&wait=59`);
    // Asked later and answered, so that the other one is waiting.
    await late.server.ask('GET', `/v1/auth/status?id=${body.id}`);
    await late.close();
    assert.equal((await waits).body.status, 'pending');
  });
});
