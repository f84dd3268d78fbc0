import {
  type CallNotification,
  type ClientSide,
  type InputAnswer,
  type RpcError,
  refusal,
  silentClient,
  taskExtension,
} from '#domain';
import { type Err, err, isMembers, type Members, ok, type Result } from '#foundation';
import type { Grant, Policy } from '#policy';
import type { CallRefusal, Received } from '../call.ts';

/** What passes while a request runs is screened like its answer: what the source says and asks, and what the client answers. */

/** The client as its source may talk with it; refused where an answer that it brings may not go in. */
export function screenedClient(
  client: ClientSide,
  grant: Grant,
  policy: Policy,
): Result<ClientSide, CallRefusal> {
  if (client === silentClient) return ok(client);
  const { resume, ask } = client;
  const responses = resume === null ? null : policy.passing(grant, 'answers', resume.responses);
  if (resume !== null && responses === null) return blocked('this answer', grant);
  const capabilities = passedBeside('capabilities', client.capabilities, grant, policy);
  if (capabilities === null) return blocked('what the client declares', grant);
  return ok({
    ...client,
    capabilities: policy.readsOutputs(grant.target.projectId) ? withoutTasks(capabilities) : capabilities,
    resume: resume === null || responses === null ? null : { ...resume, responses },
    ask: ask === null ? null : (request, signal) => screenedAsk(ask, request, signal, grant, policy),
  });
}

/** `_meta` of the request as its source may have it; refused where it may not go in. */
export function screenedMeta(
  meta: Received['meta'],
  grant: Grant,
  policy: Policy,
): Result<Received['meta'], CallRefusal> {
  if (meta === null) return ok(null);
  const { progressToken } = meta;
  const passed = passedBeside('_meta', ownMeta(meta), grant, policy);
  if (passed === null) return blocked('_meta', grant);
  return ok(progressToken === undefined ? passed : { ...passed, progressToken });
}

const nothing: Members = {};

/** What a client says in `_meta`, mostly nothing: what speaks of the protocol is for the gateway. */
function ownMeta(meta: Members): Members {
  let own: [string, unknown][] | null = null;
  for (const name in meta) {
    if (name === 'progressToken' || name.startsWith(protocolPrefix)) continue;
    own ??= [];
    own.push([name, meta[name]]);
  }
  return own === null ? nothing : Object.fromEntries(own);
}

const protocolPrefix = 'io.modelcontextprotocol/';

/** What a client says beside its request: mostly nothing. */
function passedBeside(name: string, said: Members, grant: Grant, policy: Policy): Members | null {
  for (const _ in said) {
    const passed = policy.passing(grant, 'answer', { [name]: said });
    return passed === null ? null : (passed[name] as Members);
  }
  return said;
}

export function blocked(what: string, { trace }: Grant): Err<CallRefusal> {
  const message = `a rule does not let ${what} go to the tool`;
  return err({ ...refusal('policy.input_blocked', message), policy: trace });
}

async function screenedAsk(
  ask: NonNullable<ClientSide['ask']>,
  request: Parameters<NonNullable<ClientSide['ask']>>[0],
  signal: AbortSignal,
  grant: Grant,
  policy: Policy,
): Promise<InputAnswer> {
  const { params } = request;
  const asked = params === undefined ? {} : policy.passing(grant, 'said', params);
  if (asked === null) return withheld;
  const answer = await ask(params === undefined ? request : { ...request, params: asked }, signal);
  if ('error' in answer) return screenedError(answer.error, grant, policy);
  const result = policy.passing(grant, 'answer', answer.result);
  return result === null ? withheld : { result };
}

function screenedError(error: RpcError, grant: Grant, policy: Policy): InputAnswer {
  const passed = policy.passing(grant, 'answer', { ...error });
  // A number that is redacted is a text.
  return passed === null || typeof passed.code !== 'number'
    ? withheld
    : { error: passed as unknown as RpcError };
}

const withheld: InputAnswer = {
  error: { code: -32000, message: 'a rule of the gateway does not let this pass' },
};

/** What a source says meanwhile, as far as the caller may hear it. */
export function screenedNotify(notify: Received['notify'], grant: Grant, policy: Policy): Received['notify'] {
  if (notify === null) return null;
  return (notification: CallNotification) => {
    const { params } = notification;
    const passed = params === undefined ? null : policy.passing(grant, 'said', params);
    if (params === undefined) notify(notification);
    else if (passed !== null) notify(passed === params ? notification : { ...notification, params: passed });
  };
}

/** Hooks that read outputs cannot read those of tasks, so the source is not told that the client does tasks. */
function withoutTasks(capabilities: Members): Members {
  const { extensions } = capabilities;
  if (!isMembers(extensions) || extensions[taskExtension] === undefined) return capabilities;
  const { [taskExtension]: _tasks, ...others } = extensions;
  return { ...capabilities, extensions: others };
}
