import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { manualClock } from '#foundation';
import { silentLog } from '#telemetry';
import { temporaryDirectory } from '../../test/database.ts';
import { defaultMigrationsDir } from './migrations.ts';
import { openDatabase } from './open-database.ts';
import { prepareTemplate } from './template.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = temporaryDirectory();
  await prepareTemplate();
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

/** Starts `writing-child.ts`, kills it after `commits` commits, and returns the last number that it acknowledged. */
async function writeAndKill(commits: number): Promise<number> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'writing-child.ts'), dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  let acknowledged = 0;
  let seen = 0;
  for await (const line of createInterface(child.stdout)) {
    acknowledged = Number(line);
    if (++seen === commits) child.kill('SIGKILL');
  }
  await exited;
  assert.ok(seen >= commits, 'the child ended by itself');
  return acknowledged;
}

it('a process that is killed loses no acknowledged transaction and leaves none half done', async () => {
  for (const commits of [1, 7, 40]) {
    const acknowledged = await writeAndKill(commits);
    const db = await openDatabase({ dataDir }, { log: silentLog });
    const [row] = await db.query<{ rows: number; last: number; torn: number }>(
      `select count(*) as rows, max(id) as last,
          count(*) filter (where not exists (select from pairs b where b.id = a.other)) as torn from pairs a`,
    );
    await db.close();
    assert.ok(row !== undefined && row.last >= acknowledged);
    assert.deepEqual([row.rows, row.torn], [row.last, 0]);
  }
});

it('a process that is killed in its first start leaves nothing that the next one opens', async () => {
  mkdirSync(join(dataDir, 'db.new', 'base'), { recursive: true });
  writeFileSync(join(dataDir, 'db.new', 'PG_VERSION'), '18\n');
  const db = await openDatabase({ dataDir }, { log: silentLog });
  assert.deepEqual(await db.query('select count(*) from audit_events'), [{ count: 0 }]);
  await db.close();
  assert.equal(existsSync(join(dataDir, 'db.new')), false);
});

describe('the embedded database', () => {
  for (const ending of ['await db.close();', '']) {
    it(`does not keep a finished process alive ${ending === '' ? 'when it was left open' : 'once closed'}`, async () => {
      const code = `const { openDatabase } = await import(${JSON.stringify(join(import.meta.dirname, 'index.ts'))});
        const log = { error() {} };
        const db = await openDatabase({ dataDir: ${JSON.stringify(dataDir)} }, { log });
        await db.query('select 1');
        ${ending}`;
      const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', code], {
        stdio: 'inherit',
      });
      const [exitCode] = await once(child, 'exit');
      assert.equal(exitCode, 0);
    });
  }

  it('is vacuumed and analysed ten minutes after writes', async () => {
    const clock = manualClock();
    const db = await openDatabase({ dataDir }, { log: silentLog, clock });
    const analysed = async () => {
      const [row] = await db.query<{ rows: number }>(
        "select reltuples::int as rows from pg_class where relname = 'kept'",
      );
      return row?.rows;
    };
    const pass = async (minutes: number) => {
      for (let minute = 0; minute < minutes; minute++) {
        clock.advance(60_000);
        for (let turn = 0; turn < 5; turn++) await db.ping();
      }
    };
    await pass(1);
    await db.query('create table kept as select generate_series(1, 100) as a');
    await pass(8);
    assert.equal(await analysed(), -1);
    await pass(1);
    assert.equal(await analysed(), 100);
    await db.close();
  });

  it('is made from nothing where there is no prepared one', async () => {
    const migrationsDir = join(dataDir, 'migrations');
    cpSync(defaultMigrationsDir, migrationsDir, { recursive: true });
    const next = String(readdirSync(migrationsDir).length + 1).padStart(4, '0');
    writeFileSync(
      join(migrationsDir, `${next}_more.sql`),
      'create table more (a int); insert into more values (1);',
    );
    const db = await openDatabase({ dataDir }, { log: silentLog, migrationsDir });
    assert.deepEqual(await db.query('select a from more'), [{ a: 1 }]);
    await db.close();
  });
});

describe('migrations', () => {
  it('refuse one that was edited after it was applied', async () => {
    const migrationsDir = join(dataDir, 'migrations');
    cpSync(defaultMigrationsDir, migrationsDir, { recursive: true });
    await (await openDatabase({ dataDir }, { log: silentLog, migrationsDir })).close();
    writeFileSync(join(migrationsDir, '0001_spine.sql'), 'create table other (a int)');
    await assert.rejects(
      openDatabase({ dataDir }, { log: silentLog, migrationsDir }),
      /Migration 0001_spine is not the one that was applied/,
    );
    cpSync(defaultMigrationsDir, migrationsDir, { recursive: true });
    await (await openDatabase({ dataDir }, { log: silentLog, migrationsDir })).close();
  });

  it('refuse a database that a newer version migrated', async () => {
    const db = await openDatabase({ dataDir }, { log: silentLog });
    await db.query("insert into schema_migrations values (999, '0999_future', '', now())");
    await db.close();
    await assert.rejects(openDatabase({ dataDir }, { log: silentLog }), /a newer Sallyport.*0999_future/);
  });

  it('that fail are undone whole and say why', async () => {
    const migrationsDir = join(dataDir, 'migrations');
    mkdirSync(migrationsDir);
    writeFileSync(join(migrationsDir, '0001_bad.sql'), 'create table half (a int); select nonsense;');
    await assert.rejects(openDatabase({ dataDir }, { log: silentLog, migrationsDir }), /nonsense/);
    writeFileSync(join(migrationsDir, '0001_bad.sql'), 'create table half (a int);');
    await (await openDatabase({ dataDir }, { log: silentLog, migrationsDir })).close();
  });
});
