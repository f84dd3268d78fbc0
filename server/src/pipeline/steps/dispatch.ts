import { ok, type Result } from '#foundation';
import type { CallFailure, Sources } from '#sources';
import type { Credentialed, Returned } from '../call.ts';

/** Runs the tool where it lives. From here on, it may have had its effect. */
export async function dispatch(call: Credentialed, sources: Sources): Promise<Result<Returned, CallFailure>> {
  const returned = await sources.call({
    executionId: call.executionId,
    tool: call.shown.tool,
    args: call.safeArgs,
    userId: call.caller.userId,
    credential: call.credential,
    client: call.client,
    task: call.task,
    meta: call.meta,
    signal: call.signal,
    notify: call.notify,
  });
  if (!returned.ok) return returned;
  return ok({ ...call, returned: returned.value });
}
