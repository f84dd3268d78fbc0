import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { manualClock } from '#foundation';
import { type Changes, type Db, openChanges } from '#storage';
import { silentLog } from '#telemetry';
import { openTestDatabase } from '../../../test/database.ts';
import { createApiKeys } from './api-keys.ts';
import type { ApiKeys } from './contract.ts';

let db: Db;
let clock: ReturnType<typeof manualClock>;
const opened: Changes[] = [];

before(async () => {
  db = await openTestDatabase();
});
after(async () => {
  for (const changes of opened) changes.close();
  await db.close();
});
beforeEach(async () => {
  await db.query('delete from api_keys');
  clock = manualClock();
});

/** One of several on the same database. */
async function replica(): Promise<{ keys: ApiKeys; hear: () => Promise<void> }> {
  const changes = await openChanges(db, { clock, log: silentLog }, true);
  opened.push(changes);
  const keys = await createApiKeys({
    db,
    changes,
    clock,
    log: silentLog,
    serviceAccounts: { get: () => null },
  });
  return { keys, hear: async () => void (await changes.look()) };
}

const unrestricted = { users: null, gateways: null, tools: null, serviceAccountId: null, expiresAt: null };
const draft = { projectId: 'default', name: 'k', scopes: ['admin'] as const, ...unrestricted };

function codeOf({ authenticate }: ApiKeys, key: string): string {
  const found = authenticate(key);
  return found.ok ? 'ok' : found.error.code;
}

describe('API keys of replicas', () => {
  it('are known, and refused once they are revoked or expire sooner, on each that heard of it', async () => {
    const [here, there] = [await replica(), await replica()];
    const { key, plaintext } = await here.keys.createKey(draft);
    await there.hear();
    assert.equal(codeOf(there.keys, plaintext), 'ok');

    const expiresAt = new Date(clock.now() + 1000).toISOString();
    assert.equal((await here.keys.updateKey('default', key.id, { expiresAt }))?.expiresAt, expiresAt);
    await there.hear();
    clock.advance(1000);
    for (const { keys } of [here, there]) assert.equal(codeOf(keys, plaintext), 'identity.expired');

    await here.keys.updateKey('default', key.id, { expiresAt: null, name: 'renamed' });
    await there.hear();
    assert.equal(codeOf(there.keys, plaintext), 'ok');
    assert.equal(there.keys.listKeys('default')[0]?.name, 'renamed');

    assert.equal(await here.keys.revokeKey('default', key.id), true);
    await there.hear();
    for (const { keys } of [here, there]) assert.equal(codeOf(keys, plaintext), 'identity.invalid');
  });

  it('of another project are not changed', async () => {
    const { keys } = await replica();
    const { key } = await keys.createKey(draft);
    assert.equal(await keys.updateKey('other', key.id, { name: 'x' }), null);
    assert.equal(await keys.revokeKey('other', key.id), false);
    assert.equal(keys.listKeys('default')[0]?.name, 'k');
  });
});

describe('the first admin key, and the one of the environment', () => {
  it('own the installation, as no other admin key does', async () => {
    const { keys } = await replica();
    const first = (await keys.ensureAdminKey(null)) ?? '';
    await keys.ensureAdminKey('key-of-the-environment');
    const { plaintext } = await keys.createKey(draft);
    for (const [key, owns] of [
      [first, true],
      ['key-of-the-environment', true],
      [plaintext, false],
    ] as const) {
      const found = keys.authenticate(key);
      assert.ok(found.ok && found.value.permissions.has('administer'));
      assert.equal(found.value.permissions.has('own'), owns);
    }
  });
});
