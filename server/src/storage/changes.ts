import { type Clock, messageOf } from '#foundation';
import type { Log } from '#telemetry';
import type { Db, Queries } from './contract.ts';

const pollEveryMs = 500;
const tidyEveryMs = 10 * 60_000;
const keptMs = 60 * 60_000;
/** A replica that saw nothing for this long may have missed what was tidied away. */
const trustedMs = 30 * 60_000;
/** Of one topic: where there is more, all of it is looked at. */
const maxOwed = 1000;

/** `key`: what changed; `null`: anything may have. */
export type ChangeListener = (key: string | null) => void | Promise<void>;

/** Tells other replicas, within a second, what they hold in memory and must look at again. */
export interface Changes {
  /** In the transaction that makes the change. */
  tell(queries: Queries, topic: string, key: string): Promise<void>;
  /** After that transaction, on every database: who listens in this replica looks at it now. */
  here(topic: string, key: string): Promise<void>;
  /** Also called for what this replica told itself: looking again changes nothing then. */
  on(topic: string, listener: ChangeListener): void;
  /** From now on others are heard, with all that they have told since this was opened: call it once everybody listens. */
  listen(): void;
  /** Looks now. `true`: everything that was told before has been heard here; otherwise it is tried again. */
  look(): Promise<boolean>;
  /** Grows with whatever this replica tells the others, as soon as it is there for them to hear. */
  told(): number;
  close(): void;
}

/** `isShared`: whether other processes have the same database; where none has, nobody is told anything. */
export async function openChanges(
  db: Db,
  { clock, log }: { clock: Clock; log: Log },
  isShared: boolean = db.kind === 'postgres',
): Promise<Changes> {
  const { listeners, on, hear, owe, settle } = createHearing();
  // What had committed when we looked last.
  let seen = isShared ? (await newsSince(db, null)).snapshot : '';
  let lookedAt = clock.now();
  let looking: Promise<boolean> | null = null;
  let failing = false;
  let toldCount = 0;

  async function look(): Promise<void> {
    const now = clock.now();
    const { told, snapshot } = await newsSince(db, seen);
    const isOther = oldestOf(snapshot) < oldestOf(seen);
    if (now - lookedAt > trustedMs || isOther) for (const topic of listeners.keys()) owe(topic, null);
    for (const { topic, key } of told) owe(topic, key);
    seen = snapshot;
    lookedAt = now;
    await settle();
  }

  function lookOnce(): Promise<boolean> {
    looking ??= look()
      .then(
        () => {
          failing = false;
          return true;
        },
        (error) => {
          if (!failing) log.warn({ error: messageOf(error) }, 'changes by other replicas cannot be seen');
          failing = true;
          return false;
        },
      )
      .finally(() => {
        looking = null;
      });
    return looking;
  }

  function tidy(): void {
    const before = new Date(clock.now() - keptMs).toISOString();
    db.query('delete from changes where at < $1', [before]).catch(() => undefined);
  }

  const stops: (() => void)[] = [];
  return {
    async tell(queries, topic, key) {
      if (!isShared) return;
      await queries.query('insert into changes (topic, key, at) values ($1, $2, $3)', [
        topic,
        key,
        clock.iso(),
      ]);
      const count = () => void toldCount++;
      if (queries.afterCommit === undefined) count();
      else queries.afterCommit(count);
    },
    here: hear,
    on,
    listen() {
      if (isShared) stops.push(clock.every(pollEveryMs, lookOnce), clock.every(tidyEveryMs, tidy));
    },
    async look() {
      if (!isShared) return true;
      // One that is under way may have read before.
      await looking;
      return lookOnce();
    },
    told: () => toldCount,
    close: () => stops.forEach((stop) => void stop()),
  };
}

/** Who listens, and what somebody has still to look at. */
function createHearing() {
  const listeners = new Map<string, ChangeListener[]>();
  /** By topic: what somebody has still to look at. One that cannot keeps nothing from the others. */
  const owed = new Map<string, Set<string | null>>();

  async function hear(topic: string, key: string | null): Promise<void> {
    await Promise.all((listeners.get(topic) ?? []).map(async (listener) => listener(key)));
  }

  function owe(topic: string, key: string | null): void {
    if (!listeners.has(topic)) return;
    const keys = owed.get(topic) ?? new Set<string | null>();
    owed.set(topic, keys.has(null) || key === null || keys.size >= maxOwed ? new Set([null]) : keys.add(key));
  }

  /** Done when all was looked at once; throws what went wrong first. */
  async function settle(): Promise<void> {
    const due = [...owed];
    owed.clear();
    const failures: unknown[] = [];
    const settleTopic = async ([topic, keys]: (typeof due)[number]) => {
      for (const key of keys) {
        await hear(topic, key).catch((error) => {
          failures.push(error);
          owe(topic, key);
        });
      }
    };
    await Promise.all(due.map(settleTopic));
    if (failures.length > 0) throw failures[0];
  }

  function on(topic: string, listener: ChangeListener): void {
    listeners.set(topic, [...(listeners.get(topic) ?? []), listener]);
  }

  return { listeners, on, hear, owe, settle };
}

interface NewsRow extends Record<string, unknown> {
  topic: string;
  key: string;
  snapshot: string | null;
}

/**
 * What had not committed when that snapshot was taken, and the snapshot of now. In this way a transaction that lasts hides nothing,
 * and has nothing told twice. `null`: only the snapshot.
 */
async function newsSince(db: Db, seen: string | null) {
  const rows = await db.query<NewsRow>(
    `select topic, key, null as snapshot from changes
     where xid >= pg_snapshot_xmin($1::pg_snapshot) and not pg_visible_in_snapshot(xid, $1::pg_snapshot)
     union all select '', '', pg_current_snapshot()::text`,
    [seen],
  );
  const told = rows.filter(({ snapshot }) => snapshot === null);
  return { told, snapshot: rows.find(({ snapshot }) => snapshot !== null)?.snapshot ?? '' };
}

/** It only grows, but for a database that was put in the place of the one before. */
function oldestOf(snapshot: string): bigint {
  return BigInt(snapshot.split(':')[0] as string);
}
