import { join } from 'node:path';
import { type Clock, Fault, systemClock } from '#foundation';
import type { Log } from '#telemetry';
import type { Db } from './contract.ts';
import { keepHouse } from './housekeeping.ts';
import { lockDataDir } from './lock.ts';
import { defaultMigrationsDir, migrate, readMigrations } from './migrations.ts';
import { startPglite } from './pglite-driver.ts';
import { startPostgres } from './postgres-driver.ts';
import { templatePath } from './template.ts';
import type { Driver } from './transaction.ts';

export interface StorageDeps {
  readonly log: Log;
  readonly clock?: Clock;
  readonly migrationsDir?: string;
}

const PING_TIMEOUT_MS = 5000;

/**
 * Opens the database, migrated: the embedded one below `dataDir` (which it locks), or a PostgreSQL server. Throws a
 * Fault that says what to do when it cannot.
 */
export async function openDatabase(
  options: { dataDir: string } | { url: string },
  deps: StorageDeps,
): Promise<Db> {
  const migrationsDir = deps.migrationsDir ?? defaultMigrationsDir;
  if ('url' in options) {
    const driver = await startPostgres({ url: options.url, log: deps.log });
    return migrated(driver, migrationsDir, () => undefined);
  }
  const lock = await lockDataDir(options.dataDir);
  let driver: Driver;
  try {
    const directory = join(options.dataDir, 'db');
    driver = await startPglite({ directory, template: templatePath(migrationsDir), log: deps.log });
  } catch (thrown) {
    lock.release();
    throw thrown;
  }
  const stop = keepHouse(driver, { clock: deps.clock ?? systemClock, log: deps.log });
  return migrated(driver, migrationsDir, () => {
    stop();
    lock.release();
  });
}

async function migrated(driver: Driver, migrationsDir: string, release: () => void): Promise<Db> {
  const close = async () => {
    try {
      await driver.close();
    } finally {
      release();
    }
  };
  try {
    await migrate(driver, readMigrations(migrationsDir));
  } catch (thrown) {
    await close();
    throw thrown;
  }
  return { ...driver, ping: () => inTime(driver.ping()), close };
}

async function inTime(answer: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const fault = new Fault(`The database did not answer within ${PING_TIMEOUT_MS / 1000} s`);
    timer = setTimeout(() => reject(fault), PING_TIMEOUT_MS);
  });
  try {
    await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
