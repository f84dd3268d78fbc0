import type { AuditKind, ErrorCode } from '@sallyport/contracts';
import { type Refusal, type RuleTarget, refusal, type SourceReturn } from '#domain';
import { elapsedMs, err, messageOf, ok, type Result } from '#foundation';
import type { CallRefusal, ReceivedRequest, ReceivedSubscription } from './call.ts';
import { type CallRooms, hasRun } from './call-tool.ts';

/** What a request for something else than a tool's run, and a subscription, have in common. */
type Asked = Pick<
  ReceivedRequest & ReceivedSubscription,
  'caller' | 'startedAt' | 'gateway' | 'name' | 'target' | 'unknown'
>;
interface RecordDetails {
  readonly kind: AuditKind;
  readonly executionId: string | null;
  readonly traceId: string | null;
}

/** The order of a request that runs no tool: authorize, dispatch; with one record whatever happens. */
export function relayRequest(
  received: ReceivedRequest,
  rooms: CallRooms,
): Promise<Result<SourceReturn, CallRefusal>> {
  return recorded(received, received, rooms, ({ projectId, sourceId }) =>
    rooms.sources.request({
      executionId: received.executionId,
      projectId,
      sourceId,
      userId: received.caller.userId,
      credential: null,
      client: received.client,
      method: received.method,
      params: received.params,
      meta: received.meta,
      signal: received.signal,
      notify: received.notify,
    }),
  );
}

export function subscribe(
  received: ReceivedSubscription,
  rooms: CallRooms,
): Promise<Result<() => void, CallRefusal>> {
  const { uri } = received;
  const kind = uri === undefined ? 'task' : 'resource_subscribe';
  const topic = uri === undefined ? { taskId: received.taskId } : { uri };
  const details = { kind, executionId: null, traceId: null } as const;
  return recorded(received, details, rooms, ({ projectId, sourceId }) =>
    rooms.sources.subscribe({
      projectId,
      sourceId,
      userId: received.caller.userId,
      conversation: received.conversation,
      ...topic,
      onUpdated: received.onUpdated,
    }),
  );
}

async function recorded<T>(
  asked: Asked,
  details: RecordDetails,
  rooms: CallRooms,
  dispatch: (target: RuleTarget) => Promise<Result<T, CallRefusal>>,
): Promise<Result<T, CallRefusal>> {
  const outcome = await settled(asked, rooms, dispatch);
  const { principal, userId } = asked.caller;
  const failed = outcome.ok && (outcome.value as { isError?: boolean }).isError === true;
  const [code, reason]: [ErrorCode | null, string | null] = outcome.ok
    ? [failed ? 'source.tool_failed' : null, null]
    : [outcome.error.code, outcome.error.reason ?? outcome.error.message];
  const record = rooms.audit.record({
    kind: details.kind,
    decision: outcome.ok && !failed ? 'allowed' : outcome.ok || hasRun(outcome.error) ? 'failed' : 'refused',
    projectId: principal.projectId,
    code,
    reason,
    userId,
    principal: principal.id,
    gateway: asked.gateway?.slug ?? null,
    tool: asked.target?.ruleName ?? asked.name.slice(0, 200),
    toolId: asked.target?.id ?? null,
    source: asked.target?.sourceId ?? null,
    executionId: details.executionId,
    durationMs: elapsedMs(rooms.clock, asked.startedAt),
    traceId: details.traceId,
  });
  // Only strict durability has something to wait for.
  if (record !== undefined) await record;
  return outcome;
}

async function settled<T>(
  asked: Asked,
  rooms: CallRooms,
  dispatch: (target: RuleTarget) => Promise<Result<T, CallRefusal>>,
): Promise<Result<T, CallRefusal>> {
  const permitted = permittedTarget(asked, rooms);
  if (!permitted.ok) return permitted;
  try {
    return await dispatch(permitted.value);
  } catch (error) {
    rooms.log.error({ err: error }, 'a request failed inside the gateway');
    return err(refusal('internal', 'something went wrong here', { reason: messageOf(error) }));
  }
}

/** What the caller may not see is answered exactly as what does not exist. */
function permittedTarget(
  { caller, gateway, target, unknown }: Asked,
  { policy }: CallRooms,
): Result<RuleTarget, Refusal & { toldAs?: Refusal }> {
  if (!caller.principal.scopes.has('call')) {
    return err(
      refusal('identity.scope_missing', 'this API key may not use anything here: it lacks the scope "call"'),
    );
  }
  if (target === null) return err(unknown);
  const decided = policy.decide(caller, gateway, target);
  return decided.ok ? ok(target) : err({ ...decided.error, toldAs: unknown });
}
