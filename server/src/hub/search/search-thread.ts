import { Worker } from 'node:worker_threads';
import { Fault } from '#foundation';
import type { Log } from '#telemetry';
import type { Answers, Work, WorkerAnswer, WorkerRequest, WorkerStart } from './search-worker.ts';

/** What a batch of documents leaves behind is garbage: little room for it keeps the thread small, and costs hardly any time. */
const YOUNG_MB = 12;

interface Waiting {
  resolve(value: Answers[Work['kind']]): void;
  reject(error: unknown): void;
}

/** The main side of the thread that runs `search-worker.ts`; it keeps the process alive only while an answer is due. */
export interface SearchThread {
  send<W extends Work>(work: W): Promise<Answers[W['kind']]>;
  end(): Promise<void>;
}

export function startSearchThread(file: URL, start: WorkerStart, log: Log): SearchThread {
  const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_MB };
  const worker = new Worker(file, { workerData: start, execArgv: [], resourceLimits, name: 'search' });
  const waiting = new Map<number, Waiting>();
  let nextId = 0;
  let death: Fault | null = null;
  let ending = false;

  const die = (reason: string, cause?: unknown) => {
    if (death !== null) return;
    death = new Fault(`Search has stopped (${reason}). Restart Sallyport.`, { cause });
    if (!ending) log.error({ reason }, 'search has stopped');
    for (const { reject } of waiting.values()) reject(death);
    waiting.clear();
  };
  worker.on('message', (answer: WorkerAnswer) => {
    const entry = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (waiting.size === 0 && !ending) worker.unref();
    if ('error' in answer) entry?.reject(new Fault(`Search failed: ${answer.error}`));
    else entry?.resolve(answer.value);
  });
  worker.on('error', (error) => die(error.message, error));
  worker.on('exit', (code) => die(`its thread ended with code ${code}`));
  worker.unref();

  return {
    send<W extends Work>(work: W) {
      if (death !== null) return Promise.reject(death);
      return new Promise<Answers[W['kind']]>((resolve, reject) => {
        const id = nextId++;
        worker.postMessage({ id, work } satisfies WorkerRequest);
        if (waiting.size === 0) worker.ref();
        waiting.set(id, { resolve: (value) => resolve(value as Answers[W['kind']]), reject });
      });
    },
    async end() {
      ending = true;
      // Whoever waits for the end must live to see it.
      worker.ref();
      await worker.terminate();
    },
  };
}
