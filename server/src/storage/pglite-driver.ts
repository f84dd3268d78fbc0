import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Fault } from '#foundation';
import type { Log } from '#telemetry';
import type { Row } from './contract.ts';
import type { WorkerAnswer, WorkerError, WorkerRequest, WorkerStart } from './pglite-worker.ts';
import { type Driver, runTransaction, type Session } from './transaction.ts';

interface Waiting {
  resolve(rows: Row[]): void;
  reject(error: unknown): void;
}

/**
 * The embedded database, in a thread of its own so that no query ever stalls the event loop. It has one session:
 * queries and transactions take turns.
 */
export async function startPglite(options: WorkerStart & { log: Log }): Promise<Driver> {
  const { log, ...start } = options;
  const thread = startThread(start, log);
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
    query: (sql, params = []) => thread.send('query', sql, params) as Promise<never>,
    async script(sql) {
      await thread.send('script', sql, []);
    },
  };
  return {
    kind: 'pglite',
    query: (sql, params) => inTurn(() => session.query(sql, params)),
    tx: (work) => inTurn(() => runTransaction(session, work)),
    async ping() {
      await inTurn(() => session.query('select 1'));
    },
    async close() {
      if (closing) return;
      const closed = inTurn(async () => {
        if (!thread.alive()) return;
        await session.script('checkpoint');
        await thread.send('close', '', []);
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

function startThread(start: WorkerStart, log: Log) {
  const file = new URL(`./pglite-worker${extname(import.meta.url)}`, import.meta.url);
  const worker = new Worker(file, { workerData: start });
  const waiting = new Map<number, Waiting>();
  let nextId = 0;
  let death: Fault | null = null;
  let ending = false;

  const die = (reason: string, cause?: unknown) => {
    if (death !== null) return;
    death = new Fault(`The embedded database has stopped (${reason}). Restart Sallyport.`, { cause });
    if (!ending) log.error({ reason }, 'the embedded database has stopped');
    for (const { reject } of waiting.values()) reject(death);
    waiting.clear();
  };
  worker.on('message', (answer: WorkerAnswer) => {
    const entry = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ('error' in answer) entry?.reject(sqlError(answer.error));
    else entry?.resolve(answer.rows);
  });
  worker.on('error', (error) => die(error.message, error));
  worker.on('exit', (code) => die(`its thread ended with code ${code}`));

  const opened = new Promise<Row[]>((resolve, reject) => waiting.set(nextId++, { resolve, reject }));
  return {
    opened: opened.catch((thrown: Error) => {
      throw new Fault(`The embedded database in ${start.directory} does not start: ${thrown.message}`, {
        cause: thrown,
      });
    }),
    alive: () => death === null,
    send(kind: WorkerRequest['kind'], sql: string, params: readonly unknown[]): Promise<Row[]> {
      if (death !== null) return Promise.reject(death);
      return new Promise((resolve, reject) => {
        const id = nextId++;
        worker.postMessage({ id, kind, sql, params } satisfies WorkerRequest);
        waiting.set(id, { resolve, reject });
      });
    },
    async end() {
      ending = true;
      await worker.terminate();
    },
  };
}

function sqlError({ message, code, constraint }: WorkerError): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code, constraint });
}
