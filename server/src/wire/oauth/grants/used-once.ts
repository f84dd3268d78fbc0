import { hash } from 'node:crypto';
import type { Clock } from '#foundation';
import type { Db } from '#storage';

/** Whether this is the first time that it is seen, in every replica: of several at the same moment one is. */
export type UsedOnce = (name: readonly string[], untilMs: number) => Promise<boolean>;

/** Kept where the authorization server keeps its records, and tidied away with them. */
export function createUsedOnce({ db, clock }: { readonly db: Db; readonly clock: Clock }): UsedOnce {
  return async (name, untilMs) => {
    const first = await db.query(
      `insert into oauth_records (model, id, payload, expires_at) values ('UsedOnce', $1, '{}'::json, $2)
       on conflict (model, id) do update set expires_at = excluded.expires_at
         where oauth_records.expires_at <= $3
       returning id`,
      [hash('sha256', JSON.stringify(name), 'hex'), new Date(untilMs).toISOString(), clock.iso()],
    );
    return first.length > 0;
  };
}
