import type { Credentials } from '#credentials';
import type { Credential, LargeResult } from '#domain';
import { ok, type Result } from '#foundation';
import type { Grant, Policy } from '#policy';
import type { Sources } from '#sources';
import type { Span } from '#telemetry';
import type { CallRefusal, Credentialed, Received, Returned } from '../call.ts';
import { afterTokenRefused } from './after-token-refused.ts';
import { sendAsTheUser } from './as-the-user.ts';
import { askSource } from './ask-source.ts';
import { blocked, screenedClient, screenedMeta, screenedNotify } from './screen-passing.ts';

interface Rooms {
  readonly sources: Sources;
  readonly credentials: Credentials;
  readonly policy: Policy;
}

/** Runs the tool where it lives. From here on, it may have had its effect. */
export async function dispatch(
  call: Credentialed,
  span: Span,
  { sources, credentials, policy }: Rooms,
): Promise<Result<Returned, CallRefusal>> {
  const { grant } = call;
  const client = screenedClient(call.client, grant, policy);
  if (!client.ok) return client;
  const meta = screenedMeta(call.meta, grant, policy);
  if (!meta.ok) return meta;
  const task = call.task === null ? null : policy.passing(grant, 'answer', call.task);
  if (call.task !== null && task === null) return blocked('task', grant);
  const { caller, credential, signal, shown } = call;
  const forUser = { caller, at: shown.tool, credential };
  const large = unread(call.large, grant, policy);
  const { projectId, sourceId } = grant.target;
  const about = { projectId, sourceId, method: 'tools/call', name: shown.tool.name };
  const send = (carried: Credential | null) =>
    askSource(span, sources, about, meta.value, (trace) =>
      sources.call({
        executionId: call.executionId,
        tool: shown.tool,
        args: call.admission.args,
        userId: caller.userId,
        personId: caller.personId,
        credential: carried,
        client: client.value,
        task: policy.readsOutputs(projectId) ? null : task,
        meta: meta.value,
        trace,
        signal,
        notify: screenedNotify(call.notify, grant, policy),
        large,
      }),
    );
  const first = await sendAsTheUser(forUser, credentials, send);
  const after = first.ok ? afterTokenRefused(call, first.value, credentials, send) : first;
  const returned = after instanceof Promise ? await after : after;
  return returned.ok ? ok({ ...call, returned: returned.value }) : returned;
}

/** A result that nobody has to read may pass while it comes; whether that is so is asked when it comes. */
function unread(large: Received['large'], grant: Grant, policy: Policy): LargeResult | null {
  if (large == null) return null;
  return {
    anyStructure: large.anyStructure,
    begin: () => policy.passesUnread(grant) && large.begin(),
    write: (bytes, giveBack) => large.write(bytes, giveBack),
    writeOutput: (json) => large.writeOutput(json),
  };
}
