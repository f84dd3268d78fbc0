import type { Credentials } from '#credentials';
import { type ClientSide, silentClient } from '#domain';
import { type Clock, err, type Members, ok, pause } from '#foundation';
import type { Policy } from '#policy';
import { clientFor } from './attempt.ts';
import type { Asking } from './contract.ts';
import { deadlineMs, ownerOf } from './executing.ts';
import { responseOf, type View, type Wanted } from './execution.ts';
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

const pollWaitMs = 20_000;
const answerWaitMs = 50_000;
const lookEveryMs = 1000;

export function createResuming({ policy, credentials, clock, store, starting, waiting }: ResumingDeps) {
  const { runs } = starting;

  /** Whether what a waiting one waits for is there, or has turned out to never come: then the call itself says so. */
  async function isReady({ execution, kept }: View): Promise<boolean> {
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

  async function untilReady(view: View, { waitMs, signal }: Patience): Promise<boolean> {
    const until = clock.monotonic() + waitMs;
    for (;;) {
      if (await isReady(view)) return true;
      const left = until - clock.monotonic();
      if (left <= 0 || signal?.aborted === true) return false;
      await pause(clock, Math.min(lookEveryMs, left), signal ?? undefined);
    }
  }

  async function goOn(
    asking: Asking,
    view: View,
    resume: ClientSide['resume'],
    patience: Patience,
  ): Promise<Answer> {
    const { id, mode, toolId } = view.execution;
    const wanted = (await store.wantedBy(id)) as Wanted | null;
    const deadline = new Date(clock.now() + deadlineMs).toISOString();
    const begun = wanted === null ? null : await store.goOn(id, deadline, resume !== null);
    if (begun === null || wanted === null) {
      // Somebody was faster, or it is over.
      if (resume !== null) return err(notWaiting('no longer waiting'));
      const now = await store.find(id, ownerOf(asking));
      return now === null ? err(unknownExecution(id)) : waiting.ofRow(now, patience);
    }
    const { caller, gateway, span, meta } = asking;
    const shown = starting.find(caller, gateway, toolId, wanted);
    const client = { ...clientFor(mode, asking.client ?? silentClient), resume };
    const notify = mode === 'stream' ? asking.notify : null;
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
    if (view.execution.waitingFor !== 'input' || asked === undefined)
      return (await untilReady(view, patience)) ? goOn(asking, view, null, patience) : ok(responseOf(view));
    if (response === null) return ok(responseOf(view));
    const responses = checkAnswers(asked.requests, response);
    if (!responses.ok) return responses;
    return goOn(asking, view, { responses: responses.value, state: asked.state, continues: true }, patience);
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
      const patience = {
        waitMs: waitMs ?? (response === null ? pollWaitMs : answerWaitMs),
        signal: asking.signal,
      };
      const run = runs.get(id);
      if (run !== null && run.execution.owner === owner)
        return response === null ? waiting.ofRun(run, patience) : err(notWaiting('running'));
      const view = await store.find(id, owner);
      if (view === null) return err(unknownExecution(id));
      if (view.execution.status === 'waiting') {
        const isPoll = response === null && waitMs === null;
        return ofWaiting(asking, view, response, isPoll ? { ...patience, waitMs: 0 } : patience);
      }
      if (response !== null) return err(notWaiting(view.execution.status));
      return isGoing(view) ? waiting.ofRow(view, patience) : ok(responseOf(view));
    },
  };
}

export type Resuming = ReturnType<typeof createResuming>;
