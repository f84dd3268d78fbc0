import type { Audit } from '#audit';
import type { Catalog } from '#catalog';
import { refusal, silentClient } from '#domain';
import { type Clock, messageOf } from '#foundation';
import type { Pipeline } from '#pipeline';
import type { Policy } from '#policy';
import type { Log } from '#telemetry';
import { deadlineMs, maxRuns } from './executing.ts';
import type { Execution, Said, Wanted } from './execution.ts';
import { endedView } from './settling.ts';
import type { Starting } from './starting.ts';
import type { Store } from './store.ts';

export interface KeeperDeps {
  readonly pipeline: Pick<Pipeline, 'again'>;
  readonly catalog: Pick<Catalog, 'gateway'>;
  readonly policy: Pick<Policy, 'approvals'>;
  readonly audit: Pick<Audit, 'record'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly starting: Starting;
}

const lookEveryMs = 5_000;
const looksPerTidying = 120;
/** Of one that does no harm when it is begun again. */
const maxAttempts = 3;
const atOnce = 100;

/** Looks after executions: says that this process is there, and finds those whose process is not. */
export function createKeeper({ pipeline, catalog, policy, audit, clock, log, store, starting }: KeeperDeps) {
  const { runs } = starting;
  let looks = 0;
  let looking: Promise<void> = Promise.resolve();
  let isBusy = false;
  let isFailing = false;

  function deadline(): string {
    return new Date(clock.now() + deadlineMs).toISOString();
  }

  async function end(
    execution: Execution,
    status: Execution['status'],
    said: Said,
    isUndone: boolean,
  ): Promise<void> {
    const view = endedView({ execution, kept: { said } }, status, isUndone, clock.now());
    await store.settle(view, null);
  }

  /** It was begun, and whoever had it is gone. */
  async function endUnknown(execution: Execution, wanted: Wanted | null): Promise<void> {
    const { id, ref, projectId, toolId } = execution;
    const message = 'the process that had called the tool is gone, and with it the answer';
    const advice =
      'whether the tool did its work is not known: look in the other system before you call it again';
    await end(execution, 'unknown', { error: { name: 'source.interrupted', message }, advice }, false);
    log.warn({ execution_id: id, tool: ref }, 'an execution was begun, and nobody knows how it ended');
    const by = wanted?.caller.by;
    const principal = by === undefined ? null : 'keyId' in by ? by.keyId : by.token.principalId;
    const userId = wanted?.caller.userId ?? null;
    const whose = { projectId, principal, userId, tool: wanted?.name ?? ref, toolId, executionId: id };
    const code = 'source.interrupted';
    await audit.record({ ...whose, kind: 'tool_call', decision: 'failed', code, reason: message });
  }

  async function takeUp(execution: Execution): Promise<void> {
    const { id, status, gatewayId, projectId, attempt, repeatable, cancelled, toolId } = execution;
    const wanted = await store.wantedBy(id);
    const isBegun = status === 'running';
    if (cancelled && (repeatable || !isBegun)) return end(execution, 'cancelled', {}, !isBegun);
    const args = wanted?.args;
    if (isBegun && (!repeatable || attempt >= maxAttempts)) return endUnknown(execution, wanted);
    if (wanted === null || args == null) return endUnknown(execution, wanted);
    if (!isBegun && execution.expiresAt <= clock.iso()) return end(execution, 'failed', tooLate, true);
    const gateway = gatewayId === null ? null : catalog.gateway(projectId, gatewayId);
    const caller =
      gatewayId !== null && gateway === null ? noGateway : await pipeline.again(wanted.caller, gateway);
    if ('code' in caller || !caller.ok) {
      const { code, message } = 'code' in caller ? caller : caller.error;
      return end(execution, 'failed', { error: { name: code, message } }, !isBegun);
    }
    const begun = await store.begin(id, deadline());
    if (begun === null) return;
    const shown = starting.find(caller.value, gateway, toolId, wanted);
    const by = { caller: caller.value, gateway, client: silentClient, meta: null, span: null, notify: null };
    starting.start(begun, { wanted, shown, args }, by, { isKept: true, isTold: true });
  }

  async function takeOver(): Promise<void> {
    const room = Math.min(atOnce, maxRuns - runs.count());
    if (room <= 0) return;
    for (const execution of await store.takeOver(room)) {
      await takeUp(execution).catch((error) => {
        log.error(
          { execution_id: execution.id, error: messageOf(error) },
          'an execution could not be taken over',
        );
      });
    }
  }

  /** What nobody came back to in time. An approval that was given late waits longer than was said at first. */
  async function expire(): Promise<void> {
    for (const { execution, kept } of await store.overdue(atOnce)) {
      const { id, projectId, waitingFor } = execution;
      const approval =
        waitingFor === 'approval'
          ? await policy.approvals.get(projectId, kept.said.approval_id ?? '', null)
          : null;
      if (approval?.status === 'approved' && approval.expiresAt > clock.iso()) {
        await store.extend(id, approval.expiresAt);
        continue;
      }
      const isUndone = waitingFor !== 'input';
      await store.end(
        endedView({ execution, kept: { said: gaveUp(waitingFor) } }, 'failed', isUndone, clock.now()),
      );
    }
  }

  async function look(): Promise<void> {
    await runs.payOwed();
    for (const id of runs.count() > 0 ? await store.stillThere() : []) runs.get(id)?.stopping.abort();
    await takeOver();
    await expire();
    if (looks++ % looksPerTidying === 0) await store.forget();
  }

  function lookNow(): Promise<void> {
    if (isBusy) return looking;
    isBusy = true;
    looking = look()
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
        isBusy = false;
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

const noGateway = refusal('gateway.unknown', 'the gateway is not there any more');
const tooLate: Said = {
  error: { name: 'server.unavailable', message: 'no process had room for it in time; nothing was done' },
};

function gaveUp(waitingFor: Execution['waitingFor']): Said {
  switch (waitingFor) {
    case 'approval':
      return {
        error: { name: 'policy.approval_required', message: 'nobody approved it, or came back, in time' },
      };
    case 'consent':
      return {
        error: {
          name: 'credentials.authorization_failed',
          message: 'the user did not consent, or nobody came back, in time',
        },
      };
    default:
      return {
        error: { name: 'source.waiting_lost', message: 'nobody answered what the tool asked in time' },
      };
  }
}
