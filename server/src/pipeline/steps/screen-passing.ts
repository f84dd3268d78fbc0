import { type CallNotification, type ClientSide, type InputAnswer, refusal, taskExtension } from '#domain';
import { err, isMembers, type Members, ok, type Result } from '#foundation';
import type { Grant, Policy } from '#policy';
import type { CallRefusal, Received } from '../call.ts';

/** What passes while a request runs is screened like its answer: what the source says and asks, and what the client answers. */

/** The client as its source may talk with it; refused where an answer that it brings may not go in. */
export function screenedClient(
  client: ClientSide,
  grant: Grant,
  policy: Policy,
): Result<ClientSide, CallRefusal> {
  const { resume, ask } = client;
  const responses = resume === null ? null : policy.passing(grant, 'input', resume.responses);
  if (resume !== null && responses === null) {
    const message = 'a rule does not let this answer go to the tool';
    return err({ ...refusal('policy.input_blocked', message), policy: grant.trace });
  }
  return ok({
    ...client,
    capabilities: policy.readsOutputs(grant.target.projectId)
      ? withoutTasks(client.capabilities)
      : client.capabilities,
    resume: resume === null || responses === null ? null : { ...resume, responses },
    ask: ask === null ? null : (request, signal) => screenedAsk(ask, request, signal, grant, policy),
  });
}

async function screenedAsk(
  ask: NonNullable<ClientSide['ask']>,
  request: Parameters<NonNullable<ClientSide['ask']>>[0],
  signal: AbortSignal,
  grant: Grant,
  policy: Policy,
): Promise<InputAnswer> {
  const { params } = request;
  const asked = params === undefined ? {} : policy.passing(grant, 'output', params);
  if (asked === null) return withheld;
  const answer = await ask(params === undefined ? request : { ...request, params: asked }, signal);
  if ('error' in answer) return answer;
  const result = policy.passing(grant, 'input', answer.result);
  return result === null ? withheld : { result };
}

const withheld: InputAnswer = {
  error: { code: -32000, message: 'a rule of the gateway does not let this pass' },
};

/** What a source says meanwhile, as far as the caller may hear it. */
export function screenedNotify(notify: Received['notify'], grant: Grant, policy: Policy): Received['notify'] {
  if (notify === null) return null;
  return (notification: CallNotification) => {
    const { params } = notification;
    const passed = params === undefined ? null : policy.passing(grant, 'output', params);
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
