import type { Clock } from '#foundation';
import type { Changes, Db, Row } from '#storage';

export type KeptKind = 'vector' | 'enrichment';

export interface KeptRow {
  readonly hash: string;
  readonly content: Buffer;
}

export interface FoundRow {
  readonly hash: string;
  /** Of its content. */
  readonly bytes: number;
}

/** What models made, in the database: by kind, by model, by the hash of what it was made of. */
export interface KeptStore {
  /** Of these, those that are there. */
  find(model: string, hashes: readonly string[]): Promise<readonly FoundRow[]>;
  /** All that came since, and maybe more. */
  findSince(model: string, sinceMs: number): Promise<readonly FoundRow[]>;
  read(model: string, hashes: readonly string[]): Promise<readonly KeptRow[]>;
  /** Tells other replicas. */
  keep(model: string, rows: readonly KeptRow[]): Promise<void>;
  /** Somebody has these. */
  touch(model: string, hashes: readonly string[]): Promise<void>;
  /** Drops what nobody had for a week. */
  dropUnused(): Promise<void>;
  /** `true`: this replica is the one that makes them, for so long. */
  hold(forMs: number): Promise<boolean>;
  release(): Promise<void>;
  /** How many more may be made today, of at most `want`; they count as made. */
  take(want: number, perDay: number): Promise<number>;
}

const dayMs = 24 * 60 * 60_000;
/** To write down each time that something is still in use would cost more than it is worth. */
const touchAfterMs = 2 * dayMs;
const unusedMs = 7 * dayMs;
const dropAtOnce = 1000;
/** By so much clocks of replicas may differ, and a transaction may last. */
const clockSkewMs = 120_000;

export const topicOf = (kind: KeptKind): string => `hub ${kind}`;

export function createKeptStore(
  kind: KeptKind,
  holder: string,
  { db, changes, clock }: { readonly db: Db; readonly changes: Changes; readonly clock: Clock },
): KeptStore {
  const { now } = clock;
  const at = (ms: number) => new Date(ms).toISOString();
  return {
    async find(model, hashes) {
      return db.query<FoundRow & Row>(
        `select hash, length(content) as bytes from hub_kept
         where kind = $1 and model = $2 and hash = any($3::text[])`,
        [kind, model, hashes],
      );
    },
    async findSince(model, sinceMs) {
      return db.query<FoundRow & Row>(
        `select hash, length(content) as bytes from hub_kept where kind = $1 and model = $2 and used_at >= $3`,
        [kind, model, at(sinceMs - clockSkewMs)],
      );
    },
    async read(model, hashes) {
      const rows = await db.query<{ hash: string; content: Uint8Array }>(
        'select hash, content from hub_kept where kind = $1 and model = $2 and hash = any($3::text[])',
        [kind, model, hashes],
      );
      return rows.map(({ hash, content }) => ({ hash, content: bufferOf(content) }));
    },
    async keep(model, rows) {
      await db.tx(async (queries) => {
        await queries.query(
          `insert into hub_kept (kind, model, hash, content, used_at)
           select $1, $2, row.hash, decode(row.content, 'base64'), $5
           from unnest($3::text[], $4::text[]) as row (hash, content)
           on conflict (kind, model, hash) do update set content = excluded.content, used_at = excluded.used_at`,
          [
            kind,
            model,
            rows.map(({ hash }) => hash),
            rows.map(({ content }) => content.toString('base64')),
            at(now()),
          ],
        );
        await changes.tell(queries, topicOf(kind), model);
      });
    },
    async touch(model, hashes) {
      await db.query(
        `update hub_kept set used_at = $4
         where kind = $1 and model = $2 and hash = any($3::text[]) and used_at < $5`,
        [kind, model, hashes, at(now()), at(now() - touchAfterMs)],
      );
    },
    async dropUnused() {
      for (;;) {
        const dropped = await db.query(
          `delete from hub_kept where (kind, model, hash) in (
             select kind, model, hash from hub_kept where kind = $1 and used_at < $2 limit ${dropAtOnce}
           ) returning 1`,
          [kind, at(now() - unusedMs)],
        );
        if (dropped.length < dropAtOnce) return;
      }
    },
    async hold(forMs) {
      const held = await db.query(
        `insert into hub_making (kind, holder, held_until, day, made) values ($1, $2, $3, $4, 0)
         on conflict (kind) do update set holder = excluded.holder, held_until = excluded.held_until
         where hub_making.holder = $2 or hub_making.held_until < $5 or $6::boolean
         returning kind`,
        // The embedded database has one process: who held it before is gone.
        [kind, holder, at(now() + forMs), dayOf(now()), at(now()), db.kind === 'pglite'],
      );
      return held.length === 1;
    },
    async release() {
      await db.query('update hub_making set held_until = $3 where kind = $1 and holder = $2', [
        kind,
        holder,
        at(now() - 1),
      ]);
    },
    async take(want, perDay) {
      const [row] = await db.query<{ taken: number }>(
        `with before as (
           select kind, case when day = $2 then made else 0 end as made from hub_making where kind = $1 for update
         )
         update hub_making set day = $2, made = before.made + greatest(0, least($3::int, $4::int - before.made))
         from before where hub_making.kind = before.kind
         returning greatest(0, least($3::int, $4::int - before.made)) as taken`,
        [kind, dayOf(now()), want, perDay],
      );
      return row?.taken ?? 0;
    },
  };
}

/** Of UTC. */
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** Each driver gives bytes in a class of its own. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
