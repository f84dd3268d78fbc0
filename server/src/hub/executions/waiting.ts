import type { ExecutionResponse } from '@sallyport/contracts';
import type { Refusal } from '#domain';
import { type Clock, createSingleFlight, err, ok, pause, type Result } from '#foundation';
import type { Asking } from './contract.ts';
import { isOver, responseOf, type View } from './execution.ts';
import { unknownExecution } from './refusals.ts';
import type { Run, Runs } from './runs.ts';
import type { Store } from './store.ts';
import type { Withholding } from './withholding.ts';

export type Answer = Result<ExecutionResponse, Refusal>;

/** How long somebody waits, and what ends that sooner. */
export interface Patience {
  readonly waitMs: number;
  /** For a consent or an approval: who does not say how long hears at once what it waits for. */
  readonly forPersonMs: number;
  readonly signal: AbortSignal | null;
}

/** How often one that another process has is looked at while somebody waits for it. */
const lookEveryMs = 250;
const stillRuns = 'it goes on: call resume_execution without response to hear how it is';

/** Waits for executions, and answers how they are. */
export function createWaiting(store: Store, runs: Runs, withholding: Withholding, clock: Clock) {
  const lookOnce = createSingleFlight<View | null>();

  /** `null`: it took longer than that. */
  async function within<T>(
    done: Promise<T>,
    { waitMs, signal }: Omit<Patience, 'forPersonMs'>,
  ): Promise<T | null> {
    if (signal?.aborted === true || waitMs <= 0) return Promise.race([done, Promise.resolve(null)]);
    const isOver = new AbortController();
    const until = signal === null ? isOver.signal : AbortSignal.any([isOver.signal, signal]);
    try {
      return await Promise.race([done, pause(clock, waitMs, until).then(() => null)]);
    } finally {
      isOver.abort();
    }
  }

  /** Of one that runs here. Whoever is told that it still does may ask for it again, so that it is kept. */
  async function ofRun(run: Run, patience: Omit<Patience, 'forPersonMs'>): Promise<Answer> {
    const settled = (await within(run.settled, patience)) ?? (run.isOver ? await run.settled : null);
    if (settled !== null) {
      const { refused, view } = settled;
      // Whose caller knows its id is told how that one ended.
      return refused === null || run.isTold ? ok(responseOf(view)) : err(refused);
    }
    if (patience.signal?.aborted !== true) {
      const full = await runs.tell(run);
      if (full !== null) {
        run.stopping.abort();
        return err(full);
      }
    }
    return ok(responseOf({ execution: run.execution, kept: { said: { advice: stillRuns } } }));
  }

  /** Of one that another process has, or nobody yet. */
  async function ofRow(
    asking: Asking,
    first: View,
    patience: Omit<Patience, 'forPersonMs'>,
  ): Promise<Answer> {
    const { id, owner } = first.execution;
    const until = clock.monotonic() + patience.waitMs;
    let view: View | null = first;
    while (view !== null && isGoing(view) && clock.monotonic() < until && patience.signal?.aborted !== true) {
      const run = runs.get(id);
      if (run !== null) return ofRun(run, { ...patience, waitMs: until - clock.monotonic() });
      view = await lookOnce(id, async () => {
        await pause(clock, lookEveryMs);
        return store.find(id, owner);
      });
    }
    return view === null ? err(unknownExecution(id)) : ofView(asking, told(view));
  }

  /** As its row says, so far as whoever asks may hear that now. */
  function ofView(asking: Asking, view: View): Answer {
    return ok(responseOf(withholding(asking, view)));
  }

  return { within, ofRun, ofRow, ofView };
}

export type Waiting = ReturnType<typeof createWaiting>;

export const isGoing = ({ execution }: View): boolean => !isOver(execution) && execution.status !== 'waiting';

function told(view: View): View {
  return isGoing(view) ? { ...view, kept: { said: { advice: stillRuns, ...view.kept.said } } } : view;
}
