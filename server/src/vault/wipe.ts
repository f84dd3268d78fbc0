import { messageOf } from '#foundation';
import type { Db } from '#storage';
import type { Log } from '#telemetry';

/** Longer than any query of ours takes; whoever else uses the table waits no longer for us either. */
const lockTimeout = '1s';

/**
 * What was in these rows before is not in the table's files any more. Copies may be in the write-ahead log for a while, and in
 * backups for ever.
 */
export async function wipe(db: Db, table: string, log: Log): Promise<void> {
  try {
    if (db.kind === 'pglite') await rewriteAlone(db, table);
    else await rewriteAmongOthers(db, table);
  } catch (error) {
    log.warn(
      { table, error: messageOf(error) },
      'rows that were replaced may be in the files of the database yet; run "vacuum full" on this table',
    );
  }
}

async function rewriteAlone(db: Db, table: string): Promise<void> {
  await db.query(`vacuum full ${table}`);
  await db.query('checkpoint');
}

/**
 * It takes the whole table for itself, and who waits for that holds up everybody behind: so it gives up where a backup, or a query
 * that lasts, is in the way. Checkpoints are the server's own affair.
 */
async function rewriteAmongOthers(db: Db, table: string): Promise<void> {
  await db.tx(async (queries) => {
    await queries.query(`set local lock_timeout = '${lockTimeout}'`);
    await queries.query(`cluster ${table} using ${table}_pkey`);
  });
}
