import { type Clock, messageOf } from '#foundation';
import type { Log } from '#telemetry';
import type { Db } from './contract.ts';

const LOOK_EVERY_MS = 60_000;
const LOOKS_PER_VACUUM = 10;
/** A checkpoint follows this much write-ahead log, so that it neither fills the disk nor slows a restart. */
const CHECKPOINT_BYTES = 32 * 1024 * 1024;

/**
 * The embedded database has no background workers: this does their work. When there were writes: a vacuum and a
 * checkpoint every ten minutes, and a checkpoint sooner when they were many. Returns what stops it.
 */
export function keepHouse(db: Db, deps: { clock: Clock; log: Log }): () => void {
  let looks = 0;
  let busy = false;
  let vacuumedAt: number | null = null;
  let checkpointedAt: number | null = null;

  const look = async () => {
    looks++;
    const at = await written(db);
    vacuumedAt ??= at;
    checkpointedAt ??= at;
    if (looks % LOOKS_PER_VACUUM === 0 && at > vacuumedAt) {
      await db.query('vacuum (analyze)');
      await db.query('checkpoint');
      vacuumedAt = checkpointedAt = await written(db);
    } else if (at - checkpointedAt >= CHECKPOINT_BYTES) {
      await db.query('checkpoint');
      checkpointedAt = await written(db);
    }
  };
  return deps.clock.every(LOOK_EVERY_MS, () => {
    if (busy) return;
    busy = true;
    look()
      .catch((thrown) => deps.log.warn({ error: messageOf(thrown) }, 'the database could not be tidied'))
      .finally(() => {
        busy = false;
      });
  });
}

/** Bytes of write-ahead log since the database was made. */
async function written(db: Db): Promise<number> {
  const [row] = await db.query<{ bytes: number }>(
    "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 as bytes",
  );
  return row?.bytes ?? 0;
}
