import { ok, type Result } from '#foundation';
import type { Policy } from '#policy';
import type { Sources } from '#sources';
import type { CallRefusal, Credentialed, Returned } from '../call.ts';
import { blocked, screenedClient, screenedMeta, screenedNotify } from './screen-passing.ts';

/** Runs the tool where it lives. From here on, it may have had its effect. */
export async function dispatch(
  call: Credentialed,
  sources: Sources,
  policy: Policy,
): Promise<Result<Returned, CallRefusal>> {
  const { grant } = call;
  const client = screenedClient(call.client, grant, policy);
  if (!client.ok) return client;
  const meta = screenedMeta(call.meta, grant, policy);
  if (!meta.ok) return meta;
  const task = call.task === null ? null : policy.passing(grant, 'answer', call.task);
  if (call.task !== null && task === null) return blocked('task', grant);
  const returned = await sources.call({
    executionId: call.executionId,
    tool: call.shown.tool,
    args: call.admission.args,
    userId: call.caller.userId,
    credential: call.credential,
    client: client.value,
    task: policy.readsOutputs(grant.target.projectId) ? null : task,
    meta: meta.value,
    signal: call.signal,
    notify: screenedNotify(call.notify, grant, policy),
  });
  if (!returned.ok) return returned;
  return ok({ ...call, returned: returned.value });
}
