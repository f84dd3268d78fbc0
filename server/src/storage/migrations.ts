import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '#foundation';
import type { Driver, Session } from './transaction.ts';

export const defaultMigrationsDir = join(import.meta.dirname, '..', '..', 'migrations');

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
  readonly sql: string;
}

/** The numbered files of a directory (`0001_spine.sql`), in order. */
export function readMigrations(directory: string): Migration[] {
  const files = readdirSync(directory).filter((file) => file.endsWith('.sql'));
  return files.sort().map((file, index) => {
    const match = /^(\d{4})_([a-z0-9_]+)\.sql$/.exec(file);
    if (match === null || Number(match[1]) !== index + 1) {
      throw new Fault(
        `Migration ${file} is out of order: files are named 0001_name.sql and numbered without gaps`,
      );
    }
    const sql = readFileSync(join(directory, file), 'utf8').replaceAll('\r\n', '\n');
    const checksum = createHash('sha256').update(sql).digest('hex');
    return { version: index + 1, name: file.slice(0, -4), checksum, sql };
  });
}

/** Any number that nothing else in the database locks. */
const ADVISORY_LOCK = 7_255_967_300;

/** Brings the database to the newest migration, one transaction each. Safe when several processes start together. */
export async function migrate(driver: Driver, migrations: readonly Migration[]): Promise<void> {
  while (await driver.tx((session) => applyNext(session, migrations)));
}

async function applyNext(session: Session, migrations: readonly Migration[]): Promise<boolean> {
  await session.query('select pg_advisory_xact_lock($1)', [ADVISORY_LOCK]);
  await session.script(`create table if not exists schema_migrations (
    version integer primary key, name text not null, checksum text not null, applied_at timestamptz not null)`);
  const applied = await session.query<{ version: number; name: string; checksum: string }>(
    'select version, name, checksum from schema_migrations order by version',
  );
  for (const row of applied) checkApplied(row, migrations);
  const next = migrations[applied.length];
  if (next === undefined) return false;
  await session.script(next.sql);
  await session.query('insert into schema_migrations values ($1, $2, $3, now())', [
    next.version,
    next.name,
    next.checksum,
  ]);
  return true;
}

function checkApplied(
  row: { version: number; name: string; checksum: string },
  known: readonly Migration[],
): void {
  const migration = known[row.version - 1];
  if (migration === undefined) {
    throw new Fault(
      `The database was migrated by a newer Sallyport: it has migration ${row.name}, this version knows ` +
        `${known.length}. Start that version or a newer one, or use another database.`,
    );
  }
  if (migration.checksum !== row.checksum) {
    throw new Fault(
      `Migration ${migration.name} is not the one that was applied to this database (${row.name}). Migrations are ` +
        'never edited: restore the file, and write a new migration for the change.',
    );
  }
}
