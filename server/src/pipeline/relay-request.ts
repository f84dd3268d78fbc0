import type { AuditKind, PolicyTrace } from '@sallyport/contracts';
import { type Credential, refusal, type SourceReturn, type SubscriptionTopic } from '#domain';
import { err, type Members, messageOf, ok, type Result } from '#foundation';
import type { Grant, Request } from '#policy';
import { type Span, withinSpan } from '#telemetry';
import type { CallRefusal, ReceivedRequest, ReceivedSubscription } from './call.ts';
import type { CallRooms } from './call-tool.ts';
import { giveBack } from './give-back.ts';
import { record } from './record.ts';
import type { Stages } from './stages.ts';
import { sendAsTheUser } from './steps/as-the-user.ts';
import { askSource } from './steps/ask-source.ts';
import { awaitConsent } from './steps/await-consent.ts';
import { requireScopes } from './steps/require-scopes.ts';
import { screenedClient, screenedMeta, screenedNotify } from './steps/screen-passing.ts';

/** What a request for something else than a tool's run, and a subscription, have in common. */
type Asked = Pick<
  ReceivedRequest & ReceivedSubscription,
  'caller' | 'startedAt' | 'gateway' | 'name' | 'target' | 'unknown'
>;
interface RecordDetails {
  readonly kind: AuditKind;
  readonly executionId: string | null;
  readonly span: Span | null;
  /** A subscription has none: it is there for long. */
  readonly stages: Stages | null;
}

/** The order of a request that runs no tool: authorize, screen input, dispatch, screen output; with one record whatever happens. */
export function relayRequest(
  received: ReceivedRequest,
  rooms: CallRooms,
): Promise<Result<SourceReturn, CallRefusal>> {
  const { kind, executionId, span } = received;
  const stages = rooms.beginStages(received);
  const details = { kind, executionId, span, stages };
  return withinSpan(stages, () =>
    recorded(received, details, rooms, (grant) => dispatched(received, grant, stages, rooms)),
  );
}

async function dispatched(
  received: ReceivedRequest,
  grant: Grant,
  stages: Stages,
  { policy, sources, credentials }: CallRooms,
): Promise<Result<SourceReturn, CallRefusal>> {
  const { kind, executionId, method, params, signal, notify } = received;
  const continues = received.client.resume?.continues === true;
  const asked = { ...askedWith(executionId, params), follows: kind === 'task', continues, signal };
  stages.enter('consent');
  const consented = await awaitConsent(received, grant.target, credentials);
  if (!consented.ok) return consented;
  stages.enter('screen_input');
  const admission = await policy.admit(grant, asked);
  if (!admission.ok) return admission;
  try {
    const client = screenedClient(consented.value, grant, policy);
    if (!client.ok) return client;
    const meta = screenedMeta(received.meta, grant, policy);
    if (!meta.ok) return meta;
    const { projectId, sourceId } = grant.target;
    const { caller } = received;
    stages.enter('attach_credential');
    const given = credentials.forSource(caller, grant.target);
    const credential = given instanceof Promise ? await given : given;
    if (!credential.ok) {
      await giveBack(admission.value, credential.error);
      return credential;
    }
    stages.enter('dispatch');
    const forUser = { caller, at: grant.target, credential: credential.value };
    const { args } = admission.value;
    const name = method === 'prompts/get' && typeof params.name === 'string' ? params.name : null;
    const about = { projectId, sourceId, method, name };
    const send = (carried: Credential | null) =>
      askSource(stages.span, sources, about, meta.value, (trace) =>
        sources.request({
          executionId,
          projectId,
          sourceId,
          userId: caller.userId,
          personId: caller.personId,
          credential: carried,
          client: client.value,
          method,
          params: args,
          meta: meta.value,
          trace,
          signal,
          notify: screenedNotify(notify, grant, policy),
        }),
      );
    const returned = await sendAsTheUser(forUser, credentials, send);
    if (!returned.ok) {
      await giveBack(admission.value, returned.error);
      return err(policy.releaseFailure(grant, returned.error));
    }
    stages.enter('screen_output');
    const release = await policy.release(admission.value, asked, returned.value);
    return release.ok ? ok(release.value.returned) : err({ ...release.error, ran: true });
  } finally {
    admission.value.end();
  }
}

/** What policy is asked of a request: its params are its arguments. */
function askedWith(executionId: string, args: Members): Request {
  const check = (changed: Members) => ok(changed);
  const about = { roots: argumentsIn, tool: null, follows: false, continues: false };
  return { executionId, args, ...about, check, signal: null };
}

/** Where the paths of rules begin in params. */
const argumentsIn = ['arguments', 'context.arguments', 'inputResponses.*.content'];

export function subscribe(
  received: ReceivedSubscription,
  rooms: CallRooms,
): Promise<Result<() => void, CallRefusal>> {
  const { uri } = received;
  const kind = uri === undefined ? 'task' : 'resource_subscribe';
  const details = { kind, executionId: null, span: null, stages: null } as const;
  return recorded(received, details, rooms, async (grant) => {
    const about = await topicOf(received, grant, rooms);
    if (!about.ok) return about;
    const credential = await rooms.credentials.forSource(received.caller, grant.target);
    if (!credential.ok) return credential;
    return rooms.sources.subscribe({
      projectId: grant.target.projectId,
      sourceId: grant.target.sourceId,
      userId: received.caller.userId,
      personId: received.caller.personId,
      credential: credential.value,
      conversation: received.conversation,
      ...about.value,
      onUpdated(params) {
        const passed = rooms.policy.overheard(grant, params);
        if (passed !== null) received.onUpdated(passed);
      },
    });
  });
}

/** What the source is asked to tell of. The id of a task is its own; a URI is whatever the client writes. */
async function topicOf(
  { uri, taskId }: ReceivedSubscription,
  grant: Grant,
  { policy }: CallRooms,
): Promise<Result<SubscriptionTopic, CallRefusal>> {
  if (uri === undefined) return ok({ taskId });
  const admission = await policy.admit(grant, askedWith('', { uri }));
  if (!admission.ok) return admission;
  admission.value.end();
  const { uri: admitted } = admission.value.args;
  return ok({ uri: typeof admitted === 'string' ? admitted : uri });
}

async function recorded<T>(
  asked: Asked,
  details: RecordDetails,
  rooms: CallRooms,
  dispatch: (grant: Grant) => Promise<Result<T, CallRefusal>>,
): Promise<Result<T, CallRefusal>> {
  const { kind, executionId, span, stages } = details;
  stages?.enter('authorize');
  const granted = await grantOf(asked, kind, rooms);
  const outcome = granted.ok ? await settled(granted.value, details, rooms, dispatch) : granted;
  const policy = granted.ok ? granted.value.trace : (granted.error.policy ?? null);
  stages?.enter('record', outcome.ok ? null : outcome.error.code);
  const named = {
    kind,
    tool: recordedName(asked, policy),
    toolId: asked.target?.id ?? null,
    source: asked.target?.sourceId ?? null,
    executionId,
    span,
  };
  const said = outcome.ok
    ? ok({ isError: (outcome.value as { isError?: boolean }).isError === true })
    : outcome;
  const journalled = record(rooms, named, asked, said, policy);
  if (journalled !== undefined) await journalled;
  stages?.end();
  return outcome;
}

/** A URI, unless a rule found something in it. */
function recordedName({ target, name }: Asked, policy: PolicyTrace | null): string {
  if (target === null) return name.slice(0, 200);
  const isFound = policy?.rules.some(({ places }) =>
    places.some((place) => /^params\.(?:uri|ref)\b/.test(place)),
  );
  return isFound ? `${target.sourceId}.*` : target.ruleName;
}

async function settled<T>(
  grant: Grant,
  { executionId, span }: RecordDetails,
  rooms: CallRooms,
  dispatch: (grant: Grant) => Promise<Result<T, CallRefusal>>,
): Promise<Result<T, CallRefusal>> {
  try {
    return await dispatch(grant);
  } catch (error) {
    const about = { execution_id: executionId, trace_id: span?.traceId };
    rooms.log.error({ ...about, err: error }, 'a request failed inside the gateway');
    return err(refusal('internal', 'something went wrong here', { reason: messageOf(error) }));
  }
}

/** What the caller may not see is answered exactly as what does not exist. */
async function grantOf(
  { caller, gateway, target, unknown }: Asked,
  kind: AuditKind,
  { policy }: CallRooms,
): Promise<Result<Grant, CallRefusal>> {
  if (!caller.principal.permissions.has('call')) {
    return err(
      refusal(
        'identity.scope_missing',
        'you may not use anything here: an API key needs the scope "call", a person a role that may',
      ),
    );
  }
  if (target === null) return err(unknown);
  const granted = await policy.authorize({ caller, gateway, target });
  if (!granted.ok) return err({ ...granted.error, toldAs: unknown });
  // A task is its tool's run.
  const missing = kind === 'task' ? requireScopes(caller, gateway, target.ruleName) : null;
  return missing === null ? granted : err({ ...missing, policy: granted.value.trace });
}
