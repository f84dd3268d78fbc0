import type { Audit } from '#audit';
import type { Credentials } from '#credentials';
import { refusal } from '#domain';
import { type Clock, type Err, elapsedMs, err, messageOf, type Result } from '#foundation';
import type { Grant, Policy } from '#policy';
import type { Sources } from '#sources';
import type { Log } from '#telemetry';
import type { CallRefusal, Received, Screened } from './call.ts';
import { attachCredential } from './steps/attach-credential.ts';
import { authorize } from './steps/authorize.ts';
import { dispatch } from './steps/dispatch.ts';
import { resolve } from './steps/resolve.ts';
import { screenInput } from './steps/screen-input.ts';
import { screenOutput } from './steps/screen-output.ts';

export interface CallRooms {
  readonly policy: Policy;
  readonly credentials: Credentials;
  readonly sources: Sources;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The order of a tool call. The first step, authenticate, happened at the door: only it makes the `Caller` that
 * `received` holds. Each step returns what the next one asks for, so a step in the wrong place does not compile.
 */
async function runSteps(received: Received, rooms: CallRooms): Promise<Result<Screened, CallRefusal>> {
  const { policy } = rooms;
  const resolved = resolve(received);
  if (!resolved.ok) return resolved;
  const authorized = await authorize(resolved.value, policy);
  if (!authorized.ok) return authorized;
  const screened = await screenInput(authorized.value, policy);
  if (!screened.ok) return explained(authorized.value.grant, screened);
  try {
    const credentialed = await attachCredential(screened.value, rooms.credentials);
    if (!credentialed.ok) return explained(authorized.value.grant, credentialed);
    const returned = await dispatch(credentialed.value, rooms.sources, policy);
    if (!returned.ok) return failed(authorized.value.grant, returned, policy);
    return await screenOutput(returned.value, policy);
  } finally {
    screened.value.admission.end();
  }
}

/** What a source says of its failure is screened like an answer. */
function failed(grant: Grant, { error }: Err<CallRefusal>, policy: Policy): Err<CallRefusal> {
  return explained(grant, err(policy.releaseFailure(grant, error)));
}

/** A refusal with what policy had said before. */
function explained({ trace }: Grant, { error }: Err<CallRefusal>): Err<CallRefusal> {
  return err({ ...error, policy: trace });
}

/** Runs the steps and journals the one record of the call before the caller gets the answer. */
export async function callTool(received: Received, rooms: CallRooms): Promise<Result<Screened, CallRefusal>> {
  let outcome: Result<Screened, CallRefusal>;
  try {
    outcome = await runSteps(received, rooms);
  } catch (error) {
    rooms.log.error(
      { execution_id: received.executionId, err: error },
      'a tool call failed inside the gateway',
    );
    outcome = err(
      refusal('internal', `something went wrong here; the execution was ${received.executionId}`, {
        reason: messageOf(error),
      }),
    );
  }
  const recorded = record(received, outcome, rooms);
  // Only strict durability has something to wait for.
  if (recorded !== undefined) await recorded;
  return outcome;
}

function record(
  received: Received,
  outcome: Result<Screened, CallRefusal>,
  rooms: CallRooms,
): void | Promise<void> {
  // The record names the tool that was meant even where the call was refused.
  const shown = outcome.ok ? outcome.value.shown : received.find(received.name);
  const { principal, userId } = received.caller;
  const failed = outcome.ok && outcome.value.returned.isError;
  return rooms.audit.record({
    kind: 'tool_call',
    decision: outcome.ok ? (failed ? 'failed' : 'allowed') : hasRun(outcome.error) ? 'failed' : 'refused',
    projectId: principal.projectId,
    code: outcome.ok ? (failed ? 'source.tool_failed' : null) : outcome.error.code,
    reason: outcome.ok ? null : reasonOf(outcome.error),
    userId,
    principal: principal.id,
    gateway: received.gateway?.slug ?? null,
    tool: shown?.tool.qualifiedName ?? received.name.slice(0, 200),
    toolId: shown?.tool.id ?? null,
    source: shown?.tool.sourceId ?? null,
    executionId: received.executionId,
    durationMs: elapsedMs(rooms.clock, received.startedAt),
    traceId: received.traceId,
    policy: outcome.ok ? outcome.value.grant.trace : (outcome.error.policy ?? null),
  });
}

/** For the record: a source's own error may repeat what it was sent, so only its number stands there. */
export function reasonOf({ reason, message, rpc }: CallRefusal): string {
  return rpc === undefined ? (reason ?? message) : `the source answered with the JSON-RPC error ${rpc.code}`;
}

/** Whether a refusal came after policy had said yes: what a source, or we ourselves, could not do. */
export function hasRun({ code, ran }: CallRefusal): boolean {
  return ran === true || code.startsWith('source.') || code === 'internal';
}
