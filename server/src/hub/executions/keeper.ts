import { messageOf } from '#foundation';
import type { Policy } from '#policy';
import type { Execution, Said, View } from './execution.ts';
import { endedView } from './settling.ts';
import type { Starting } from './starting.ts';
import type { Store } from './store.ts';
import { createTakeOver, type TakeOverDeps } from './take-over.ts';

export interface KeeperDeps extends TakeOverDeps {
  readonly policy: Pick<Policy, 'approvals'>;
}

const lookEveryMs = 5_000;
const forgetEveryMs = 10 * 60_000;
const atOnce = 100;

/** Looks after executions: says that this process is there, finds those whose process is not, and ends what nobody came back to. */
export function createKeeper(deps: KeeperDeps) {
  const { clock, log, store, starting } = deps;
  const takeOver = createTakeOver(deps);
  let forgotAt = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | null = null;
  let isFailing = false;

  async function look(): Promise<void> {
    await stillThere(starting, store);
    await takeOver();
    if (clock.monotonic() - forgotAt >= forgetEveryMs) {
      await store.forget();
      forgotAt = clock.monotonic();
    }
    await expire(deps);
  }

  function lookNow(): Promise<void> {
    looking ??= look()
      .then(
        () => {
          isFailing = false;
        },
        (error) => {
          if (!isFailing) log.warn({ error: messageOf(error) }, 'executions cannot be looked after');
          isFailing = true;
        },
      )
      .finally(() => {
        looking = null;
      });
    return looking;
  }

  const stop = clock.every(lookEveryMs, () => void lookNow());
  return {
    lookNow,
    async stop(): Promise<void> {
      stop();
      await looking;
    },
  };
}

async function stillThere({ runs }: Starting, { leases }: Store): Promise<void> {
  await runs.payOwed();
  if (runs.count() === 0) return;
  for (const id of await leases.stillThere(runs.ids())) runs.get(id)?.stopping.abort();
}

/** All that can be ended are, whatever is wrong with one; throws what was wrong with the last. */
async function expire(deps: KeeperDeps): Promise<void> {
  let failure: { readonly error: unknown } | null = null;
  for (const { execution, open } of await deps.store.leases.overdue(atOnce)) {
    await expireOne(deps, execution, open).catch((error) => {
      failure = { error };
    });
  }
  if (failure !== null) throw (failure as { readonly error: unknown }).error;
}

/** An approval that was given late waits longer than was said at first. */
async function expireOne(
  { policy, clock, store, starting }: KeeperDeps,
  execution: Execution,
  open: () => Promise<View>,
): Promise<void> {
  const { id, projectId, waitingFor } = execution;
  if (waitingFor === 'approval') {
    const { kept } = await open();
    const approval = await policy.approvals.get(projectId, kept.said.approval_id ?? '', null);
    if (approval?.status === 'approved' && approval.expiresAt > clock.iso()) {
      await store.leases.extend(id, approval.expiresAt);
      return;
    }
  }
  const said = givenUp(waitingFor);
  const isUndone = waitingFor !== 'input';
  await starting.end(endedView({ execution, kept: { said } }, 'failed', isUndone, clock.now()));
}

function givenUp(waitingFor: Execution['waitingFor']): Said {
  const failed = (name: string, message: string): Said => ({ error: { name, message } });
  switch (waitingFor) {
    case 'approval':
      return failed('policy.approval_required', 'nobody approved it, or came back, in time');
    case 'consent':
      return failed(
        'credentials.authorization_failed',
        'the user did not consent, or nobody came back, in time',
      );
    default:
      return failed('source.waiting_lost', 'nobody answered in time what the tool asked');
  }
}
