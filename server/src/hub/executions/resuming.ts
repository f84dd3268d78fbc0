import type { Credentials } from '#credentials';
import type { ClientSide } from '#domain';
import { type Clock, err, type Members, pause } from '#foundation';
import type { Policy } from '#policy';
import { clientFor } from './attempt.ts';
import type { Asking } from './contract.ts';
import { deadlineMs, ownerOf } from './drafting.ts';
import type { View } from './execution.ts';
import { checkAnswers } from './questions.ts';
import { notWaiting, unknownExecution } from './refusals.ts';
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
    const { id, mode, toolId } = execution;
    const wanted = await store.wantedBy(id);
    const deadline = new Date(clock.now() + deadlineMs).toISOString();
    const begun = wanted === null ? null : await store.goOn(id, deadline, resume !== null);
    if (begun === null || wanted === null) {
      // Somebody was faster, or it is over.
      const now = await store.find(id, ownerOf(asking));
      if (now === null) return err(unknownExecution(id));
      return resume === null ? waiting.ofRow(asking, now, patience) : err(notWaiting(now.execution.status));
    }
    const { caller, gateway, span, meta } = asking;
    const shown = starting.find(caller, gateway, toolId, wanted);
    const client = { ...clientFor(mode, asking.client), resume };
    const notify = mode === 'async' ? null : asking.notify;
    const by = { caller, gateway, client, meta, span, notify };
    const call = { wanted, shown, args: wanted.args ?? {} };
    return waiting.ofRun(starting.start(begun, call, by, { isKept: true, isTold: true }), patience);
  }

  async function ofWaiting(
    asking: Asking,
    view: View,
    response: Members | null,
    patience: Patience,
  ): Promise<Answer> {
    const { asked } = view.kept;
    if (asked === undefined)
      return (await untilReady(view, patience, deps))
        ? goOn(asking, view, null, patience)
        : waiting.ofView(asking, view);
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

/** Whether what a waiting one waits for is there, or has turned out to never come: then the call itself says so. */
async function isReady({ execution, kept }: View, { policy, credentials }: ResumingDeps): Promise<boolean> {
  const { projectId, waitingFor } = execution;
  if (waitingFor === 'approval') {
    const approval = await policy.approvals.get(projectId, kept.said.approval_id ?? '', null);
    return approval?.status !== 'pending';
  }
  for (const id of kept.consents ?? []) {
    const consent = await credentials.authorizations.status(projectId, id, 0, null);
    if (consent?.status === 'pending') return false;
  }
  return true;
}

async function untilReady(
  view: View,
  { forPersonMs, signal }: Patience,
  deps: ResumingDeps,
): Promise<boolean> {
  const { clock } = deps;
  const until = clock.monotonic() + forPersonMs;
  for (;;) {
    if (await isReady(view, deps)) return true;
    const leftMs = until - clock.monotonic();
    if (leftMs <= 0 || signal?.aborted === true) return false;
    await pause(clock, Math.min(lookEveryMs, leftMs), signal ?? undefined);
  }
}
