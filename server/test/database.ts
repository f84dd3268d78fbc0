import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { randomHex, systemClock } from '#foundation';
import {
  type Changes,
  type Db,
  openChanges,
  openDatabase,
  prepareTemplate,
  type StorageDeps,
} from '#storage';
import { silentLog } from '#telemetry';

/** A directory of its own for one test, in memory where the system offers that. The caller removes it. */
export function temporaryDirectory(): string {
  return mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sallyport-test-'));
}

/**
 * A fresh, migrated database that is gone after `close`: PGlite in a temporary directory, or a database of its own
 * on the server that `SALLYPORT_TEST_DATABASE_URL` names.
 */
export async function openTestDatabase(deps: Partial<StorageDeps> = {}): Promise<Db> {
  const server = process.env.SALLYPORT_TEST_DATABASE_URL;
  return server === undefined
    ? openEmbedded({ log: silentLog, ...deps })
    : openOnServer(server, { log: silentLog, ...deps });
}

/** Like `openTestDatabase` without a server, whatever the environment says. */
export async function openEmbedded(deps: StorageDeps): Promise<Db> {
  await prepareTemplate();
  const dataDir = temporaryDirectory();
  const db = await openDatabase({ dataDir }, deps);
  return closingWith(db, async () => rmSync(dataDir, { recursive: true, force: true }));
}

/** Like `openTestDatabase` on a server, whatever the environment says. */
export async function openOnServer(server: string, deps: StorageDeps): Promise<Db> {
  const { url, drop } = await createDatabase(server);
  const db = await openDatabase({ url }, deps);
  return closingWith(db, drop);
}

/** Of the only process on this database: nobody is told, and nobody heard. */
export const changesAlone = (db: Db): Promise<Changes> =>
  openChanges(db, { clock: systemClock, log: silentLog }, false);

/** An empty database on the server. */
export async function createDatabase(server: string): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `sallyport_test_${randomHex(8)}`;
  await asAdmin(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => asAdmin(server, `drop database ${name} with (force)`) };
}

async function asAdmin(server: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

function closingWith(db: Db, remove: () => Promise<void>): Db {
  return {
    ...db,
    async close() {
      await db.close();
      await remove();
    },
  };
}
