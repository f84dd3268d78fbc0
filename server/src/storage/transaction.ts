import { Fault } from '#foundation';
import type { Db, Queries } from './contract.ts';

/** One connection, inside a transaction. */
export interface Session extends Queries {
  /** Runs several statements at once, without parameters. */
  script(sql: string): Promise<void>;
}

/** What a driver offers beyond `Db`, for migrations and housekeeping. */
export interface Driver extends Db {
  tx<T>(work: (session: Session) => Promise<T>): Promise<T>;
}

/**
 * Runs `work` between `begin` and `commit` on a session that nobody else uses meanwhile. A failed statement fails
 * the transaction even when `work` swallowed its error, because the database has undone everything by then.
 */
export async function runTransaction<T>(
  session: Session,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  let ended = false;
  let failure: { readonly thrown: unknown } | null = null;
  const committed: (() => void)[] = [];
  const guarded = async <R>(run: () => Promise<R>): Promise<R> => {
    if (ended) throw new Fault('The transaction has ended; a query was not awaited inside it');
    try {
      return await run();
    } catch (thrown) {
      failure ??= { thrown };
      throw thrown;
    }
  };
  await session.script('begin');
  try {
    const result = await work({
      query: (sql, params) => guarded(() => session.query(sql, params)),
      script: (sql) => guarded(() => session.script(sql)),
      afterCommit: (then) => void committed.push(then),
    });
    const failed = failure as { readonly thrown: unknown } | null;
    if (failed !== null) throw failed.thrown;
    ended = true;
    await session.script('commit');
    for (const then of committed) then();
    return result;
  } catch (thrown) {
    ended = true;
    await session.script('rollback').catch(() => undefined);
    throw thrown;
  }
}
