import { type Clock, createSingleFlight, err, ok } from '#foundation';
import type { Pipeline } from '#pipeline';
import { clientFor } from './attempt.ts';
import type { Asking, ExecuteRequest } from './contract.ts';
import { type Draft, draftOf } from './drafting.ts';
import { type Execution, responseOf, type View } from './execution.ts';
import { inputTooLarge, maxOpen, otherRequest, tooMany } from './refusals.ts';
import type { Run } from './runs.ts';
import { maxKept } from './settling.ts';
import type { Known, Starting } from './starting.ts';
import type { Store } from './store.ts';
import type { Answer, Patience, Waiting } from './waiting.ts';

export interface ExecutingDeps {
  readonly pipeline: Pick<Pipeline, 'remember'>;
  readonly clock: Clock;
  readonly store: Store;
  readonly starting: Starting;
  readonly waiting: Waiting;
  /** One that waits is gone on with, where what it waits for is there. */
  readonly goOn: (asking: Asking, view: View, patience: Patience) => Promise<Answer>;
}

/** How long a client waits unless it says so: less than clients wait for an answer. */
const syncWaitMs = 50_000;
/** In this process at once; what is more waits its turn, or goes to another one. */
export const maxRuns = 500;
const maxRounds = 5;

type Claim =
  | { readonly kind: 'run'; readonly run: Run }
  | { readonly kind: 'accepted'; readonly view: View }
  | { readonly kind: 'not_added' };
/** Its key is taken, or there are too many. */
const notAdded: Claim = { kind: 'not_added' };

/** One request to execute a tool. */
interface Asked {
  readonly asking: Asking;
  readonly request: ExecuteRequest;
  readonly draft: Draft;
  readonly patience: Patience;
}

export function createExecuting(deps: ExecutingDeps) {
  const { store, starting, waiting } = deps;
  const { runs } = starting;
  const begin = createBeginning(store, starting);
  const claimOnce = createSingleFlight<Claim>();

  /** Of one key there is one, whoever asks for it, and wherever. */
  async function keyed(asked: Asked): Promise<Answer> {
    const key = asked.draft.execution.keyHash as string;
    for (let round = 0; round < maxRounds; round++) {
      const running = runs.ofKey(key);
      const claim: Claim =
        running === null ? await claimOnce(key, () => begin(asked)) : { kind: 'run', run: running };
      if (claim.kind === 'run') return ofKey(asked, claim.run) ?? waiting.ofRun(claim.run, asked.patience);
      const view = claim.kind === 'accepted' ? claim.view : await store.byKey(key);
      if (view !== null) return ofKey(asked, view) ?? ofRow(asked, view);
      const full = await store.fullFor(asked.draft.execution);
      if (full !== null) return err(full);
      // Perhaps the one before did nothing, and the key is free again just now.
    }
    return err(tooMany);
  }

  function ofKey({ draft }: Asked, { execution }: { readonly execution: Execution }): Answer | null {
    return execution.requestHash === draft.execution.requestHash ? null : err(otherRequest);
  }

  function ofRow({ asking, patience }: Asked, view: View): Promise<Answer> {
    return view.execution.status === 'waiting'
      ? deps.goOn(asking, view, patience)
      : waiting.ofRow(asking, view, patience);
  }

  return async (asking: Asking, request: ExecuteRequest): Promise<Answer> => {
    const { mode, idempotency_key: key, wait_ms: waitMs, input } = request;
    const isAsync = mode === 'async';
    if (isAsync && JSON.stringify(input).length > maxKept) return err(inputTooLarge);
    const patience = {
      waitMs: isAsync ? 0 : (waitMs ?? syncWaitMs),
      forPersonMs: isAsync ? 0 : (waitMs ?? 0),
      signal: asking.signal,
    };
    const asked = { asking, request, draft: draftOf(asking, request, deps), patience };
    if (key !== undefined) return keyed(asked);
    const begun = await begin(asked);
    if (begun.kind === 'run') return waiting.ofRun(begun.run, patience);
    if (begun.kind === 'accepted') return ok(responseOf(begun.view));
    return err((await store.fullFor(asked.draft.execution)) ?? tooMany);
  };
}

function createBeginning(store: Store, starting: Starting) {
  const { runs } = starting;

  function start({ asking, request, draft }: Asked, execution: Execution, known: Known): Run {
    const { caller, gateway, span, meta } = asking;
    const { shown, input: args, mode } = request;
    const notify = mode === 'async' ? null : asking.notify;
    const by = { caller, gateway, client: clientFor(mode, asking.client), meta, span, notify };
    return starting.start(execution, { wanted: draft.wanted, shown, args }, by, known);
  }

  /** Answered before it is begun: what is pending survives anything, and whoever has room begins it. */
  async function accept(asked: Asked): Promise<Claim> {
    const { wanted } = asked.draft;
    const execution: Execution = { ...asked.draft.execution, status: 'pending', attempt: 0 };
    const hasRoom = runs.count() < maxRuns;
    const added = await store.add(execution, wanted, hasRoom);
    if (!added) return notAdded;
    if (hasRoom) void beginAccepted(asked, execution);
    return { kind: 'accepted', view: { execution, kept: { said: {} } } };
  }

  async function beginAccepted(asked: Asked, execution: Execution): Promise<void> {
    // Where the database is away, its lease runs out, and it is begun later.
    const begun = await store.begin(execution, execution.expiresAt).catch(() => null);
    if (begun !== null) start(asked, begun, { isKept: true, isTold: true });
  }

  /** What is never begun again by itself needs what it was called with only where it comes to wait. */
  function addBegun({ execution, wanted }: Draft): Promise<boolean> {
    const needed = execution.repeatable ? wanted : { ...wanted, args: null };
    return execution.keyHash === null ? store.note(execution, needed) : store.add(execution, needed, true);
  }

  /**
   * Of one that nobody could ask for again, only what may have an effect is written down first, so that whoever looks after a crash
   * knows that it was begun.
   */
  return async (asked: Asked): Promise<Claim> => {
    const { execution } = asked.draft;
    if (runs.countOf(execution.owner) >= maxOpen.ofCaller) return notAdded;
    if (execution.mode === 'async') return accept(asked);
    const isKept = execution.keyHash !== null || !execution.repeatable;
    if (isKept && !(await addBegun(asked.draft))) return notAdded;
    return { kind: 'run', run: start(asked, execution, { isKept, isTold: false }) };
  };
}
