import assert from 'node:assert/strict';
import { generateKeyPairSync, type JsonWebKey } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import { manualClock } from '#foundation';
import { type Changes, type Db, openChanges } from '#storage';
import { silentLog } from '#telemetry';
import { openTestDatabase } from '../../../test/database.ts';
import { createApiKeys } from '../api-keys/api-keys.ts';
import type { NewApiKey } from '../api-keys/contract.ts';
import type { ServiceAccounts } from './contract.ts';
import { checkPublicKeys } from './public-keys.ts';
import { createServiceAccounts } from './service-accounts.ts';

let db: Db;
let changes: Changes;
let clock: ReturnType<typeof manualClock>;
let accounts: ServiceAccounts;

before(async () => {
  db = await openTestDatabase();
  changes = await openChanges(db, { clock: manualClock(), log: silentLog });
});
after(async () => {
  changes.close();
  await db.close();
});
beforeEach(async () => {
  await db.query('delete from api_keys');
  await db.query('delete from service_accounts');
  clock = manualClock();
  accounts = await restart();
});

const restart = () => createServiceAccounts({ db, changes, clock });
const asked = {
  projectId: 'default',
  name: 'Nightly report',
  description: 'Counts',
  jwks: null,
  role: 'member',
} as const;
const made = (more: object = {}) => accounts.create({ ...asked, ...more }, { withSecret: true });

describe('a service account', () => {
  it('has a secret that is shown once, and stands nowhere in the database', async () => {
    const { account, secret } = await made();
    assert.match(secret ?? '', /^sps_[\w-]{43}$/);
    assert.match(account.id, /^svc_[0-9a-f]{32}$/);
    assert.equal(accounts.isSecret(account.id, secret ?? ''), true);
    const [row] = await db.query('select * from service_accounts');
    assert.ok(!JSON.stringify(row).includes((secret ?? '').slice(4, 20)));
    assert.ok(!JSON.stringify(accounts.list('default')).includes((secret ?? '').slice(4, 20)));
  });

  it('takes no other secret: not that of another, none, nor a digest', async () => {
    const { account, secret } = await made();
    const other = await made();
    const [row] = await db.query<{ secret_hash: string }>(
      'select secret_hash from service_accounts where id = $1',
      [account.id],
    );
    for (const wrong of ['', other.secret ?? '', `${secret}x`, row?.secret_hash ?? ''])
      assert.equal(accounts.isSecret(account.id, wrong), false);
    const without = await accounts.create(asked, { withSecret: false });
    assert.equal(without.secret, null);
    for (const nobody of [without.account.id, 'svc_none', ''])
      for (const tried of ['', secret ?? '']) assert.equal(accounts.isSecret(nobody, tried), false);
  });

  it('with a new secret takes the one before no more, here and after a restart', async () => {
    const { account, secret } = await made();
    const renewed = await accounts.renewSecret('default', account.id);
    assert.ok(renewed.ok);
    for (const room of [accounts, await restart()]) {
      assert.equal(room.isSecret(account.id, secret ?? ''), false);
      assert.equal(room.isSecret(account.id, renewed.value.secret), true);
    }
  });

  it('keeps what a change leaves out, and a restart keeps all of it', async () => {
    const jwks = { keys: [publicKey('rsa')] };
    const { account } = await made({ jwks, role: 'editor' });
    clock.advance(1000);
    const changed = await accounts.update('default', account.id, { name: 'Another', active: false });
    assert.ok(changed.ok);
    const { updatedAt, ...same } = changed.value;
    const { updatedAt: before, ...rest } = account;
    assert.deepEqual(same, { ...rest, name: 'Another', active: false });
    assert.ok(updatedAt > before);
    assert.deepEqual((await restart()).get(account.id), changed.value);
    const without = await accounts.update('default', account.id, { jwks: null });
    assert.equal(without.ok && without.value.jwks, null);
  });

  it('does not exist in another project', async () => {
    const { account } = await made();
    for (const tried of [
      await accounts.update('other', account.id, { name: 'stolen' }),
      await accounts.renewSecret('other', account.id),
      await accounts.remove('other', account.id),
    ]) {
      assert.equal(tried.ok, false);
      assert.equal(!tried.ok && tried.error.code, 'resource.unknown');
    }
    assert.deepEqual(accounts.list('other'), []);
    assert.deepEqual(accounts.list('default'), [account]);
  });

  it('that another replica changed or deleted is seen as it is', async () => {
    const heard = new Map<string, (key: string | null) => unknown>();
    const listening = {
      ...changes,
      on: (topic: string, listener: (key: string | null) => unknown) => void heard.set(topic, listener),
    };
    const replica = await createServiceAccounts({ db, changes: listening as Changes, clock });
    const hear = async (key: string | null) => await heard.get('service_accounts')?.(key);
    const { account, secret } = await made();
    assert.equal(replica.get(account.id), null);
    await hear(account.id);
    assert.equal(replica.isSecret(account.id, secret ?? ''), true);
    await accounts.update('default', account.id, { active: false });
    await hear(account.id);
    assert.equal(replica.get(account.id)?.active, false);
    await accounts.remove('default', account.id);
    await hear(null);
    assert.equal(replica.get(account.id), null);
  });
});

function publicKey(kind: 'rsa' | 'ed25519' | 'P-256' | 'secp256k1', bits = 2048): JsonWebKey {
  const { publicKey: key } =
    kind === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: bits })
      : kind === 'ed25519'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('ec', { namedCurve: kind });
  return key.export({ format: 'jwk' });
}

describe('the public keys of a service account', () => {
  const problemOf = (...keys: object[]) =>
    checkPublicKeys({ keys: keys.map((key) => ({ ...key })) })?.message ?? null;

  it('are RSA, elliptic or Ed25519 ones that can be read', () => {
    assert.equal(checkPublicKeys(null), null);
    assert.equal(problemOf({ ...publicKey('rsa'), alg: 'PS256', use: 'sig', kid: 'a' }), null);
    assert.equal(problemOf({ ...publicKey('P-256'), alg: 'ES256' }), null);
    assert.equal(problemOf({ ...publicKey('ed25519'), alg: 'EdDSA' }), null);
  });

  it('are refused where they cannot be what they say, by the field', () => {
    for (const [key, problem] of [
      [{ kty: 'RSA', e: 'AQAB' }, /^jwks\.keys\.0: must be a public key that can be read$/],
      [{ kty: 'oct' }, /can be read/],
      [publicKey('rsa', 1024), /n: must have at least 2048 bits/],
      [publicKey('secp256k1'), /must be an RSA, P-256/],
      [{ ...publicKey('rsa'), alg: 'HS256' }, /alg: this kind of key takes RS256/],
      [{ ...publicKey('P-256'), alg: 'RS256' }, /alg: this kind of key takes ES256/],
      [{ ...publicKey('rsa'), use: 'enc' }, /use: must be sig/],
      [{ ...publicKey('rsa'), kid: 7 }, /kid: must be text/],
    ] as const) {
      assert.match(problemOf(key) ?? '', problem);
    }
    assert.match(problemOf(publicKey('rsa'), publicKey('rsa')) ?? '', /^jwks\.keys\.1: kid/);
  });

  it('are kept without what else came along', async () => {
    const key = {
      ...publicKey('rsa'),
      kid: 'a',
      x5u: 'https://evil.example/',
      x5c: ['…'],
      jku: 'https://evil.example/',
    };
    const { account } = await made({ jwks: { keys: [key] } });
    assert.deepEqual(Object.keys(account.jwks?.keys[0] ?? {}).sort(), ['e', 'kid', 'kty', 'n']);
  });
});

describe('an API key of a service account', () => {
  const keyLike: NewApiKey = {
    projectId: 'default',
    name: 'key',
    scopes: ['read', 'call'],
    users: null,
    gateways: null,
    tools: null,
    serviceAccountId: null,
    expiresAt: null,
  };
  async function keyOf(more: Partial<NewApiKey>) {
    const keys = await createApiKeys({ db, changes, clock, log: silentLog, serviceAccounts: accounts });
    const { plaintext } = await keys.createKey({ ...keyLike, ...more });
    return { keys, plaintext };
  }

  it('is it where it names nobody, and can do no more than it', async () => {
    const { account } = await made();
    const { keys, plaintext } = await keyOf({ serviceAccountId: account.id, scopes: ['admin'] });
    const found = keys.authenticate(plaintext);
    assert.ok(found.ok);
    assert.equal(found.value.actsAs, account.id);
    assert.deepEqual([...found.value.permissions].sort(), ['call', 'read']);
    await accounts.update('default', account.id, { role: 'auditor' });
    const later = keys.authenticate(plaintext);
    assert.deepEqual(later.ok && [...later.value.permissions].sort(), ['audit', 'inspect', 'read']);
  });

  it('of nobody acts as nobody', async () => {
    const { keys, plaintext } = await keyOf({});
    const found = keys.authenticate(plaintext);
    assert.equal(found.ok && found.value.actsAs, undefined);
  });

  it('is refused on its next call once the account is deactivated, and works again afterwards', async () => {
    const { account } = await made();
    const { keys, plaintext } = await keyOf({ serviceAccountId: account.id });
    const codes = [];
    for (const active of [false, true]) {
      await accounts.update('default', account.id, { active });
      const found = keys.authenticate(plaintext);
      codes.push(found.ok ? 'ok' : found.error.code);
    }
    assert.deepEqual(codes, ['identity.deactivated', 'ok']);
  });

  it('goes with the account: refused on its next call, listed no more, and gone from the database', async () => {
    const { account } = await made();
    const { keys, plaintext } = await keyOf({ serviceAccountId: account.id });
    await accounts.remove('default', account.id);
    const found = keys.authenticate(plaintext);
    assert.equal(!found.ok && found.error.code, 'identity.invalid');
    assert.deepEqual(keys.listKeys('default'), []);
    assert.deepEqual(await db.query('select id from api_keys'), []);
  });
});
