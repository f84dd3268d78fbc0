import { messageOf } from '#foundation';
import type { Db } from '#storage';
import type { Log } from '#telemetry';

/**
 * What was in these rows before is not in the table's files any more. Copies may be in the write-ahead log for a while, and in
 * backups for ever.
 */
export async function wipe(db: Db, table: string, log: Log): Promise<void> {
  try {
    await db.query(`vacuum full ${table}`);
    await db.query('checkpoint');
  } catch (error) {
    log.warn(
      { table, error: messageOf(error) },
      'rows that were replaced may be in the files of the database yet; run "vacuum full" on this table',
    );
  }
}
