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
  /** `status`: what came of it here; `null`: another process has it by now, and says what. */
  readonly onSettled: (run: Run, status: Execution['status'] | null, outcome: Outcome) => void;
}

/** What runs here. Memory is only a cache of it: the rows are what is true, but for calls that nobody can ask for again. */
export function createRuns({ store, clock, log, onSettled }: RunsDeps) {
  const known = createKnown();
  const { keep, write } = createRowsOf(store);
  /** Ends that the database did not take yet. */
  const owed: (() => Promise<unknown>)[] = [];
  let isGivenUp = false;

  async function settle(run: Run, outcome: Outcome): Promise<Settled> {
    run.isOver = true;
    const view = settledView(run, outcome, clock.now());
    const refused = outcome.kind === 'failed' && outcome.isUndone ? outcome.told : null;
    // Stopped as this process ends: another one finds out what is to be done.
    if (isGivenUp) return { view, refused };
    let written: Written = 'done';
    try {
      written = await write(run, view);
    } catch (error) {
      const { id } = run.execution;
      log.error(
        { execution_id: id, error: messageOf(error) },
        'how an execution ended could not be kept yet',
      );
      owed.push(() => write(run, view));
    }
    onSettled(run, statusOf(view, written), outcome);
    return { view, refused: typeof written === 'string' ? refused : written };
  }

  return {
    get: known.get,
    ofKey: known.ofKey,
    ids: () => known.all().map(({ execution }) => execution.id),
    count: known.count,
    countOf: known.countOf,

    start(
      execution: Execution,
      wanted: Wanted,
      { isKept, isTold }: Pick<Run, 'isKept' | 'isTold'>,
      attempt: (signal: AbortSignal) => Promise<Outcome>,
    ): Run {
      const stopping = new AbortController();
      const run: Run = {
        ...{ execution, wanted, stopping, isKept, isTold },
        isOver: false,
        keeping: null,
        settled: attempt(stopping.signal)
          .then((outcome) => settle(run, outcome))
          .finally(() => known.forget(execution)),
      };
      known.add(run);
      run.settled.catch((error) =>
        log.error(
          { execution_id: execution.id, error: messageOf(error) },
          'how an attempt came out is not known: it is found out as if its process were gone',
        ),
      );
      return run;
    },

    /** Whoever is told its id may ask for it again. Not `null`: there are too many. */
    tell(run: Run): Promise<Refusal | null> {
      run.isTold = true;
      return keep(run);
    },

    async payOwed(): Promise<void> {
      for (const write of owed.splice(0)) await write().catch(() => owed.push(write));
    },

    /** Done when nothing runs any more; what still does after that is told to end, and left to another process. */
    async end(graceMs: number): Promise<void> {
      const all = Promise.allSettled(known.all().map(({ settled }) => settled));
      if (graceMs > 0) await atMost(clock, graceMs, all);
      isGivenUp = true;
      for (const { stopping } of known.all()) stopping.abort();
    },
  };
}

/** What became of a row; a refusal: why there can be none. `overtaken`: another process has begun it again, or ended it. */
type Written = 'done' | 'overtaken' | Refusal;

/** One that came to wait, and of which there can be no row, is over. */
function statusOf({ execution: { status } }: View, written: Written): Execution['status'] | null {
  if (written === 'overtaken') return null;
  return written !== 'done' && status === 'waiting' ? 'failed' : status;
}

/** The rows of what runs here. */
function createRowsOf(store: Store) {
  /** Where its end must be known by its id, by its key, or goes on. */
  function isWanted({ isTold, execution }: Run, { execution: after }: View): boolean {
    return isTold || after.endedAt === null || (execution.keyHash !== null && after.keyHash !== null);
  }

  /** `null`: there is a row of it; else why there can be none. */
  async function keep(run: Run): Promise<Refusal | null> {
    if (run.isKept) return null;
    run.keeping ??= store.add(run.execution, run.wanted, true).catch((error) => {
      run.keeping = null;
      throw error;
    });
    run.isKept = await run.keeping;
    return run.isKept ? null : ((await store.fullFor(run.execution)) ?? tooMany);
  }

  async function drop({ isKept, execution }: Run): Promise<void> {
    if (isKept) await store.remove(execution.id);
  }

  async function write(run: Run, view: View): Promise<Written> {
    if (run.keeping !== null) await run.keeping;
    if (!isWanted(run, view)) {
      await drop(run);
      return 'done';
    }
    const isNew = !run.isTold && run.execution.keyHash === null;
    const full = isNew ? await store.fullFor(run.execution) : null;
    if (full !== null) {
      await drop(run);
      return full;
    }
    const unkept = await keep(run);
    if (unkept !== null) return unkept;
    const wanted = view.execution.status === 'waiting' ? run.wanted : null;
    return (await store.settle(storedView(view), wanted)) ? 'done' : 'overtaken';
  }

  return { keep, write };
}

/** Found by id and by key. */
function createKnown() {
  const byId = new Map<string, Run>();
  const byKey = new Map<string, Run>();
  const byOwner = new Map<string, number>();
  return {
    get: (id: string) => byId.get(id) ?? null,
    ofKey: (keyHash: string) => byKey.get(keyHash) ?? null,
    count: () => byId.size,
    countOf: (owner: string) => byOwner.get(owner) ?? 0,
    all: () => [...byId.values()],
    add(run: Run): void {
      const { id, owner, keyHash } = run.execution;
      byId.set(id, run);
      byOwner.set(owner, (byOwner.get(owner) ?? 0) + 1);
      if (keyHash !== null) byKey.set(keyHash, run);
    },
    forget({ id, owner, keyHash }: Execution): void {
      byId.delete(id);
      if (keyHash !== null) byKey.delete(keyHash);
      const left = (byOwner.get(owner) ?? 1) - 1;
      if (left === 0) byOwner.delete(owner);
      else byOwner.set(owner, left);
    },
  };
}

export type Runs = ReturnType<typeof createRuns>;
