import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { Fault, manualClock } from '#foundation';
import { type Db, openChanges } from '#storage';
import { silentLog } from '#telemetry';
import { openTestDatabase } from '../../test/database.ts';
import type { KeyService, Vault } from './contract.ts';
import { givenKeys, openTestVault, rootKey } from './fixtures/open.ts';
import { createLocalKey } from './services/local.ts';

let db: Db;
before(async () => {
  db = await openTestDatabase();
});
after(() => db.close());
beforeEach(async () => {
  for (const table of ['vault_keys', 'server_keys', 'secrets', 'auth_providers', 'changes'])
    await db.query(`delete from ${table}`);
});

const old = ['old', rootKey(1)] as const;
const next = ['next', rootKey(2)] as const;
const onlyOld = givenKeys(old);
const both = givenKeys(next, old);
const onlyNext = givenKeys(next);
const lateMs = 10 * 60_000;

/** As a replica of a shared database sees it, whichever it is. */
const shared = (): Db => ({ ...db, kind: 'postgres' });
/** As the embedded database is: nobody else writes. */
const alone = (): Db => ({ ...db, kind: 'pglite' });

async function keep(vault: Vault, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n++)
    await db.query(
      `insert into secrets (id, organization_id, project_id, key, description, sealed, created_at, updated_at)
       values ($1, 'default', '', $1, '', $2, now(), now())`,
      [`sec_${n}`, vault.seal('secret', { n }, `sec_${n}`)],
    );
}

async function assertAllOpen(vault: Vault, count: number): Promise<void> {
  const rows = await db.query<{ id: string; sealed: string }>('select id, sealed from secrets');
  assert.equal(rows.length, count);
  for (const { id, sealed } of rows)
    assert.deepEqual(await vault.open('secret', sealed, id), { n: Number(id.slice(4)) });
}

const keys = () =>
  db.query<{ id: string; root_key_id: string; active: boolean }>(
    'select id, root_key_id, active from vault_keys order by active, id',
  );
const usedKeys = async () =>
  (await db.query<{ key: string }>(`select distinct split_part(sealed, '.', 2) as key from secrets`)).map(
    ({ key }) => key,
  );

describe('rotation', () => {
  it('moves every record; then the old root key is not needed any more', async () => {
    const first = await openTestVault(alone(), onlyOld);
    await keep(first, 0, 450);
    const bodies = async () => {
      const rows = await db.query(
        `select split_part(sealed, '.', 4) as body from secrets where id <> 'sec_450' order by id`,
      );
      return rows.map(({ body }) => body).join(' ');
    };
    const before = await bodies();
    const [oldKey] = await usedKeys();

    const second = await openTestVault(alone(), both);
    assert.deepEqual(
      (await keys()).map(({ root_key_id, active }) => [root_key_id, active]),
      [
        ['old', false],
        ['next', true],
      ],
    );
    assert.equal(second.status().retired, 1);
    await assertAllOpen(second, 450);
    await keep(second, 450, 451);
    await second.move();

    const [onlyKey, ...others] = await keys();
    assert.deepEqual([onlyKey?.root_key_id, onlyKey?.active, others.length], ['next', true, 0]);
    assert.deepEqual(await usedKeys(), [onlyKey?.id]);
    assert.notEqual(onlyKey?.id, oldKey);
    assert.ok((await bodies()) === before, 'a body was changed');
    assert.equal(second.status().retired, 0);
    await assertAllOpen(await openTestVault(alone(), onlyNext), 451);
  });

  it('an old root key that is taken away too early is missed at the start', async () => {
    const first = await openTestVault(alone(), onlyOld);
    await keep(first, 0, 3);
    await openTestVault(alone(), both);
    await assert.rejects(openTestVault(alone(), onlyNext), /root key "old" is missing.*Nothing was changed/);
    const again = await openTestVault(alone(), both);
    await again.move();
    await assertAllOpen(await openTestVault(alone(), onlyNext), 3);
  });

  it('is made once, however often it starts and whoever starts', async () => {
    await openTestVault(shared(), onlyOld);
    await Promise.all([1, 2, 3, 4].map(() => openTestVault(shared(), both)));
    assert.deepEqual(
      (await keys()).map(({ root_key_id, active }) => [root_key_id, active]),
      [
        ['old', false],
        ['next', true],
      ],
    );
  });

  it('goes on where it was killed', async () => {
    const first = await openTestVault(alone(), onlyOld);
    await keep(first, 0, 450);
    let batches = 0;
    const dying: Db = {
      ...alone(),
      query: (sql, params) => {
        if (sql.includes('update secrets') && batches++ === 1) throw new Error('killed');
        return db.query(sql, params);
      },
    };
    await assert.rejects((await openTestVault(dying, both)).move(), /killed/);
    assert.equal((await usedKeys()).length, 2);
    assert.equal((await keys()).length, 2);
    const again = await openTestVault(alone(), both);
    await again.move();
    assert.equal((await usedKeys()).length, 1);
    await assertAllOpen(await openTestVault(alone(), onlyNext), 450);
  });

  it('never undoes what somebody writes meanwhile', async () => {
    const first = await openTestVault(alone(), onlyOld);
    await keep(first, 0, 5);
    let writes = 0;
    const busy: Db = {
      ...alone(),
      async query(sql, params) {
        if (sql.includes('update secrets') && writes++ === 0) {
          const sealed = first.seal('secret', { n: 3, renewed: true }, 'sec_3');
          await db.query(`update secrets set sealed = $1 where id = 'sec_3'`, [sealed]);
          await db.query(`delete from secrets where id = 'sec_4'`);
        }
        return db.query(sql, params);
      },
    };
    const vault = await openTestVault(busy, both);
    await vault.move();
    await vault.move();
    const last = await openTestVault(alone(), onlyNext);
    const rows = await db.query<{ id: string; sealed: string }>('select id, sealed from secrets order by id');
    assert.deepEqual(await Promise.all(rows.map(({ id, sealed }) => last.open('secret', sealed, id))), [
      { n: 0 },
      { n: 1 },
      { n: 2 },
      { n: 3, renewed: true },
    ]);
  });

  it('by several replicas at once loses nothing', async () => {
    const first = await openTestVault(shared(), onlyOld);
    await keep(first, 0, 450);
    const replicas = await Promise.all([1, 2, 3].map(() => openTestVault(shared(), both)));
    await Promise.all(replicas.map((vault) => vault.move()));
    assert.equal((await usedKeys()).length, 1);
    for (const vault of replicas) await assertAllOpen(vault, 450);
  });

  it('finds sealed columns that nobody named, and every one that somebody did', async () => {
    await db.query('create table kept_elsewhere (sealed text, token text)');
    try {
      const first = await openTestVault(alone(), onlyOld);
      const row = [first.seal('p', 1, 'r'), first.seal('p', 2, 'r')];
      await db.query('insert into kept_elsewhere (sealed, token) values ($1, $2)', row);
      const second = await openTestVault(alone(), both);
      second.keeps({ table: 'kept_elsewhere', column: 'token' });
      await second.move();
      const last = await openTestVault(alone(), onlyNext);
      const [kept] = await db.query<{ sealed: string; token: string }>('select * from kept_elsewhere');
      assert.deepEqual(
        [last.open('p', kept?.sealed ?? '', 'r'), last.open('p', kept?.token ?? '', 'r')],
        [1, 2],
      );
    } finally {
      await db.query('drop table kept_elsewhere');
    }
  });

  it('is not held up by a record that opens for nobody, and leaves it as it is', async () => {
    const first = await openTestVault(alone(), onlyOld);
    await keep(first, 0, 3);
    await db.query(`update secrets set sealed = overlay(sealed placing 'AAAA' from 50) where id = 'sec_1'`);
    const [before] = await db.query(`select sealed from secrets where id = 'sec_1'`);
    const second = await openTestVault(alone(), both);
    await second.move();
    assert.equal((await keys()).length, 1);
    assert.deepEqual((await db.query(`select sealed from secrets where id = 'sec_1'`))[0], before);
  });
});

describe('replicas', () => {
  it('that start at once on an empty database make one vault key, and one root key where none is given', async () => {
    const none = givenKeys();
    const vaults = await Promise.all([1, 2, 3, 4].map(() => openTestVault(shared(), none)));
    assert.equal((await keys()).length, 1);
    assert.deepEqual(await db.query('select name from server_keys'), [{ name: 'root key' }]);
    const sealed = vaults.map((vault, n) => vault.seal('p', n, 'r'));
    for (const vault of vaults)
      assert.deepEqual(await Promise.all(sealed.map((text) => vault.open('p', text, 'r'))), [0, 1, 2, 3]);
    const same = await Promise.all(vaults.map((vault) => vault.serverKey('cookies')));
    for (const key of same) assert.ok(key.equals(same[0] as Buffer));
  });

  it('open at once what another sealed with a key that they have not seen, and follow it', async () => {
    const clock = manualClock();
    const changes = await openChanges(db, { clock, log: silentLog }, true);
    const here = await openTestVault(shared(), givenKeys(old, next), { changes });
    const told = await openChanges(db, { clock, log: silentLog }, true);
    const there = await openTestVault(shared(), both, { changes: told });
    const sealed = there.seal('p', 'x', 'r');
    const opening = here.open('p', sealed, 'r');
    assert.ok(opening instanceof Promise);
    assert.equal(await opening, 'x');
    assert.equal(here.open('p', sealed, 'r'), 'x');
    const keyOf = (text: string) => text.split('.')[1];
    assert.notEqual(keyOf(here.seal('p', 'y', 'r')), keyOf(sealed));
    await changes.look();
    assert.equal(keyOf(here.seal('p', 'y', 'r')), keyOf(sealed));
  });

  it('that cannot have the new key seal nothing any more, and open what they could', async () => {
    const clock = manualClock();
    const changes = await openChanges(db, { clock, log: silentLog }, true);
    const here = await openTestVault(shared(), onlyOld, { changes });
    const sealed = here.seal('p', 'x', 'r');
    const told = await openChanges(db, { clock, log: silentLog }, true);
    await openTestVault(shared(), both, { changes: told });
    await changes.look();
    assert.throws(() => here.seal('p', 'y', 'r'), /cannot have: root key "next" is missing/);
    assert.equal(here.status().seals, false);
    assert.equal(here.open('p', sealed, 'r'), 'x');
  });

  it('for whom the key service did not answer have the new key once it does', async () => {
    const clock = manualClock();
    const errors: string[] = [];
    const log = { ...silentLog, error: (_: unknown, message?: string) => void errors.push(message ?? '') };
    let isDown = true;
    const local = createLocalKey('next', rootKey(2), 'of this test');
    const service: KeyService = {
      ...local,
      async unwrap(wrapped, context) {
        if (isDown) throw new Fault('the key service does not answer');
        return local.unwrap(wrapped, context);
      },
    };
    const given = { keys: [...onlyOld.keys, { service, isLocal: false }], defaultId: 'old' };
    const changes = await openChanges(db, { clock, log: silentLog }, true);
    const here = await openTestVault(shared(), given, { changes, clock, log: log as typeof silentLog });
    here.keepUp();
    const told = await openChanges(db, { clock, log: silentLog }, true);
    const there = await openTestVault(shared(), both, { changes: told });
    await changes.look();
    assert.throws(() => here.seal('p', 'y', 'r'), /does not answer/);
    clock.advance(60_000);
    await here.settled();
    assert.equal(here.status().seals, false);
    isDown = false;
    clock.advance(60_000);
    await here.settled();
    assert.equal(here.status().seals, true);
    assert.equal(await there.open('p', here.seal('p', 'y', 'r'), 'r'), 'y');
    assert.equal(errors.filter((message) => message.startsWith('nothing can be sealed')).length, 1);
    await here.close();
  });

  it('that write late with the old key lose nothing: it stays for ten minutes', async () => {
    const clock = manualClock(Date.now());
    const here = await openTestVault(shared(), givenKeys(old, next), { clock });
    const there = await openTestVault(shared(), both, { clock });
    await there.move();
    assert.equal((await keys()).length, 2);
    await keep(here, 0, 2);
    clock.advance(lateMs);
    await there.move();
    assert.deepEqual(
      (await keys()).map(({ root_key_id }) => root_key_id),
      ['next'],
    );
    await assertAllOpen(await openTestVault(shared(), onlyNext), 2);
  });
});

describe('a root key in the database', () => {
  it('is said to lie there, and goes once another seals everything', async () => {
    const clock = manualClock(Date.now());
    const first = await openTestVault(shared(), givenKeys(), { clock });
    assert.deepEqual(first.status(), {
      rootKeyId: 'database',
      besideData: 'database',
      retired: 0,
      seals: true,
    });
    await keep(first, 0, 3);
    const cookies = await first.serverKey('cookies');
    const second = await openTestVault(shared(), onlyNext, { clock });
    assert.deepEqual(second.status(), { rootKeyId: 'next', besideData: null, retired: 1, seals: true });
    await second.move();
    const names = async () =>
      (await db.query('select name from server_keys order by name')).map(({ name }) => name);
    assert.deepEqual(await names(), ['cookies', 'root key']);
    clock.advance(lateMs);
    await second.move();
    await second.move();
    assert.deepEqual(await names(), ['cookies']);
    const last = await openTestVault(shared(), onlyNext, { clock });
    await assertAllOpen(last, 3);
    assert.ok((await last.serverKey('cookies')).equals(cookies));
  });

  it('is never made anew where it was lost', async () => {
    await openTestVault(shared(), givenKeys());
    await db.query('delete from server_keys');
    await assert.rejects(
      openTestVault(shared(), givenKeys()),
      /root key "database" is missing.*from a backup/,
    );
    assert.deepEqual(await db.query('select name from server_keys'), []);
  });
});

describe('moving in the background', () => {
  it('begins by itself, is tried again after a failure, and stops with the vault', async () => {
    const clock = manualClock();
    const first = await openTestVault(alone(), onlyOld);
    await keep(first, 0, 3);
    let fails = true;
    const errors: string[] = [];
    const log = { ...silentLog, error: (_: unknown, message?: string) => void errors.push(message ?? '') };
    const flaky: Db = {
      ...alone(),
      async query(sql, params) {
        if (fails && sql.includes('update secrets')) throw new Error('busy');
        return db.query(sql, params);
      },
    };
    const vault = await openTestVault(flaky, both, { clock, log: log as typeof silentLog });
    vault.keepUp();
    await vault.settled();
    assert.deepEqual(errors, ['records cannot be moved to the new vault key']);
    clock.advance(60_000);
    await vault.settled();
    assert.equal(errors.length, 1, 'the same words once');
    fails = false;
    clock.advance(60_000);
    await vault.settled();
    assert.equal((await keys()).length, 1);
    await vault.close();
    clock.advance(60_000);
    await assertAllOpen(await openTestVault(alone(), onlyNext), 3);
  });
});
