import { type Clock, messageOf } from '#foundation';
import type { Log } from '#telemetry';
import type { Db, Queries } from './contract.ts';

const pollEveryMs = 500;
const tidyEveryMs = 10 * 60_000;
const keptMs = 60 * 60_000;
/** A replica that saw nothing for this long may have missed what was tidied away. */
const trustedMs = 30 * 60_000;

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
  /** Looks now; for tests, and who cannot wait. */
  look(): Promise<void>;
  close(): void;
}

interface ChangeRow extends Record<string, unknown> {
  xid: string | null;
  topic: string;
  key: string;
  xmin: string;
}

/** The embedded database serves one process, so nobody is told anything there. */
export async function openChanges(
  db: Db,
  { clock, log }: { clock: Clock; log: Log },
  isShared: boolean = db.kind === 'postgres',
): Promise<Changes> {
  const listeners = new Map<string, ChangeListener[]>();
  // Every transaction before it has ended; of those since, what was heard already is not heard again.
  let from = '0';
  let heard = new Set<string>();
  let lookedAt = clock.now();
  let looking: Promise<void> | null = null;
  let failing = false;

  /** What is new, and what to remember once all of it was heard. */
  async function news() {
    const rows = await db.query<ChangeRow>(
      `select xid::text, topic, key, '' as xmin from changes where xid >= $1::xid8
       union all select null, '', '', pg_snapshot_xmin(pg_current_snapshot())::text`,
      [from],
    );
    const { xmin } = rows.find(({ xid }) => xid === null) as ChangeRow;
    const told = rows.filter((row) => row.xid !== null);
    const mayComeAgain = told.filter(({ xid }) => BigInt(xid as string) >= BigInt(xmin)).map(nameOf);
    return {
      fresh: told.filter((row) => !heard.has(nameOf(row))),
      remember() {
        heard = new Set(mayComeAgain);
        from = xmin;
      },
    };
  }

  async function hear(topic: string, key: string | null): Promise<void> {
    for (const listener of listeners.get(topic) ?? []) await listener(key);
  }

  async function look(): Promise<void> {
    const now = clock.now();
    const { fresh, remember } = await news();
    if (now - lookedAt > trustedMs) for (const topic of listeners.keys()) await hear(topic, null);
    else {
      const told = new Map(fresh.map((row) => [JSON.stringify([row.topic, row.key]), row]));
      for (const { topic, key } of told.values()) await hear(topic, key);
    }
    remember();
    lookedAt = now;
  }

  function lookOnce(): Promise<void> {
    looking ??= look()
      .then(
        () => {
          failing = false;
        },
        (error) => {
          if (!failing) log.warn({ error: messageOf(error) }, 'changes by other replicas cannot be seen');
          failing = true;
        },
      )
      .finally(() => {
        looking = null;
      });
    return looking;
  }

  const stops: (() => void)[] = [];
  if (isShared) {
    (await news()).remember();
    stops.push(clock.every(pollEveryMs, lookOnce));
    stops.push(
      clock.every(tidyEveryMs, () => {
        const before = new Date(clock.now() - keptMs).toISOString();
        db.query('delete from changes where at < $1', [before]).catch(() => undefined);
      }),
    );
  }
  return {
    async tell(queries, topic, key) {
      if (!isShared) return;
      await queries.query('insert into changes (topic, key, at) values ($1, $2, $3)', [
        topic,
        key,
        clock.iso(),
      ]);
    },
    here: hear,
    on(topic, listener) {
      listeners.set(topic, [...(listeners.get(topic) ?? []), listener]);
    },
    async look() {
      if (!isShared) return;
      // One that is under way may have read before.
      await looking;
      await lookOnce();
    },
    close: () => stops.forEach((stop) => void stop()),
  };
}

function nameOf({ xid, topic, key }: ChangeRow): string {
  return JSON.stringify([xid, topic, key]);
}
