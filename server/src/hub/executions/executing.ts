import { createHash } from 'node:crypto';
import { type Clock, canonicalJson, createSingleFlight, err, newId, ok } from '#foundation';
import type { Pipeline } from '#pipeline';
import { clientFor } from './attempt.ts';
import type { Asking, ExecuteRequest } from './contract.ts';
import { type Execution, ownerText, responseOf, type View, type Wanted } from './execution.ts';
import { inputTooLarge, otherRequest, tooMany } from './refusals.ts';
import type { Run } from './runs.ts';
import { maxKept } from './settling.ts';
import type { Starting } from './starting.ts';
import type { Added, Store } from './store.ts';
import type { Answer, Patience, Waiting } from './waiting.ts';

export interface ExecutingDeps {
  readonly pipeline: Pick<Pipeline, 'remember'>;
  readonly clock: Clock;
  readonly store: Store;
  readonly starting: Starting;
  readonly waiting: Waiting;
  /** One that waits is gone on with, where what it waits for is there. */
  readonly resume: (asking: Asking, view: View, patience: Patience) => Promise<Answer>;
}

/** How long a client of a `sync` execution waits unless it says so: less than clients wait for an answer. */
export const syncWaitMs = 50_000;
/** From its beginning, and from whenever it goes on, until it is given up. */
export const deadlineMs = 60 * 60_000;
/** In this process at once; what is more waits its turn, or goes to another one. */
export const maxRuns = 500;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');
export const ownerOf = ({ caller, gateway }: Asking): string =>
  sha256(ownerText(caller, gateway?.id ?? null));

interface Draft {
  readonly execution: Execution;
  readonly wanted: Wanted;
}

export function createExecuting(deps: ExecutingDeps) {
  const { pipeline, clock, store, starting, waiting } = deps;
  const { runs } = starting;
  const claimOnce = createSingleFlight<Claim>();

  function draft(asking: Asking, request: ExecuteRequest): Draft {
    const { shown, ref, input, mode, idempotency_key: key, query } = request;
    const { tool } = shown;
    const owner = ownerOf(asking);
    const nowMs = clock.now();
    const isSmall = JSON.stringify(input).length <= maxKept;
    const isHarmless = tool.traits.readOnly || tool.traits.idempotent;
    const execution: Execution = {
      id: newId('te', nowMs),
      projectId: asking.caller.principal.projectId,
      owner,
      gatewayId: asking.gateway?.id ?? null,
      keyHash: key === undefined ? null : sha256(JSON.stringify([owner, key])),
      requestHash: sha256(canonicalJson([tool.id, input])),
      toolId: tool.id,
      ref,
      mode,
      status: 'running',
      waitingFor: null,
      attempt: 1,
      repeatable: isHarmless && isSmall,
      cancelled: false,
      createdAt: clock.iso(),
      endedAt: null,
      expiresAt: new Date(nowMs + deadlineMs).toISOString(),
    };
    const { caller } = asking;
    const named = { name: tool.ruleName, version: gatewayless(asking) ? tool.toolkit.version : null };
    const wanted = { caller: pipeline.remember(caller), ...named, args: input, query };
    return { execution, wanted };
  }

  function start({ execution, wanted }: Draft, asking: Asking, request: ExecuteRequest, known: Known): Run {
    const { caller, gateway, span, meta } = asking;
    const { shown, input: args, mode } = request;
    const notify = mode === 'stream' ? asking.notify : null;
    const by = { caller, gateway, client: clientFor(mode, asking.client), meta, span, notify };
    return starting.start(execution, { wanted, shown, args }, by, known);
  }

  /** Answered before it is begun: what is pending survives anything, and whoever has room begins it. */
  async function accept(drafted: Draft, asking: Asking, request: ExecuteRequest): Promise<Claim> {
    const { wanted } = drafted;
    const execution: Execution = { ...drafted.execution, status: 'pending', attempt: 0 };
    const hasRoom = runs.count() < maxRuns;
    const added = await store.add(execution, wanted, hasRoom);
    if (added !== 'added') return { kind: added };
    if (hasRoom) void beginAccepted({ execution, wanted }, asking, request);
    return { kind: 'accepted', view: { execution, kept: { said: {} } } };
  }

  async function beginAccepted(drafted: Draft, asking: Asking, request: ExecuteRequest): Promise<void> {
    const { id, expiresAt } = drafted.execution;
    // Where the database is away, its lease runs out, and it is begun later.
    const begun = await store.begin(id, expiresAt).catch(() => null);
    if (begun !== null)
      start({ ...drafted, execution: begun }, asking, request, { isKept: true, isTold: true });
  }

  /** What is never begun again by itself needs what it was called with only where it comes to wait. */
  function addBegun({ execution, wanted }: Draft): Promise<Added> {
    return store.add(execution, execution.repeatable ? wanted : { ...wanted, args: null }, true);
  }

  /** Of one key there is one, whoever asks for it, and wherever. */
  async function claim(drafted: Draft, asking: Asking, request: ExecuteRequest): Promise<Claim> {
    if (request.mode === 'async') return accept(drafted, asking, request);
    const added = await addBegun(drafted);
    if (added !== 'added') return { kind: added };
    return { kind: 'run', run: start(drafted, asking, request, { isKept: true, isTold: false }) };
  }

  async function keyed(
    drafted: Draft,
    asking: Asking,
    request: ExecuteRequest,
    patience: Patience,
  ): Promise<Answer> {
    const { keyHash, requestHash } = drafted.execution;
    const key = keyHash as string;
    for (let round = 0; round < 5; round++) {
      const running = runs.ofKey(key);
      const claimed: Claim =
        running !== null
          ? { kind: 'run', run: running }
          : await claimOnce(key, () => claim(drafted, asking, request));
      if (claimed.kind === 'too_many') return err(tooMany);
      const view = claimed.kind === 'key_taken' ? await store.byKey(key) : null;
      if (claimed.kind === 'key_taken' && view === null) continue;
      const found =
        claimed.kind === 'run' ? claimed.run : claimed.kind === 'accepted' ? claimed.view : (view as View);
      if (found.execution.requestHash !== requestHash) return err(otherRequest);
      if (claimed.kind === 'run') return waiting.ofRun(claimed.run, patience);
      return found.execution.status === 'waiting'
        ? deps.resume(asking, found as View, patience)
        : waiting.ofRow(found as View, patience);
    }
    return err(otherRequest);
  }

  /** Nobody can ask for it again before they are told of it: only what may have had its effect leaves a trace. */
  async function once(
    drafted: Draft,
    asking: Asking,
    request: ExecuteRequest,
    patience: Patience,
  ): Promise<Answer> {
    const isKept = !drafted.execution.repeatable;
    if (isKept && (await addBegun(drafted)) !== 'added') return err(tooMany);
    return waiting.ofRun(start(drafted, asking, request, { isKept, isTold: false }), patience);
  }

  return async (asking: Asking, request: ExecuteRequest): Promise<Answer> => {
    const drafted = draft(asking, request);
    const { mode, idempotency_key: key, wait_ms: waitMs } = request;
    const isAsync = mode === 'async';
    if (isAsync && JSON.stringify(request.input).length > maxKept) return err(inputTooLarge);
    const patience = { waitMs: isAsync ? 0 : (waitMs ?? syncWaitMs), signal: asking.signal };
    if (key !== undefined) return keyed(drafted, asking, request, patience);
    if (!isAsync) return once(drafted, asking, request, patience);
    const accepted = await accept(drafted, asking, request);
    return accepted.kind === 'accepted' ? ok(responseOf(accepted.view)) : err(tooMany);
  };
}

const gatewayless = ({ gateway }: Asking): boolean => gateway === null;

type Known = { readonly isKept: boolean; readonly isTold: boolean };
type Claim =
  | { readonly kind: 'run'; readonly run: Run }
  | { readonly kind: 'accepted'; readonly view: View }
  | { readonly kind: 'key_taken' | 'too_many' };
