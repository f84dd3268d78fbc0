import { type Clock, messageOf } from '#foundation';
import type { Db } from '#storage';
import type { Log } from '#telemetry';

const everyMs = 24 * 3_600_000;

/** What expired is of no use to anybody, and goes once a day. */
export function startTidyUp({
  db,
  clock,
  log,
}: {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
}): void {
  clock.every(everyMs, () => {
    tidyUp(db, clock).catch((error) =>
      log.error({ error: messageOf(error) }, 'expired records of sign-ins could not be removed'),
    );
  });
}

export async function tidyUp(db: Db, clock: Clock): Promise<void> {
  const now = [clock.iso()];
  await db.query('delete from oauth_records where expires_at <= $1', now);
  await db.query('delete from sign_ins where expires_at <= $1', now);
}
