import { extname } from 'node:path';
import { Fault } from '#foundation';
import type { Log } from '#telemetry';
import { startThread } from './pglite-thread.ts';
import type { WorkerStart } from './pglite-worker.ts';
import { type Driver, runTransaction, type Session } from './transaction.ts';

/**
 * The embedded database, in a thread of its own so that no query ever stalls the event loop. It has one session:
 * queries and transactions take turns.
 */
export async function startPglite(options: WorkerStart & { log: Log }): Promise<Driver> {
  const { log, ...start } = options;
  const file = new URL(`./pglite-worker${extname(import.meta.url)}`, import.meta.url);
  const thread = startThread(file, start, log);
  try {
    await thread.opened;
  } catch (thrown) {
    await thread.end();
    throw thrown;
  }
  let closing = false;
  let turn: Promise<unknown> = Promise.resolve();

  const inTurn = <T>(run: () => Promise<T>): Promise<T> => {
    if (closing) return Promise.reject(new Fault('The database is closed'));
    const result = turn.then(run);
    turn = result.then(undefined, () => undefined);
    return result;
  };
  const session: Session = {
    query: (sql, params = []) => thread.send({ kind: 'query', sql, params }) as Promise<never>,
    async script(sql) {
      await thread.send({ kind: 'script', sql });
    },
  };
  return {
    kind: 'pglite',
    query: (sql, params) => inTurn(() => session.query(sql, params)),
    tx: (work) => inTurn(() => runTransaction(session, work)),
    async append(rows) {
      await inTurn(() => thread.send({ kind: 'append', rows }));
    },
    async ping() {
      await inTurn(() => session.query('select 1'));
    },
    async close() {
      if (closing) return;
      const closed = inTurn(async () => {
        if (!thread.alive()) return;
        await session.script('checkpoint');
        await thread.send({ kind: 'close' });
      });
      closing = true;
      try {
        await closed;
      } finally {
        await thread.end();
      }
    },
  };
}
