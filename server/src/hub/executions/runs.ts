import type { Refusal } from '#domain';
import { atMost, type Clock, messageOf } from '#foundation';
import type { Log } from '#telemetry';
import type { Outcome } from './attempt.ts';
import type { Execution, View, Wanted } from './execution.ts';
import { tooMany } from './refusals.ts';
import { settledView, storedView } from './settling.ts';
import type { Store } from './store.ts';

/** How an attempt that ran here came out. */
export interface Settled {
  readonly view: View;
  /** Where it surely did nothing: why, as any refused call is told. */
  readonly refused: Refusal | null;
}

/** One that runs in this process. */
export interface Run {
  readonly execution: Execution;
  readonly wanted: Wanted;
  readonly stopping: AbortController;
  /** There is a row of it. */
  isKept: boolean;
  /** Somebody knows its id, and may ask for it again. */
  isTold: boolean;
  /** Its outcome is there. */
  isOver: boolean;
  keeping: Promise<boolean> | null;
  readonly settled: Promise<Settled>;
}

export interface RunsDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly onSettled: (run: Run, status: Execution['status'], outcome: Outcome) => void;
}

/** What runs here. Memory is only a cache of it: the rows are what is true, but for calls that nobody can ask for again. */
export function createRuns({ store, clock, log, onSettled }: RunsDeps) {
  const byId = new Map<string, Run>();
  const byKey = new Map<string, Run>();
  /** Ends that the database did not take yet. */
  const owed: (() => Promise<unknown>)[] = [];
  let isGivenUp = false;

  /** Where its end must be known by its id, by its key, or goes on. */
  function isWanted({ isTold, execution }: Run, { execution: after }: View): boolean {
    return isTold || after.endedAt === null || (execution.keyHash !== null && after.keyHash !== null);
  }

  async function keep(run: Run): Promise<boolean> {
    if (run.isKept) return true;
    run.keeping ??= store.add(run.execution, run.wanted, true).then((added) => added === 'added');
    run.isKept = await run.keeping;
    return run.isKept;
  }

  async function write(run: Run, view: View): Promise<boolean> {
    if (run.keeping !== null) await run.keeping;
    if (!isWanted(run, view)) {
      if (run.isKept) await store.remove(run.execution.id);
      return true;
    }
    if (!(await keep(run))) return false;
    await store.settle(storedView(view), view.execution.status === 'waiting' ? run.wanted : null);
    return true;
  }

  async function settle(run: Run, outcome: Outcome): Promise<Settled> {
    run.isOver = true;
    const view = settledView(run, outcome, clock.now());
    const refused = outcome.kind === 'failed' && outcome.isUndone ? outcome.told : null;
    // Stopped as this process ends: another one finds out what is to be done.
    if (isGivenUp) return { view, refused };
    try {
      if (!(await write(run, view))) return { view, refused: tooMany };
    } catch (error) {
      const { id } = run.execution;
      log.error(
        { execution_id: id, error: messageOf(error) },
        'how an execution ended could not be kept yet',
      );
      owed.push(() => write(run, view));
    }
    onSettled(run, view.execution.status, outcome);
    return { view, refused };
  }

  return {
    get: (id: string) => byId.get(id) ?? null,
    ofKey: (keyHash: string) => byKey.get(keyHash) ?? null,
    count: () => byId.size,

    start(
      execution: Execution,
      wanted: Wanted,
      { isKept, isTold }: { readonly isKept: boolean; readonly isTold: boolean },
      attempt: (signal: AbortSignal) => Promise<Outcome>,
    ): Run {
      const stopping = new AbortController();
      const run: Run = {
        ...{ execution, wanted, stopping, isKept, isTold },
        isOver: false,
        keeping: null,
        settled: attempt(stopping.signal)
          .then((outcome) => settle(run, outcome))
          .finally(() => {
            byId.delete(execution.id);
            if (execution.keyHash !== null) byKey.delete(execution.keyHash);
          }),
      };
      byId.set(execution.id, run);
      if (execution.keyHash !== null) byKey.set(execution.keyHash, run);
      return run;
    },

    keep,

    async payOwed(): Promise<void> {
      for (const write of owed.splice(0)) await write().catch(() => owed.push(write));
    },

    /** Done when nothing runs any more; what still does after that is told to end, and left to another process. */
    async end(graceMs: number): Promise<void> {
      const all = Promise.allSettled([...byId.values()].map(({ settled }) => settled));
      if (graceMs > 0) await atMost(clock, graceMs, all);
      isGivenUp = true;
      for (const { stopping } of byId.values()) stopping.abort();
    },
  };
}

export type Runs = ReturnType<typeof createRuns>;
