import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Fault } from '#foundation';
import { silentLog } from '#telemetry';
import { openTestDatabase, temporaryDirectory } from '../../test/database.ts';
import { defaultMigrationsDir } from './migrations.ts';
import { openDatabase } from './open-database.ts';
import { prepareTemplate } from './template.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = temporaryDirectory();
  await prepareTemplate();
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

describe('the embedded database', () => {
  it('keeps its rows from one start to the next', async () => {
    const first = await openDatabase({ dataDir }, { log: silentLog });
    await first.query('create table kept as select 42 as answer');
    await first.close();
    const second = await openDatabase({ dataDir }, { log: silentLog });
    assert.deepEqual(await second.query('select answer from kept'), [{ answer: 42 }]);
    await second.close();
  });

  it('is not made anew in a directory that holds something else', async () => {
    mkdirSync(join(dataDir, 'db'));
    writeFileSync(join(dataDir, 'db', 'precious'), '');
    await assert.rejects(openDatabase({ dataDir }, { log: silentLog }), /is not empty and holds no database/);
    assert.deepEqual(readdirSync(join(dataDir, 'db')), ['precious']);
  });

  it('refuses a second opener, and lets it in after the first has closed', async () => {
    const db = await openDatabase({ dataDir }, { log: silentLog });
    await assert.rejects(openDatabase({ dataDir }, { log: silentLog }), (thrown: Fault) => {
      assert.ok(thrown instanceof Fault);
      for (const part of [dataDir, `process ${process.pid}`, 'SALLYPORT_DATA_DIR']) {
        assert.ok(thrown.message.includes(part), `${part} is not in: ${thrown.message}`);
      }
      return true;
    });
    await db.close();
    const again = await openDatabase({ dataDir }, { log: silentLog });
    await again.close();
  });
});

describe('migrations', () => {
  it('record what was applied', async () => {
    const db = await openTestDatabase();
    const rows = await db.query('select version, name from schema_migrations order by version');
    await db.close();
    assert.deepEqual(rows[0], { version: 1, name: '0001_spine' });
    assert.equal(rows.length, readdirSync(defaultMigrationsDir).length);
  });
});

describe('a PostgreSQL server', () => {
  it('that does not answer is named without its password', async () => {
    const opening = openDatabase({ url: 'postgres://user:hidden@127.0.0.1:1/sallyport' }, { log: silentLog });
    await assert.rejects(opening, (thrown: Fault) => {
      assert.ok(thrown instanceof Fault);
      assert.match(thrown.message, /127\.0\.0\.1:1\/sallyport.*ECONNREFUSED.*DATABASE_URL/);
      assert.doesNotMatch(thrown.message, /hidden/);
      return true;
    });
  });

  const server = process.env.SALLYPORT_TEST_DATABASE_URL;
  it('is migrated once by two processes that start together', { skip: server === undefined }, async () => {
    const { openOnServer } = await import('../../test/database.ts');
    const empty = temporaryDirectory();
    const db = await openOnServer(server ?? '', { log: silentLog, migrationsDir: empty });
    rmSync(empty, { recursive: true });
    const [row] = await db.query<{ name: string }>('select current_database() as name');
    const url = new URL(server ?? '');
    url.pathname = `/${row?.name}`;
    const both = await Promise.all([1, 2].map(() => openDatabase({ url: url.href }, { log: silentLog })));
    const counted = await db.query('select count(*) from schema_migrations');
    for (const opened of both) await opened.close();
    await db.close();
    assert.deepEqual(counted, [{ count: readdirSync(defaultMigrationsDir).length }]);
  });
});
