import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import type { Scope } from '#domain';
import { createEgress } from '#egress';
import { manualClock } from '#foundation';
import { type Changes, type Db, openChanges } from '#storage';
import { silentLog } from '#telemetry';
import { openVault } from '#vault';
import { anyCharacter } from '../../test/any-character.ts';
import { openTestDatabase } from '../../test/database.ts';
import type { NewApiKey } from './api-keys/contract.ts';
import type { Identity } from './contract.ts';
import { createIdentity } from './identity.ts';

let db: Db;
let clock: ReturnType<typeof manualClock>;
let identity: Identity;

const egress = createEgress({ allow: [] });
let changes: Changes;
const issuer = () => 'http://127.0.0.1:9099';
const restart = async () =>
  createIdentity({
    exchangesTokens: () => false,
    db,
    vault: await openVault({ db, clock }),
    changes,
    egress,
    clock,
    log: silentLog,
    issuer,
  });

before(async () => {
  db = await openTestDatabase();
  changes = await openChanges(db, { clock: manualClock(), log: silentLog });
});
after(async () => {
  changes.close();
  egress.close();
  await db.close();
});
beforeEach(async () => {
  await db.query('delete from api_keys');
  clock = manualClock();
  identity = await restart();
});

function keyLike(more: Partial<NewApiKey> = {}): NewApiKey {
  return {
    projectId: 'default',
    name: 'test',
    scopes: ['call'] satisfies Scope[],
    users: null,
    gateways: null,
    tools: null,
    serviceAccountId: null,
    expiresAt: null,
    ...more,
  };
}

async function principalOf(more: Partial<NewApiKey> = {}) {
  const { plaintext } = await identity.createKey(keyLike(more));
  const found = identity.authenticateKey(`Bearer ${plaintext}`);
  assert.ok(found.ok);
  return found.value;
}

function codeOf(result: ReturnType<Identity['authenticateKey'] | Identity['actAs']>): string {
  return result.ok ? 'ok' : result.error.code;
}

describe('authenticate', () => {
  it('takes a key with or without Bearer, in any case and spacing', async () => {
    const { key, plaintext } = await identity.createKey(keyLike());
    assert.match(plaintext, /^sp_[A-Za-z0-9_-]{43}$/);
    for (const header of [
      `Bearer ${plaintext}`,
      `bearer   ${plaintext} `,
      `BEARER\t${plaintext}`,
      plaintext,
    ]) {
      const found = identity.authenticateKey(header);
      assert.equal(found.ok && found.value.id, key.id);
    }
  });

  it('tells a missing key from an unknown one, and never repeats it', async () => {
    for (const nothing of [undefined, '', '  ', 'Bearer', 'bearer ']) {
      assert.equal(codeOf(identity.authenticateKey(nothing)), 'identity.missing');
    }
    const { plaintext } = await identity.createKey(keyLike());
    const wrong = ['Bearer SEKRET', `Basic ${plaintext}`, `${plaintext}x`, 'bearerSEKRET', 'S'.repeat(9999)];
    for (const header of wrong) {
      const refused = identity.authenticateKey(header);
      assert.equal(codeOf(refused), 'identity.invalid');
      assert.doesNotMatch(JSON.stringify(refused), new RegExp(`SEKRET|${plaintext}`));
    }
  });

  it('refuses any other text', async () => {
    await identity.createKey(keyLike());
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter }), (header) =>
        ['identity.missing', 'identity.invalid'].includes(codeOf(identity.authenticateKey(header))),
      ),
    );
  });

  it('a revoked key is refused on its next call, here and after a restart', async () => {
    const { key, plaintext } = await identity.createKey(keyLike());
    assert.equal(await identity.revokeKey('other', key.id), false);
    assert.equal(codeOf(identity.authenticateKey(plaintext)), 'ok');
    assert.equal(await identity.revokeKey('default', key.id), true);
    assert.equal(codeOf(identity.authenticateKey(plaintext)), 'identity.invalid');
    assert.equal(await identity.revokeKey('default', key.id), false);
    identity = await restart();
    assert.equal(codeOf(identity.authenticateKey(plaintext)), 'identity.invalid');
  });

  it('a key works until the moment it expires', async () => {
    const expiresAt = '2026-01-01T02:00:01+02:00';
    const { key, plaintext } = await identity.createKey(keyLike({ expiresAt }));
    assert.equal(key.expiresAt, '2026-01-01T00:00:01.000Z');
    clock.advance(999);
    assert.equal(codeOf(identity.authenticateKey(plaintext)), 'ok');
    clock.advance(1);
    assert.equal(codeOf(identity.authenticateKey(plaintext)), 'identity.expired');
    identity = await restart();
    assert.equal(codeOf(identity.authenticateKey(plaintext)), 'identity.expired');
  });

  it('a restart keeps keys and everything about them', async () => {
    const { plaintext } = await identity.createKey(
      keyLike({
        name: 'Ünïcode "quoted"',
        scopes: ['read', 'call'],
        users: ['alice@*'],
        gateways: ['eng'],
        tools: ['Github.*'],
        expiresAt: '2030-01-01T00:00:00.000Z',
      }),
    );
    const before = identity.listKeys('default');
    identity = await restart();
    assert.deepEqual(identity.listKeys('default'), before);
    const found = identity.authenticateKey(plaintext);
    assert.ok(found.ok);
    assert.deepEqual([...found.value.permissions], ['read', 'call']);
    assert.deepEqual([...(found.value.gateways ?? [])], ['eng']);
    assert.equal(found.value.tools?.matches('Github.CreateIssue'), true);
    assert.equal(found.value.tools?.matches('Gmail.Send'), false);
    assert.equal(found.value.expiresAtMs, Date.UTC(2030, 0, 1));
  });

  it('admin implies all others but to keep the directory; other scopes imply nothing', async () => {
    assert.deepEqual([...(await principalOf({ scopes: ['admin'] })).permissions].sort(), [
      'administer',
      'approve',
      'audit',
      'call',
      'configure',
      'inspect',
      'read',
    ]);
    for (const scope of ['read', 'call', 'approve', 'provision'] as const)
      assert.deepEqual([...(await principalOf({ scopes: [scope] })).permissions], [scope]);
  });

  it('keys made at the same time are all different and all work', async () => {
    const made = await Promise.all(Array.from({ length: 50 }, () => identity.createKey(keyLike())));
    assert.equal(new Set(made.map(({ plaintext }) => plaintext)).size, 50);
    assert.equal(new Set(made.map(({ key }) => key.id)).size, 50);
    const again = await restart();
    for (const { key, plaintext } of made) {
      for (const room of [identity, again]) {
        const found = room.authenticateKey(plaintext);
        assert.equal(found.ok && found.value.id, key.id);
      }
    }
  });
});

describe('the keys of a project', () => {
  it('are listed by age, and only those of that project', async () => {
    const names = ['one', 'two', 'three'];
    for (const name of names) {
      await identity.createKey(keyLike({ name }));
      await identity.createKey(keyLike({ name, projectId: 'other' }));
      clock.advance(1);
    }
    assert.deepEqual(
      identity.listKeys('default').map(({ name }) => name),
      names,
    );
  });

  it('stand nowhere in the database as plain text', async () => {
    const chosen = 'correct-horse-battery-staple';
    const { plaintext } = await identity.createKey(keyLike());
    await identity.ensureAdminKey(chosen);
    const columns = await db.query<{ table_name: string; column_name: string }>(
      "select table_name, column_name from information_schema.columns where table_schema = 'public'",
    );
    assert.ok(columns.some(({ column_name }) => column_name === 'key_hash'));
    for (const { table_name, column_name } of columns) {
      const rows = await db.query(
        `select 1 from "${table_name}" where "${column_name}"::text like $1 or "${column_name}"::text like $2`,
        [`%${plaintext.slice(8, 20)}%`, `%${chosen.slice(0, 8)}%`],
      );
      assert.equal(rows.length, 0, `${table_name}.${column_name}`);
    }
  });

  it('with an expiry that is no date are not made', async () => {
    await assert.rejects(identity.createKey(keyLike({ expiresAt: 'soon' })), /not a date/);
    assert.deepEqual(identity.listKeys('default'), []);
  });
});

describe('actAs', () => {
  it('gives the caller as named, without the space around', async () => {
    const principal = await principalOf();
    for (const [given, userId] of [
      ['alice', 'alice'],
      [' alice@example.com ', 'alice@example.com'],
      [null, null],
    ] as const) {
      const caller = identity.actAs(principal, given);
      assert.ok(caller.ok);
      assert.equal(caller.value.userId, userId);
      assert.equal(caller.value.principal, principal);
    }
  });

  it('a key restricted to users acts for no one else', async () => {
    const principal = await principalOf({ users: ['alice@corp.example', 'bot-*'] });
    assert.equal(codeOf(identity.actAs(principal, 'alice@corp.example')), 'ok');
    assert.equal(codeOf(identity.actAs(principal, 'bot-7')), 'ok');
    for (const user of ['bob@corp.example', 'alice@corp.example.evil', 'xbot-7']) {
      const refused = identity.actAs(principal, user);
      assert.equal(codeOf(refused), 'identity.user_refused');
      assert.equal(!refused.ok && refused.error.field, 'Arcade-User-ID');
    }
    const closed = await principalOf({ users: [] });
    assert.equal(codeOf(identity.actAs(closed, 'alice')), 'identity.user_refused');
  });

  it('an empty user is missing, an absurd one is invalid', async () => {
    const principal = await principalOf();
    for (const user of ['', '   ']) {
      assert.equal(codeOf(identity.actAs(principal, user)), 'identity.user_missing');
    }
    for (const user of ['x'.repeat(257), 'a\0b', 'a\nb', 'a\u0085b', 'a\ud800']) {
      const refused = identity.actAs(principal, user);
      assert.equal(codeOf(refused), 'request.params_invalid');
      assert.equal(!refused.ok && refused.error.field, 'Arcade-User-ID');
    }
    assert.equal(codeOf(identity.actAs(principal, 'x'.repeat(256))), 'ok');
  });
});

describe('ensureAdminKey', () => {
  it('makes an admin key where there is none, once', async () => {
    const text = await identity.ensureAdminKey(null);
    assert.match(text ?? '', /^sp_[A-Za-z0-9_-]{43}$/);
    const found = identity.authenticateKey(text ?? '');
    assert.ok(found.ok && found.value.permissions.has('administer') && found.value.name === 'admin');
    assert.equal(await identity.ensureAdminKey(null), null);
    identity = await restart();
    assert.equal(await identity.ensureAdminKey(null), null);
    assert.equal(identity.listKeys('default').length, 1);
  });

  it('two servers that start at the same time on one database make one key', async () => {
    const rooms = await Promise.all([restart(), restart(), restart()]);
    const texts = await Promise.all(rooms.map((room) => room.ensureAdminKey(null)));
    assert.equal(texts.filter((text) => text !== null).length, 1);
    assert.equal((await restart()).listKeys('default').length, 1);
  });

  it('makes none where there is any key', async () => {
    await identity.createKey(keyLike());
    assert.equal(await identity.ensureAdminKey(null), null);
    assert.equal(identity.listKeys('default').length, 1);
  });

  it('the key of the environment is an admin key, and changing it replaces it', async () => {
    assert.equal(await identity.ensureAdminKey('first-chosen-key-1'), null);
    const before = identity.listKeys('default');
    identity = await restart();
    clock.advance(1000);
    await identity.ensureAdminKey('first-chosen-key-1');
    assert.deepEqual(identity.listKeys('default'), before);
    const found = identity.authenticateKey('Bearer first-chosen-key-1');
    assert.ok(found.ok && found.value.permissions.has('administer') && found.value.id === 'key_admin_env');

    await identity.ensureAdminKey('second-chosen-key-2');
    for (const room of [identity, await restart()]) {
      assert.equal(codeOf(room.authenticateKey('first-chosen-key-1')), 'identity.invalid');
      assert.equal(codeOf(room.authenticateKey('second-chosen-key-2')), 'ok');
    }
  });

  it('a key that was there with less becomes the admin key', async () => {
    const { plaintext } = await identity.createKey(keyLike({ users: ['alice'] }));
    await identity.ensureAdminKey(plaintext);
    for (const room of [identity, await restart()]) {
      const found = room.authenticateKey(plaintext);
      assert.ok(found.ok && found.value.permissions.has('administer') && found.value.users === null);
      assert.equal(room.listKeys('default').length, 1);
    }
  });
});
