import type { Refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { Answers, Asking, Followed } from './contract.ts';
import { ownerOf } from './drafting.ts';
import { unknownExecution } from './refusals.ts';
import type { createResuming } from './resuming.ts';
import type { Store } from './store.ts';
import type { Waiting } from './waiting.ts';

export interface FollowingDeps {
  readonly store: Store;
  readonly waiting: Waiting;
  readonly resuming: ReturnType<typeof createResuming>;
}

const atOnce = { waitMs: 0, forPersonMs: 0, signal: null };

/** For somebody who looks now and then: what waits goes on where what it waits for is there, or was answered. */
export function createFollowing({ store, waiting, resuming }: FollowingDeps) {
  return async (asking: Asking, id: string, answers: Answers | null): Promise<Result<Followed, Refusal>> => {
    const looked = await resuming.resume(asking, id, null, 0);
    if (!looked.ok) return looked;
    if (looked.value.status !== 'waiting') return ok({ execution: looked.value, round: 0 });
    const view = await store.find(id, ownerOf(asking));
    if (view === null) return err(unknownExecution(id));
    const round = view.execution.attempt;
    if (answers?.round === round && view.kept.asked !== undefined) {
      const went = await resuming.ofWaiting(asking, view, answers.response, atOnce);
      if (went.ok) return ok({ execution: went.value, round });
      // Somebody else answered first.
      if (went.error.code !== 'execution.not_waiting') return went;
    }
    const now = waiting.ofView(asking, view);
    return now.ok ? ok({ execution: now.value, round }) : now;
  };
}
