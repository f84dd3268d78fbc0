import type { LogLevel } from '#domain';
import type { Db } from '#storage';

/** What the database knows of a session; nothing at all of most of them. */
export interface StoredSession {
  readonly ended: boolean;
  readonly logLevel: LogLevel | null;
  readonly subscriptions: readonly string[];
  /** Grows by one with every write. */
  readonly changes: number;
}

export interface SessionKey {
  readonly id: string;
  readonly issuedAtMs: number;
}

/** The tables `sessions` and `session_subscriptions`. Whatever writes returns the `changes` after it. */
export function createSessionStore(db: Db) {
  /** `becomes`: what changes of a row that is there. `also`: what else to do, given that row as `written` and `$6`. */
  async function write(
    { id, issuedAtMs }: SessionKey,
    nowMs: number,
    { ended = false, level = null, becomes = '', also = '', uri }: Change,
  ): Promise<number> {
    const [row] = await db.query<{ changes: number }>(
      `with written as (
         insert into sessions (id, ended, log_level, changes, issued_at, changed_at) values ($1, $2, $3, 1, $4, $5)
         on conflict (id) do update
           set ${becomes} changes = sessions.changes + 1, changed_at = excluded.changed_at
         returning id, changes
       ) ${also} select changes from written`,
      [id, ended, level, iso(issuedAtMs), iso(nowMs), ...(uri === undefined ? [] : [uri])],
    );
    return row?.changes ?? 0;
  }

  return {
    async read(id: string): Promise<StoredSession | null> {
      const [row] = await db.query<{
        ended: boolean;
        log_level: LogLevel | null;
        changes: number;
        subscriptions: string[];
      }>(
        `select ended, log_level, changes,
           array(select uri from session_subscriptions where session_id = sessions.id order by uri) as subscriptions
         from sessions where id = $1`,
        [id],
      );
      if (row === undefined) return null;
      const { ended, log_level: logLevel, changes, subscriptions } = row;
      return { ended, logLevel, changes, subscriptions };
    },
    end: (key: SessionKey, nowMs: number) =>
      write(key, nowMs, {
        ended: true,
        becomes: 'ended = true,',
        also: ', gone as (delete from session_subscriptions where session_id = $1)',
      }),
    setLogLevel: (key: SessionKey, level: LogLevel, nowMs: number) =>
      write(key, nowMs, { level, becomes: 'log_level = excluded.log_level,' }),
    subscribe: (key: SessionKey, uri: string, nowMs: number) =>
      write(key, nowMs, {
        uri,
        also: `, added as (
          insert into session_subscriptions (session_id, uri) select id, $6 from written on conflict do nothing)`,
      }),
    unsubscribe: (key: SessionKey, uri: string, nowMs: number) =>
      write(key, nowMs, {
        uri,
        also: ', removed as (delete from session_subscriptions where session_id = $1 and uri = $6)',
      }),
    /** Sessions that were written to since, by whichever replica. */
    changedSince: (sinceMs: number) =>
      db.query<{ id: string; changes: number }>('select id, changes from sessions where changed_at >= $1', [
        iso(sinceMs),
      ]),
    async prune(issuedBeforeMs: number): Promise<void> {
      await db.query('delete from sessions where issued_at < $1', [iso(issuedBeforeMs)]);
    },
  };
}

export type SessionStore = ReturnType<typeof createSessionStore>;

interface Change {
  readonly ended?: boolean;
  readonly level?: LogLevel | null;
  readonly becomes?: string;
  readonly also?: string;
  readonly uri?: string;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
