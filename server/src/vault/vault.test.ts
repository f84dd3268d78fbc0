import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { manualClock } from '#foundation';
import type { Db } from '#storage';
import { silentLog } from '#telemetry';
import { openEmbedded, openTestDatabase, temporaryDirectory } from '../../test/database.ts';
import type { Vault } from './contract.ts';
import { givenKeys, type NamedKey, openTestVault, rootKey } from './fixtures/open.ts';
import { openVault } from './vault.ts';

let db: Db;
before(async () => {
  db = await openTestDatabase();
});
after(() => db.close());
beforeEach(async () => {
  await db.query('delete from vault_keys');
  await db.query('delete from server_keys');
  await db.query('delete from secrets');
});

const open = (...keys: readonly NamedKey[]) => openTestVault(db, givenKeys(...keys));
const payload = { token: 'gho_x', scopes: ['a', 'ü'], none: null };
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.';

describe('boundary', () => {
  it('gives back what was sealed, and shows nothing of it', async () => {
    const vault = await open(['a', rootKey(1)]);
    const sealed = vault.seal('connection', payload, 'con_1');
    assert.match(sealed, /^v1\.vk_[0-9a-f]{32}\.[A-Za-z0-9_-]{80}\.[A-Za-z0-9_-]+$/);
    assert.deepEqual(vault.open('connection', sealed, 'con_1'), payload);
    assert.ok(!Buffer.from(sealed.split('.')[3] as string, 'base64url').includes('gho_'));
    assert.notEqual(vault.seal('connection', payload, 'con_1'), sealed);
  });

  it('gives each record a data key of its own', async () => {
    const vault = await open(['a', rootKey(1)]);
    const [, key, one, oneBody] = vault.seal('p', payload, 'r').split('.');
    const [, , other, otherBody] = vault.seal('p', payload, 'r').split('.');
    assert.notEqual(one, other);
    assert.equal(await vault.open('p', `v1.${key}.${one}.${otherBody}`, 'r'), null);
    assert.equal(await vault.open('p', `v1.${key}.${other}.${oneBody}`, 'r'), null);
  });

  it('keeps neither a vault key nor the root key in the open', async () => {
    await open(['a', rootKey(1)]);
    const rows = JSON.stringify(await db.query('select * from vault_keys'));
    assert.match(rows, /"root_key_id":"a"/);
    for (const encoding of ['base64', 'base64url', 'hex'] as const)
      assert.ok(!rows.includes(rootKey(1).toString(encoding)));
  });

  it('opens after a restart', async () => {
    const sealed = (await open(['a', rootKey(1)])).seal('p', payload, 'r');
    assert.deepEqual((await open(['a', rootKey(1)])).open('p', sealed, 'r'), payload);
    assert.equal((await db.query('select 1 from vault_keys')).length, 1);
  });
});

describe('tampering', () => {
  it('opens no text of which any character was changed, taken away or put in', async () => {
    const vault = await open(['a', rootKey(1)]);
    const sealed = vault.seal('p', { n: 1 }, 'r');
    for (let at = 0; at < sealed.length; at++) {
      const other = alphabet[(alphabet.indexOf(sealed[at] as string) + 1) % alphabet.length];
      const head = sealed.slice(0, at);
      for (const text of [head + other + sealed.slice(at + 1), head + sealed.slice(at + 1), head])
        assert.equal(await vault.open('p', text, 'r'), null, `at ${at}`);
      assert.equal(await vault.open('p', `${head}A${sealed.slice(at)}`, 'r'), null, `A at ${at}`);
    }
    for (const text of ['', ' ', sealed + sealed, `${sealed}=`, ` ${sealed}`, `${sealed}\n`, 'v1...', '\0'])
      assert.equal(await vault.open('p', text, 'r'), null);
  });

  it('opens nothing under the name of another vault key', async () => {
    const first = await open(['a', rootKey(1)]);
    const old = first.seal('p', payload, 'r');
    const second = await open(['b', rootKey(2)], ['a', rootKey(1)]);
    const [, oldId] = old.split('.');
    const [, newId] = second.seal('p', payload, 'r').split('.');
    assert.notEqual(oldId, newId);
    assert.equal(await second.open('p', old.replace(oldId as string, newId as string), 'r'), null);
  });
});

describe('wrong place', () => {
  it('opens only for its purpose and its record', async () => {
    const vault = await open(['a', rootKey(1)]);
    const sealed = vault.seal('connection', payload, 'con_1');
    assert.equal(vault.open('connection', sealed, 'con_2'), null);
    assert.equal(vault.open('secret', sealed, 'con_1'), null);
    assert.equal(vault.open('connection', sealed, ''), null);
    // The two together say the same, each by itself does not.
    const joined = vault.seal('a', payload, '","b');
    assert.equal(vault.open('a","', joined, 'b'), null);
    assert.equal(vault.open('a","","b', joined, ''), null);
  });

  it('opens nothing of another installation', async () => {
    const elsewhere = await openTestDatabase();
    const given = givenKeys(['a', rootKey(1)]);
    const sealed = (await openTestVault(elsewhere, given)).seal('p', payload, 'r');
    assert.equal(await (await openTestVault(db, given)).open('p', sealed, 'r'), null);
    await elsewhere.close();
  });
});

describe('key loss', () => {
  const saved = async () => JSON.stringify(await db.query('select * from vault_keys'));

  it('does not start with another root key, and changes nothing', async () => {
    await open(['environment', rootKey(1)]);
    const before = await saved();
    await assert.rejects(
      open(['environment', rootKey(2)]),
      /root key "environment" \(of this test\) is not the one that sealed .* Put back/,
    );
    assert.equal(await saved(), before);
  });

  it('does not start without the root key, and says which', async () => {
    await open(['main', rootKey(1)]);
    const before = await saved();
    await assert.rejects(
      open(['other', rootKey(2)]),
      /root key "main" is missing.*security\.root_keys again.*Nothing was changed/,
    );
    await assert.rejects(open(), /root key "main" is missing/);
    assert.equal(await saved(), before);
    assert.deepEqual(await db.query('select name from server_keys'), []);
  });

  it('knows a root key by itself: under another name it opens, too', async () => {
    const sealed = (await open(['environment', rootKey(1)])).seal('p', payload, 'r');
    const vault = await open(['main', rootKey(1)]);
    assert.deepEqual(vault.open('p', sealed, 'r'), payload);
    assert.deepEqual(
      (await db.query('select root_key_id, active from vault_keys')).map((row) => Object.values(row)),
      [['main', true]],
    );
  });

  it('says in the error of a record which key cannot be had', async () => {
    const vault = await open(['a', rootKey(1)]);
    await db.query(
      `insert into vault_keys (id, root_key_id, wrapped, active, created_at) values ('vk_far', 'far', 'x', false, now())`,
    );
    const sealed = vault.seal('p', payload, 'r').replace(/^v1\.\w+/, 'v1.vk_far');
    await assert.rejects(
      async () => vault.open('p', sealed, 'r'),
      /vault key vk_far cannot be had: root key "far" is missing/,
    );
  });
});

describe('a root key in a file', () => {
  let embedded: Db;
  let dataDir: string;
  before(async () => {
    embedded = await openEmbedded({ log: silentLog });
    dataDir = temporaryDirectory();
  });
  after(async () => {
    await embedded.close();
    rmSync(dataDir, { recursive: true });
  });
  beforeEach(async () => {
    await embedded.query('delete from vault_keys');
    rmSync(join(dataDir, 'root.key'), { force: true });
  });
  const start = (given = givenKeys()) => openVault({ db: embedded, clock: manualClock(), given, dataDir });
  const path = () => join(dataDir, 'root.key');

  it('is made at the first start, for its owner alone, and stays', async () => {
    const vault = await start();
    const text = readFileSync(path(), 'utf8');
    assert.match(text, /^[A-Za-z0-9+/]{43}=\n$/);
    if (process.platform !== 'win32') assert.equal(statSync(path()).mode & 0o777, 0o600);
    assert.deepEqual(vault.status(), { rootKeyId: 'file', besideData: 'file', retired: 0, seals: true });
    const sealed = vault.seal('p', payload, 'r');
    assert.deepEqual((await start()).open('p', sealed, 'r'), payload);
    assert.equal(readFileSync(path(), 'utf8'), text);
  });

  it('is never made anew where it was lost, damaged or exchanged', async () => {
    await start();
    const text = readFileSync(path(), 'utf8');
    rmSync(path());
    await assert.rejects(start(), /root key "file" is missing.*Put back .*root\.key from your backup/);
    assert.equal(existsSync(path()), false);
    await assert.rejects(start(givenKeys(['main', rootKey(1)])), /root key "file" is missing/);
    writeFileSync(path(), 'nonsense');
    await assert.rejects(start(), /root\.key is damaged/);
    writeFileSync(path(), `${rootKey(3).toString('base64')}\n`);
    await assert.rejects(start(), /root key "file" \(.*root\.key\) is not the one/);
    writeFileSync(path(), text);
    await start();
  });

  it('is not made where another root key is given', async () => {
    const vault = await start(givenKeys(['main', rootKey(1)]));
    assert.equal(existsSync(path()), false);
    assert.deepEqual(vault.status(), { rootKeyId: 'main', besideData: null, retired: 0, seals: true });
  });

  it('that nothing is sealed with stops no start, whatever it holds', async () => {
    const given = givenKeys(['main', rootKey(1)]);
    const sealed = (await start(given)).seal('p', payload, 'r');
    writeFileSync(path(), 'nonsense');
    assert.deepEqual((await start(given)).open('p', sealed, 'r'), payload);
  });

  it('that others may read is told of', { skip: process.platform === 'win32' }, async () => {
    const warnings: unknown[] = [];
    const log = { ...silentLog, warn: (_: unknown, message?: string) => void warnings.push(message) };
    const again = () =>
      openVault({
        ...{ db: embedded, clock: manualClock(), given: givenKeys(), dataDir },
        log: log as typeof silentLog,
      });
    await again();
    assert.deepEqual(warnings, []);
    chmodSync(path(), 0o640);
    await again();
    assert.match(String(warnings), /others than the owner of the root key file may read it/);
  });

  it('may move into the environment', async () => {
    const sealed = (await start()).seal('p', payload, 'r');
    const bytes = Buffer.from(readFileSync(path(), 'utf8'), 'base64');
    rmSync(path());
    assert.deepEqual((await start(givenKeys(['environment', bytes]))).open('p', sealed, 'r'), payload);
  });

  it('says so where the directory takes no file', { skip: process.getuid?.() === 0 }, async () => {
    chmodSync(dataDir, 0o500);
    try {
      await assert.rejects(start(), /root\.key cannot be written \(EACCES\)/);
    } finally {
      chmodSync(dataDir, 0o700);
    }
  });
});

describe('keys of the server', () => {
  it('are the same everywhere and for ever, and lie sealed', async () => {
    const vault = await open(['a', rootKey(1)]);
    const key = await vault.serverKey('cookies');
    assert.equal(key.length, 32);
    assert.ok((await vault.serverKey('cookies')).equals(key));
    assert.ok(!(await vault.serverKey('other')).equals(key));
    assert.ok((await (await open(['a', rootKey(1)])).serverKey('cookies')).equals(key));
    const rows = JSON.stringify(await db.query('select * from server_keys'));
    assert.ok(!rows.includes(key.toString('base64')));
  });

  it('of an earlier version stay the same, and are sealed', async () => {
    const plain = rootKey(9).toString('base64');
    await db.query(`insert into server_keys (name, key, created_at) values ('cookies', $1, now())`, [plain]);
    const vault = await open(['a', rootKey(1)]);
    assert.ok((await vault.serverKey('cookies')).equals(rootKey(9)));
    assert.ok(!JSON.stringify(await db.query('select * from server_keys')).includes(plain));
    assert.ok((await vault.serverKey('cookies')).equals(rootKey(9)));
  });

  it('are not exchanged unseen, and are never the root key', async () => {
    const vault: Vault = await openTestVault(db, givenKeys());
    await vault.serverKey('one');
    await vault.serverKey('two');
    await db.query(
      `update server_keys set key = (select key from server_keys where name = 'one') where name = 'two'`,
    );
    await assert.rejects(vault.serverKey('two'), /server's key "two" .* was changed/);
    await assert.rejects(async () => vault.serverKey('root key'), /not the name/);
  });
});
