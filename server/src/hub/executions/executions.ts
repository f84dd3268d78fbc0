import type { Audit } from '#audit';
import type { Catalog } from '#catalog';
import type { Credentials } from '#credentials';
import { err, messageOf, newId, ok } from '#foundation';
import type { Pipeline } from '#pipeline';
import type { Policy } from '#policy';
import type { Changes, Db } from '#storage';
import type { Vault } from '#vault';
import type { Asking, Executions } from './contract.ts';
import { ownerOf } from './drafting.ts';
import { createExecuting } from './executing.ts';
import { isOver, responseOf, type View } from './execution.ts';
import { createFollowing } from './following.ts';
import { createKeeper } from './keeper.ts';
import { stopping, unknownExecution } from './refusals.ts';
import { createResuming } from './resuming.ts';
import { endedView } from './settling.ts';
import { createStarting, type StartingDeps } from './starting.ts';
import { createStore, executionsTopic } from './store.ts';
import { type Answer, createWaiting } from './waiting.ts';
import { createWithholding } from './withholding.ts';

export interface ExecutionsDeps extends StartingDeps {
  readonly db: Db;
  readonly changes: Pick<Changes, 'tell' | 'here' | 'on'>;
  /** Seals what is called, and what came of it: both may hold what is nobody else's business. */
  readonly vault: Vault;
  readonly pipeline: Pick<Pipeline, 'callTool' | 'told' | 'remember' | 'again' | 'permits' | 'overheard'>;
  readonly catalog: Pick<Catalog, 'view' | 'gateway' | 'findTool' | 'shown'>;
  readonly policy: Pick<Policy, 'approvals' | 'version'>;
  readonly credentials: Pick<Credentials, 'authorizations'>;
  readonly audit: Pick<Audit, 'record'>;
}

/** How long somebody who cancels waits to hear that it has ended. */
const cancelWaitMs = 5_000;
const toldToStop =
  'it was told to stop, and has not ended yet: call resume_execution without response to hear how it is';

/** One that is open is not begun before the process is ready: call `begin` once everybody has loaded what they hold. */
export function createExecutions(deps: ExecutionsDeps): Executions {
  const { db, changes, clock, log } = deps;
  const store = createStore({ ...deps, holder: newId('holder', clock.now()) });
  const starting = createStarting(deps, store);
  const { runs } = starting;
  const withholding = createWithholding(deps);
  const waiting = createWaiting(store, runs, withholding, clock);
  const parts = { ...deps, store, starting, waiting };
  const resuming = createResuming(parts);
  const follow = createFollowing({ ...parts, resuming });
  const execute = createExecuting({
    ...parts,
    goOn: (asking, view, patience) => resuming.ofWaiting(asking, view, null, patience),
  });
  let keeper: ReturnType<typeof createKeeper> | null = null;
  let isClosing = false;

  changes.on(executionsTopic, async (id) => {
    const run = id === null ? null : runs.get(id);
    if (run != null) run.stopping.abort();
  });

  async function cancelled(asking: Asking, view: View): Promise<Answer> {
    const { execution } = view;
    const { id, owner, status, waitingFor } = execution;
    if (isOver(execution)) return waiting.ofView(asking, view);
    if (status !== 'running') {
      const hadBegun = waitingFor === 'input';
      const advice = 'it had begun before it asked: what was done until then is not undone';
      const over = endedView(
        { execution, kept: { said: hadBegun ? { advice } : {} } },
        'cancelled',
        !hadBegun,
        clock.now(),
      );
      if (await starting.end(over)) return ok(responseOf(over));
    }
    await store.wantCancelled(id);
    const run = runs.get(id);
    if (run !== null) await waiting.within(run.settled, { waitMs: cancelWaitMs, signal: null });
    else await waiting.ofRow(asking, view, { waitMs: cancelWaitMs, signal: null });
    const now = await store.find(id, owner);
    if (now === null) return err(unknownExecution(id));
    // It came to wait at this very moment: nobody goes on with it any more.
    if (now.execution.status === 'waiting') return cancelled(asking, now);
    const kept = isOver(now.execution) ? now.kept : { said: { advice: toldToStop } };
    return waiting.ofView(asking, { ...now, kept });
  }

  return {
    execute: async (asking, request) =>
      isClosing ? err(stopping) : whileAsked(asking, (heard) => execute(heard, request)),
    resume: async (asking, id, response, waitMs) =>
      isClosing ? err(stopping) : whileAsked(asking, (heard) => resuming.resume(heard, id, response, waitMs)),
    follow: async (asking, id, answers) => (isClosing ? err(stopping) : follow(asking, id, answers)),
    async cancel(asking, id) {
      const view = await store.find(id, ownerOf(asking));
      return view === null ? err(unknownExecution(id)) : cancelled(asking, view);
    },
    async look(asking, id) {
      const view = await store.find(id, ownerOf(asking));
      return view === null ? err(unknownExecution(id)) : waiting.ofView(asking, view);
    },
    async list(asking, { limit, offset }) {
      const { views, count } = await store.list(ownerOf(asking), limit, offset);
      return { items: views.map((view) => responseOf(withholding(asking, view))), totalCount: count };
    },
    async begin() {
      // The process that had the embedded database before this one is gone, and all that it ran.
      if (db.kind === 'pglite') await store.leases.giveUp(true);
      keeper = createKeeper(parts);
      await keeper.lookNow();
    },
    async close(graceMs) {
      isClosing = true;
      await keeper?.stop();
      await runs.end(graceMs);
      await runs.payOwed();
      // Where the database is gone they run out by themselves.
      await store.leases
        .giveUp(false)
        .catch((error) => log.warn({ error: messageOf(error) }, 'executions could not be handed over'));
    },
  };
}

/** Nobody is told of what a tool says once they have their answer: the tool may go on long after. */
async function whileAsked(asking: Asking, work: (heard: Asking) => Promise<Answer>): Promise<Answer> {
  const { notify } = asking;
  if (notify === null) return work(asking);
  let isHeard = true;
  try {
    return await work({ ...asking, notify: (said) => (isHeard ? notify(said) : undefined) });
  } finally {
    isHeard = false;
  }
}
