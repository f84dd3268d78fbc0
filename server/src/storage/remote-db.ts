import { Fault } from '#foundation';
import type { Db, Queries, Row, RowLines } from './contract.ts';
import { sqlError, type ToldError, toldError } from './sql-error.ts';
import { runTransaction, type Session } from './transaction.ts';

/** What a process asks of the one that holds the database. `session` names a transaction; `null`: outside of any. */
export interface DbRequest {
  readonly id: number;
  readonly session: number | null;
  readonly kind: 'query' | 'append' | 'begin' | 'commit' | 'rollback' | 'ping';
  readonly sql: string;
  readonly params: readonly unknown[];
}

export type DbAnswer =
  | { readonly id: number; readonly rows: Row[] }
  | { readonly id: number; readonly error: ToldError };

/** The side that asks. */
export interface RemoteDb {
  readonly db: Db;
  answered(answer: DbAnswer): void;
  /** The other side is gone: whatever is asked fails from now on. */
  lost(): void;
}

interface Waiting {
  resolve(rows: Row[]): void;
  reject(error: unknown): void;
}

/** The database of another process, which `serveDb` serves there. */
export function createRemoteDb(send: (request: DbRequest) => void): RemoteDb {
  const waiting = new Map<number, Waiting>();
  const underWay = new Set<Promise<unknown>>();
  let nextId = 0;
  let nextSession = 0;
  let isLost = false;
  let closing = false;

  function ask(kind: DbRequest['kind'], session: number | null, sql = '', params: readonly unknown[] = []) {
    if (isLost) return Promise.reject(gone());
    return new Promise<Row[]>((resolve, reject) => {
      const id = nextId++;
      waiting.set(id, { resolve, reject });
      try {
        send({ id, session, kind, sql, params });
      } catch (thrown) {
        waiting.delete(id);
        reject(thrown);
      }
    });
  }

  const track = <T>(run: () => Promise<T>): Promise<T> => {
    if (closing) return Promise.reject(new Fault('The database is closed'));
    const result = run();
    underWay.add(result);
    const forget = () => underWay.delete(result);
    result.then(forget, forget);
    return result;
  };

  function sessionOf(session: number): Session {
    return {
      query: (sql, params) => ask('query', session, sql, params) as Promise<never>,
      async script(sql) {
        await ask(sql as 'begin' | 'commit' | 'rollback', session);
      },
    };
  }

  return {
    db: {
      kind: 'remote',
      query: (sql, params) => track(() => ask('query', null, sql, params) as Promise<never>),
      tx: (work) => track(() => runTransaction(sessionOf(nextSession++), work)),
      async append(rows) {
        await track(() => ask('append', null, '', [rows]));
      },
      async ping() {
        await track(() => ask('ping', null));
      },
      async close() {
        if (closing) return;
        closing = true;
        await Promise.allSettled(underWay);
      },
    },
    answered(answer) {
      const entry = waiting.get(answer.id);
      waiting.delete(answer.id);
      if ('error' in answer) entry?.reject(sqlError(answer.error));
      else entry?.resolve(answer.rows);
    },
    lost() {
      isLost = true;
      for (const { reject } of waiting.values()) reject(gone());
      waiting.clear();
    },
  };
}

const gone = () => new Fault('The process that holds the database is gone');

/** The side that has the database, for one other process. */
export interface ServedDb {
  asked(request: DbRequest): void;
  /** The other process is gone: its transactions are undone. */
  close(): void;
}

interface OpenTransaction {
  readonly queries: Promise<Queries>;
  /** Lets the work end: committed, or undone. */
  readonly end: (isGood: boolean) => void;
  readonly done: Promise<void>;
}

const undone = new Fault('The transaction was undone');

export function serveDb(db: Db, send: (answer: DbAnswer) => void): ServedDb {
  const open = new Map<number, OpenTransaction>();
  let closed = false;

  function begin(session: number): OpenTransaction {
    const begun = Promise.withResolvers<Queries>();
    const ending = Promise.withResolvers<boolean>();
    const done = db.tx(async (queries) => {
      begun.resolve(queries);
      if (!(await ending.promise)) throw undone;
    });
    // One that cannot begin is told where it was asked for.
    done.catch(begun.reject);
    begun.promise.catch(() => undefined);
    const transaction = { queries: begun.promise, end: ending.resolve, done };
    open.set(session, transaction);
    return transaction;
  }

  async function end(session: number, isGood: boolean): Promise<void> {
    const transaction = open.get(session);
    open.delete(session);
    transaction?.end(isGood);
    await transaction?.done.catch((thrown) => {
      if (thrown !== undone) throw thrown;
    });
  }

  async function run({ kind, session, sql, params }: DbRequest): Promise<Row[]> {
    if (kind === 'ping') await db.ping();
    if (kind === 'append') await db.append(params[0] as RowLines);
    if (session === null) return kind === 'query' ? db.query(sql, params) : [];
    if (kind === 'begin') await begin(session).queries;
    if (kind === 'query') return (await queriesOf(session)).query(sql, params);
    if (kind === 'commit' || kind === 'rollback') await end(session, kind === 'commit');
    return [];
  }

  function queriesOf(session: number): Promise<Queries> {
    return open.get(session)?.queries ?? Promise.reject(new Fault('The transaction has ended'));
  }

  return {
    asked(request) {
      const { id } = request;
      run(request).then(
        (rows) => closed || send({ id, rows }),
        (thrown) => closed || send({ id, error: toldError(thrown) }),
      );
    },
    close() {
      closed = true;
      for (const session of [...open.keys()]) end(session, false).catch(() => undefined);
    },
  };
}
