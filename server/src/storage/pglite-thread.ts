import { Worker } from 'node:worker_threads';
import { Fault } from '#foundation';
import type { Log } from '#telemetry';
import type { Row } from './contract.ts';
import type { Work, WorkerAnswer, WorkerRequest, WorkerStart } from './pglite-worker.ts';
import { sqlError } from './sql-error.ts';

/** What queries leave behind is garbage: little room for it keeps the thread small, and costs hardly any time. */
const YOUNG_MB = 16;

interface Waiting {
  resolve(rows: Row[]): void;
  reject(error: unknown): void;
}

/**
 * The main side of a thread that runs `pglite-worker.ts`: requests and answers, and an end to both when it dies. The
 * thread keeps the process alive only while an answer is due.
 */
export function startThread(file: URL, start: WorkerStart, log: Log) {
  const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_MB };
  const worker = new Worker(file, { workerData: start, execArgv: [], name: 'database', resourceLimits });
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
  const expect = (id: number, entry: Waiting) => {
    if (waiting.size === 0) worker.ref();
    waiting.set(id, entry);
  };
  worker.on('message', (answer: WorkerAnswer) => {
    const entry = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (waiting.size === 0) worker.unref();
    if ('error' in answer) entry?.reject(sqlError(answer.error));
    else entry?.resolve(answer.rows);
  });
  worker.on('error', (error) => die(error.message, error));
  worker.on('exit', (code) => die(`its thread ended with code ${code}`));

  const opened = new Promise<Row[]>((resolve, reject) => expect(nextId++, { resolve, reject }));
  return {
    opened: opened.catch((thrown: Error) => {
      throw new Fault(`The embedded database in ${start.directory} does not start: ${thrown.message}`, {
        cause: thrown,
      });
    }),
    alive: () => death === null,
    send(work: Work): Promise<Row[]> {
      if (death !== null) return Promise.reject(death);
      return new Promise((resolve, reject) => {
        const id = nextId++;
        worker.postMessage({ id, work } satisfies WorkerRequest);
        expect(id, { resolve, reject });
      });
    },
    async end() {
      ending = true;
      await worker.terminate();
    },
  };
}
