import type { AuditKind, ErrorCode } from '@sallyport/contracts';
import { refusal, type SourceReturn } from '#domain';
import { elapsedMs, err, type Members, messageOf, ok, type Result } from '#foundation';
import type { Grant } from '#policy';
import type { CallRefusal, ReceivedRequest, ReceivedSubscription } from './call.ts';
import { type CallRooms, hasRun } from './call-tool.ts';
import { screenedClient, screenedNotify } from './steps/screen-passing.ts';

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

/** The order of a request that runs no tool: authorize, screen input, dispatch, screen output; with one record whatever happens. */
export function relayRequest(
  received: ReceivedRequest,
  rooms: CallRooms,
): Promise<Result<SourceReturn, CallRefusal>> {
  return recorded(received, received, rooms, (grant) => dispatched(received, grant, rooms));
}

async function dispatched(
  received: ReceivedRequest,
  grant: Grant,
  { policy, sources }: CallRooms,
): Promise<Result<SourceReturn, CallRefusal>> {
  const { executionId, method, params, meta, signal, notify } = received;
  const check = (args: Members) => ok(args);
  const asked = { executionId, args: params, roots: ['arguments'], tool: null, check, signal };
  const admission = await policy.admit(grant, asked);
  if (!admission.ok) return admission;
  try {
    const client = screenedClient(received.client, grant, policy);
    if (!client.ok) return client;
    const { projectId, sourceId } = grant.target;
    const returned = await sources.request({
      executionId,
      projectId,
      sourceId,
      userId: received.caller.userId,
      credential: null,
      client: client.value,
      method,
      params: admission.value.args,
      meta,
      signal,
      notify: screenedNotify(notify, grant, policy),
    });
    if (!returned.ok) return err(policy.releaseFailure(grant, returned.error));
    const release = await policy.release(admission.value, asked, returned.value);
    return release.ok ? ok(release.value.returned) : err({ ...release.error, ran: true });
  } finally {
    admission.value.end();
  }
}

export function subscribe(
  received: ReceivedSubscription,
  rooms: CallRooms,
): Promise<Result<() => void, CallRefusal>> {
  const { uri } = received;
  const kind = uri === undefined ? 'task' : 'resource_subscribe';
  const topic = uri === undefined ? { taskId: received.taskId } : { uri };
  const details = { kind, executionId: null, traceId: null } as const;
  return recorded(received, details, rooms, (grant) =>
    rooms.sources.subscribe({
      projectId: grant.target.projectId,
      sourceId: grant.target.sourceId,
      userId: received.caller.userId,
      conversation: received.conversation,
      ...topic,
      onUpdated(params) {
        const passed = rooms.policy.overheard(grant, params);
        if (passed !== null) received.onUpdated(passed);
      },
    }),
  );
}

async function recorded<T>(
  asked: Asked,
  details: RecordDetails,
  rooms: CallRooms,
  dispatch: (grant: Grant) => Promise<Result<T, CallRefusal>>,
): Promise<Result<T, CallRefusal>> {
  const granted = await grantOf(asked, rooms);
  const outcome = granted.ok ? await settled(granted.value, rooms, dispatch) : granted;
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
    policy: granted.ok ? granted.value.trace : (granted.error.policy ?? null),
  });
  // Only strict durability has something to wait for.
  if (record !== undefined) await record;
  return outcome;
}

async function settled<T>(
  grant: Grant,
  rooms: CallRooms,
  dispatch: (grant: Grant) => Promise<Result<T, CallRefusal>>,
): Promise<Result<T, CallRefusal>> {
  try {
    return await dispatch(grant);
  } catch (error) {
    rooms.log.error({ err: error }, 'a request failed inside the gateway');
    return err(refusal('internal', 'something went wrong here', { reason: messageOf(error) }));
  }
}

/** What the caller may not see is answered exactly as what does not exist. */
async function grantOf(
  { caller, gateway, target, unknown }: Asked,
  { policy }: CallRooms,
): Promise<Result<Grant, CallRefusal>> {
  if (!caller.principal.scopes.has('call')) {
    return err(
      refusal('identity.scope_missing', 'this API key may not use anything here: it lacks the scope "call"'),
    );
  }
  if (target === null) return err(unknown);
  const granted = await policy.authorize({ caller, gateway, target });
  return granted.ok ? granted : err({ ...granted.error, toldAs: unknown });
}
