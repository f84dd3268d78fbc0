import type { Audit } from '#audit';
import type { Catalog } from '#catalog';
import { type Caller, type Gateway, type Refusal, refusal, silentClient } from '#domain';
import { type Clock, err, messageOf, ok, type Result } from '#foundation';
import type { Pipeline } from '#pipeline';
import type { Log } from '#telemetry';
import { deadlineOf } from './drafting.ts';
import { maxRuns } from './executing.ts';
import type { Execution, Said, Wanted } from './execution.ts';
import { endedView } from './settling.ts';
import type { Starting } from './starting.ts';
import type { Store } from './store.ts';

export interface TakeOverDeps {
  readonly pipeline: Pick<Pipeline, 'again'>;
  readonly catalog: Pick<Catalog, 'gateway'>;
  readonly audit: Pick<Audit, 'record'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly starting: Starting;
}

/** Of one that does no harm when it is begun again. */
const maxAttempts = 3;
const atOnce = 100;

const noGateway = refusal('gateway.unknown', 'the gateway is not there any more');
const tooLate: Said = {
  error: { name: 'server.unavailable', message: 'no process had room for it in time; nothing was done' },
};
const gone = 'the process that had called the tool is gone, and with it the answer';
const lookFirst =
  'whether the tool did its work is not known: look in the other system before you call it again';

/** Takes up what processes left that are gone: what was not begun, and what does no harm when it is begun again. */
export function createTakeOver({ pipeline, catalog, audit, clock, log, store, starting }: TakeOverDeps) {
  async function end(
    execution: Execution,
    status: Execution['status'],
    said: Said,
    isUndone: boolean,
  ): Promise<boolean> {
    const ended = endedView({ execution, kept: { said } }, status, isUndone, clock.now());
    const isOver = await store.settle(ended, null);
    if (isOver) starting.count(execution, status);
    return isOver;
  }

  /** Its call has no record yet: that was to be made at its end. */
  async function endUnknown(execution: Execution, wanted: Wanted | null): Promise<void> {
    const { id, ref, projectId, toolId } = execution;
    const said = { error: { name: 'source.interrupted', message: gone }, advice: lookFirst };
    // Whoever had it may have told its end at this very moment.
    if (!(await end(execution, 'unknown', said, false))) return;
    log.warn({ execution_id: id, tool: ref }, 'an execution was begun, and nobody knows how it ended');
    const by = wanted?.caller.by;
    await audit.record({
      kind: 'tool_call',
      decision: 'failed',
      code: 'source.interrupted',
      reason: gone,
      projectId,
      principal: by === undefined ? null : 'keyId' in by ? by.keyId : by.token.principalId,
      userId: wanted?.caller.userId ?? null,
      tool: wanted?.name ?? ref,
      toolId,
      executionId: id,
    });
  }

  async function whoAndWhere(
    { gatewayId, projectId }: Execution,
    { caller }: Wanted,
  ): Promise<Result<{ readonly caller: Caller; readonly gateway: Gateway | null }, Refusal>> {
    const gateway = gatewayId === null ? null : catalog.gateway(projectId, gatewayId);
    if (gatewayId !== null && gateway === null) return err(noGateway);
    const now = await pipeline.again(caller, gateway);
    return now.ok ? ok({ caller: now.value, gateway }) : now;
  }

  async function beginAgain(execution: Execution, wanted: Wanted, isBegun: boolean): Promise<void> {
    const by = await whoAndWhere(execution, wanted);
    if (!by.ok) {
      const { code: name, message } = by.error;
      return void (await end(execution, 'failed', { error: { name, message } }, !isBegun));
    }
    const { caller, gateway } = by.value;
    const begun = await store.begin(execution, deadlineOf(clock));
    if (begun === null) return;
    const nobody = { client: silentClient, meta: null, span: null, notify: null };
    starting.startAgain(begun, wanted, { caller, gateway, ...nobody });
  }

  async function takeUp(execution: Execution): Promise<void> {
    const { id, status, attempt, repeatable, cancelled, expiresAt } = execution;
    const isBegun = status === 'running';
    if (cancelled && (repeatable || !isBegun)) return void (await end(execution, 'cancelled', {}, !isBegun));
    const wanted = await store.wantedBy(id);
    const isLost = wanted === null || wanted.args === null;
    if (isLost || (isBegun && (!repeatable || attempt >= maxAttempts))) return endUnknown(execution, wanted);
    if (!isBegun && expiresAt <= clock.iso()) return void (await end(execution, 'failed', tooLate, true));
    await beginAgain(execution, wanted, isBegun);
  }

  return async (): Promise<void> => {
    const room = Math.min(atOnce, maxRuns - starting.runs.count());
    if (room <= 0) return;
    for (const execution of await store.leases.takeOver(room, starting.runs.ids())) {
      await takeUp(execution).catch((error) => {
        const { id } = execution;
        log.error({ execution_id: id, error: messageOf(error) }, 'an execution could not be taken over');
      });
    }
  };
}
