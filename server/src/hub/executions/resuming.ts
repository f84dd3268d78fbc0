import type { Credentials } from '#credentials';
import type { ClientSide } from '#domain';
import { type Clock, err, type Members, pause } from '#foundation';
import type { Policy } from '#policy';
import { clientFor } from './attempt.ts';
import type { Asking } from './contract.ts';
import { deadlineOf, ownerOf } from './drafting.ts';
import type { Said, View } from './execution.ts';
import { checkAnswers } from './questions.ts';
import { notWaiting, unknownExecution } from './refusals.ts';
import { endedView } from './settling.ts';
import type { Starting } from './starting.ts';
import type { Store } from './store.ts';
import { type Answer, isGoing, type Patience, type Waiting } from './waiting.ts';

export interface ResumingDeps {
  readonly policy: Pick<Policy, 'approvals'>;
  readonly credentials: Pick<Credentials, 'authorizations'>;
  readonly clock: Clock;
  readonly store: Store;
  readonly starting: Starting;
  readonly waiting: Waiting;
}

/** How long who asks waits unless they say so: for what runs; for what goes on because of them. */
const pollWaitMs = 20_000;
const answerWaitMs = 50_000;
const lookEveryMs = 1000;

export function createResuming(deps: ResumingDeps) {
  const { clock, store, starting, waiting } = deps;

  async function goOn(
    asking: Asking,
    { execution }: View,
    resume: ClientSide['resume'],
    patience: Patience,
  ): Promise<Answer> {
    const { id, mode } = execution;
    const wanted = await store.wantedBy(id);
    const begun = wanted === null ? null : await store.goOn(execution, deadlineOf(clock), resume !== null);
    if (begun === null || wanted === null) {
      // Somebody was faster, or it is over.
      const now = await store.find(id, ownerOf(asking));
      if (now === null) return err(unknownExecution(id));
      return resume === null ? waiting.ofRow(asking, now, patience) : err(notWaiting(now.execution.status));
    }
    const { caller, gateway, span, meta } = asking;
    const client = { ...clientFor(mode, asking.client), resume };
    const notify = mode === 'async' ? null : asking.notify;
    const by = { caller, gateway, client, meta, span, notify };
    return waiting.ofRun(starting.startAgain(begun, wanted, by), patience);
  }

  /** Nothing was done: it is over before it began. */
  async function fail(asking: Asking, { execution }: View, said: Said): Promise<Answer> {
    const ended = endedView({ execution, kept: { said } }, 'failed', true, clock.now());
    if (await starting.end(ended)) return waiting.ofView(asking, ended);
    const now = await store.find(execution.id, execution.owner);
    return now === null ? err(unknownExecution(execution.id)) : waiting.ofView(asking, now);
  }

  async function ofWaiting(
    asking: Asking,
    view: View,
    response: Members | null,
    patience: Patience,
  ): Promise<Answer> {
    const { asked } = view.kept;
    if (asked === undefined) {
      const lifted = await untilLifted(view, patience, deps);
      if (lifted === 'not_yet') return waiting.ofView(asking, view);
      return lifted === 'lifted' ? goOn(asking, view, null, patience) : fail(asking, view, lifted.never);
    }
    if (response === null) return waiting.ofView(asking, view);
    const responses = checkAnswers(asked.requests, response);
    if (!responses.ok) return responses;
    const resume = { responses: responses.value, state: asked.state, continues: true } as const;
    return goOn(asking, view, resume, patience);
  }

  return {
    ofWaiting,

    async resume(
      asking: Asking,
      id: string,
      response: Members | null,
      waitMs: number | null,
    ): Promise<Answer> {
      const owner = ownerOf(asking);
      const { signal } = asking;
      const run = starting.runs.get(id);
      if (run?.execution.owner === owner) {
        const patience = { waitMs: waitMs ?? pollWaitMs, signal };
        return response === null ? waiting.ofRun(run, patience) : err(notWaiting('running'));
      }
      const view = await store.find(id, owner);
      if (view === null) return err(unknownExecution(id));
      if (view.execution.status === 'waiting') {
        const patience = { waitMs: waitMs ?? answerWaitMs, forPersonMs: waitMs ?? 0, signal };
        return ofWaiting(asking, view, response, patience);
      }
      if (response !== null) return err(notWaiting(view.execution.status));
      return isGoing(view)
        ? waiting.ofRow(asking, view, { waitMs: waitMs ?? pollWaitMs, signal })
        : waiting.ofView(asking, view);
    },
  };
}

/** `lifted`: what it waited for is there, or the call itself will say why it never comes. */
type Lifted = 'lifted' | 'not_yet' | { readonly never: Said };

async function lookAt({ execution, kept }: View, { policy, credentials }: ResumingDeps): Promise<Lifted> {
  const { projectId, waitingFor } = execution;
  if (waitingFor === 'approval') {
    const approval = await policy.approvals.get(projectId, kept.said.approval_id ?? '', null);
    return approval?.status === 'pending' ? 'not_yet' : 'lifted';
  }
  let isPending = false;
  for (const id of kept.consents ?? []) {
    const consent = await credentials.authorizations.status(projectId, id, 0, null);
    // The call would ask the user once more, who has just said no.
    if (consent?.status === 'failed') return { never: refusedConsent(consent.failure) };
    isPending ||= consent?.status === 'pending';
  }
  return isPending ? 'not_yet' : 'lifted';
}

function refusedConsent(failure: { readonly reason: string; readonly advice: string } | null): Said {
  const { reason = 'for no known reason', advice = '' } = failure ?? {};
  const message = `the user's authorization failed: ${reason}`;
  return {
    error: { name: 'credentials.authorization_failed', message },
    advice: advice === '' ? 'execute it once more to ask the user again' : advice,
  };
}

async function untilLifted(
  view: View,
  { forPersonMs, signal }: Patience,
  deps: ResumingDeps,
): Promise<Lifted> {
  const { clock } = deps;
  const until = clock.monotonic() + forPersonMs;
  for (;;) {
    const lifted = await lookAt(view, deps);
    const leftMs = until - clock.monotonic();
    if (lifted !== 'not_yet' || leftMs <= 0 || signal?.aborted === true) return lifted;
    await pause(clock, Math.min(lookEveryMs, leftMs), signal ?? undefined);
  }
}
