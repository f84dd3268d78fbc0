import type { Audit } from '#audit';
import type { Credentials } from '#credentials';
import { type ClientSide, type Refusal, refusal } from '#domain';
import { type Clock, type Err, err, type MaybePromise, messageOf, ok, type Result } from '#foundation';
import type { Grant, Policy } from '#policy';
import type { Sources } from '#sources';
import { type Log, withinSpan } from '#telemetry';
import type { Authorized, CallRefusal, Consented, Received, Screened } from './call.ts';
import { giveBack } from './give-back.ts';
import { record } from './record.ts';
import type { BeginStages, Stages } from './stages.ts';
import { attachCredential, describeCredential } from './steps/attach-credential.ts';
import { authorize } from './steps/authorize.ts';
import { awaitConsent } from './steps/await-consent.ts';
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
  readonly beginStages: BeginStages;
}

/**
 * The order of a tool call. The first step, authenticate, happened at the door: only it makes the `Caller` that
 * `received` holds. Each step returns what the next one asks for, so a step in the wrong place does not compile.
 */
async function runSteps(
  received: Received,
  stages: Stages,
  rooms: CallRooms,
): Promise<Result<Screened, CallRefusal>> {
  const { policy } = rooms;
  stages.enter('resolve');
  const resolved = resolve(received);
  if (!resolved.ok) return resolved;
  stages.enter('authorize');
  const authorizing = authorize(resolved.value, policy);
  const authorized = authorizing instanceof Promise ? await authorizing : authorizing;
  if (!authorized.ok) return authorized;
  const { grant } = authorized.value;
  stages.enter('consent');
  const ending = consentEnded(authorized.value, rooms.credentials);
  const consented = ending instanceof Promise ? await ending : ending;
  if (!consented.ok) return explained(grant, consented);
  stages.enter('screen_input');
  const describe = (call: Consented) => describeCredential(call, rooms.credentials);
  const screening = screenInput(consented.value, policy, describe);
  const screened = screening instanceof Promise ? await screening : screening;
  if (!screened.ok) return explained(grant, screened);
  const { admission } = screened.value;
  try {
    stages.enter('attach_credential');
    const attached = attachCredential(screened.value, rooms.credentials);
    const credentialed = attached instanceof Promise ? await attached : attached;
    if (!credentialed.ok) {
      await giveBack(admission, credentialed.error);
      return explained(grant, credentialed);
    }
    stages.enter('dispatch');
    const returned = await dispatch(credentialed.value, stages.span, rooms);
    if (!returned.ok) {
      await giveBack(admission, returned.error);
      return failed(grant, returned, policy);
    }
    stages.enter('screen_output');
    const releasing = screenOutput(returned.value, policy);
    return releasing instanceof Promise ? await releasing : releasing;
  } finally {
    admission.end();
  }
}

function consentEnded(
  authorized: Authorized,
  credentials: Credentials,
): MaybePromise<Result<Consented, CallRefusal>> {
  const continues = authorized.client.resume?.continues === true;
  const goOn = (client: Result<ClientSide, Refusal>): Result<Consented, CallRefusal> =>
    client.ok ? ok({ ...authorized, client: client.value, consented: true, continues }) : client;
  const client = awaitConsent(authorized, authorized.shown.tool, credentials);
  return client instanceof Promise ? client.then(goOn) : goOn(client);
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
  const stages = rooms.beginStages(received);
  let outcome: Result<Screened, CallRefusal>;
  try {
    outcome = await withinSpan(stages, () => runSteps(received, stages, rooms));
  } catch (error) {
    const { executionId, span } = received;
    rooms.log.error(
      { execution_id: executionId, trace_id: span.traceId, err: error },
      'a tool call failed inside the gateway',
    );
    outcome = err(
      refusal('internal', `something went wrong here; the execution was ${received.executionId}`, {
        reason: messageOf(error),
      }),
    );
  }
  stages.enter('record', outcome.ok ? null : outcome.error.code);
  const recorded = recordCall(received, outcome, rooms);
  if (recorded !== undefined) await recorded;
  stages.end();
  return outcome;
}

function recordCall(
  received: Received,
  outcome: Result<Screened, CallRefusal>,
  rooms: CallRooms,
): void | Promise<void> {
  // The record names the tool that was meant even where the call was refused.
  const shown = outcome.ok ? outcome.value.shown : received.find(received.name);
  const { name, executionId, span } = received;
  const asked = {
    kind: 'tool_call',
    tool: shown?.tool.qualifiedName ?? name.slice(0, 200),
    toolId: shown?.tool.id ?? null,
    source: shown?.tool.sourceId ?? null,
    executionId,
    span,
  } as const;
  const policy = outcome.ok ? outcome.value.grant.trace : (outcome.error.policy ?? null);
  return record(rooms, asked, received, outcome.ok ? ok(outcome.value.returned) : outcome, policy);
}
