import type { Changes, Db, Queries } from '#storage';

/** Whoever holds in memory what may change. */
export interface Holder {
  /** Done when it serves nothing of that any more until it is told to look. */
  stale(seq: number): Promise<void>;
  /** All that was said until `seq` can be seen now. */
  look(seq: number): void;
}

export interface Freshness {
  readonly join: (holder: Holder) => void;
  readonly leave: (holder: Holder) => void;
  /** Runs a change while nobody serves by what was before; nothing of it is seen, or answered, before all have heard. */
  during<T>(change: () => Promise<T>): Promise<T>;
  /** The same database: a change that is told in a transaction is committed when all have heard that there is one. */
  database(db: Db): Db;
  changes(changes: Changes): Changes;
}

/**
 * Who changes what others hold in memory waits until all of them have stopped serving by it. Only then is the change made; when it
 * is, they look at it, and go on. So nobody sees an old state once anybody may have seen the new one.
 */
export function createFreshness(): Freshness {
  const holders = new Set<Holder>();
  const underWay = new WeakMap<Queries, { end: (() => void) | null }>();
  let seq = 0;
  let changing = 0;
  let heard: Promise<unknown> = Promise.resolve();

  async function begin(): Promise<() => void> {
    if (changing++ === 0) {
      seq++;
      heard = Promise.all([...holders].map((holder) => holder.stale(seq)));
    }
    await heard;
    return () => {
      if (--changing === 0) for (const holder of holders) holder.look(seq);
    };
  }

  async function during<T>(change: () => Promise<T>): Promise<T> {
    const end = await begin();
    try {
      return await change();
    } finally {
      end();
    }
  }

  return {
    join(holder) {
      holders.add(holder);
      if (changing === 0) holder.look(seq);
    },
    leave: (holder) => void holders.delete(holder),
    during,
    database: (db) => ({
      ...db,
      async tx(work) {
        const transaction: { end: (() => void) | null } = { end: null };
        try {
          return await db.tx((queries) => {
            underWay.set(queries, transaction);
            return work(queries);
          });
        } finally {
          transaction.end?.();
        }
      },
    }),
    changes: (changes) => ({
      ...changes,
      async tell(queries, topic, key) {
        const transaction = underWay.get(queries);
        if (transaction === undefined) return during(() => changes.tell(queries, topic, key));
        // All that one transaction tells is one change.
        if (transaction.end === null) {
          const end = await begin();
          if (transaction.end === null) transaction.end = end;
          else end();
        }
        await changes.tell(queries, topic, key);
      },
    }),
  };
}
