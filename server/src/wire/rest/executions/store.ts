import type { Db } from '#storage';

/** What is known of the first request with a key. `response: null`: it had not ended when it was last heard of. */
export interface StoredExecution {
  readonly requestHash: string;
  readonly response: string | null;
}

interface Key {
  readonly projectId: string;
  readonly keyHash: string;
}

/** The table `executions`. Answers are kept as JSON text inside jsonb, which cannot hold every text that JSON can. */
export function createExecutionStore(db: Db) {
  return {
    /** Takes the key for this request; `null` when it was free, or older than `freeBefore`. */
    async take(
      key: Key,
      requestHash: string,
      now: string,
      freeBefore: string,
    ): Promise<StoredExecution | null> {
      const taken = await db.query(
        `insert into executions (project_id, key_hash, request_hash, created_at) values ($1, $2, $3, $4)
         on conflict (project_id, key_hash) do update
           set request_hash = excluded.request_hash, status = null, response = null, created_at = excluded.created_at
           where executions.created_at < $5
         returning key_hash`,
        [key.projectId, key.keyHash, requestHash, now, freeBefore],
      );
      if (taken.length > 0) return null;
      const [row] = await db.query<{ request_hash: string; response: string | null }>(
        'select request_hash, response from executions where project_id = $1 and key_hash = $2',
        [key.projectId, key.keyHash],
      );
      return { requestHash: row?.request_hash ?? '', response: row?.response ?? null };
    },
    async finish(key: Key, status: number, response: string): Promise<void> {
      await db.query(
        'update executions set status = $3, response = $4::jsonb where project_id = $1 and key_hash = $2',
        [key.projectId, key.keyHash, status, JSON.stringify(response)],
      );
    },
    /** Nothing was executed: the key may be used again. */
    async release(key: Key): Promise<void> {
      await db.query('delete from executions where project_id = $1 and key_hash = $2', [
        key.projectId,
        key.keyHash,
      ]);
    },
    async prune(before: string): Promise<void> {
      await db.query('delete from executions where created_at < $1', [before]);
    },
  };
}
