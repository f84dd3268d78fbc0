import { type ClientSide, type LogLevel, logLevels, type Refusal, silentClient } from '#domain';
import { err, isMembers, type Members, ok, type Result } from '#foundation';
import type { Exchange } from '../exchange.ts';
import type { McpDeps } from '../front.ts';
import { paramsInvalid } from '../rpc.ts';
import { prefix } from './envelope.ts';
import { openState } from './request-state.ts';

/** Capabilities are kept for as long as a server's session with such a client. */
const maxCapabilityChars = 32 * 1024;

/** The client behind a request, by what the request says of it: nothing is known of it from earlier. */
export function clientOf(
  exchange: Exchange,
  method: string,
  params: Members,
  deps: McpDeps,
): Result<ClientSide, Refusal> {
  const meta = params._meta as Members;
  const capabilities = meta[`${prefix}/clientCapabilities`] as Members;
  const logLevel = meta[`${prefix}/logLevel`];
  const isSilent = logLevel === undefined && !isRetry(method, params) && isEmpty(capabilities);
  if (isSilent) return ok(silentClient);
  if (logLevel !== undefined && !isLogLevel(logLevel)) {
    return err(paramsInvalid(`params._meta["${prefix}/logLevel"]`, `must be one of ${logLevels.join(', ')}`));
  }
  if (JSON.stringify(capabilities).length > maxCapabilityChars) {
    return err(paramsInvalid(`params._meta["${prefix}/clientCapabilities"]`, 'is too large'));
  }
  const resume = resumeOf(exchange, method, params, deps);
  if (!resume.ok) return resume;
  return ok({
    capabilities,
    conversation: null,
    logLevel: logLevel ?? null,
    ask: null,
    resume: resume.value,
  });
}

/** The requests that may be answered with `input_required`. */
export const interactive: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read']);

/** Whether the request goes on with one that was answered so. */
export function isRetry(method: string, { inputResponses, requestState }: Members): boolean {
  return (inputResponses !== undefined || requestState !== undefined) && interactive.has(method);
}

function resumeOf(
  exchange: Exchange,
  method: string,
  params: Members,
  deps: McpDeps,
): Result<ClientSide['resume'], Refusal> {
  if (!isRetry(method, params)) return ok(null);
  const { inputResponses: responses = {}, requestState } = params;
  if (!isMembers(responses) || !Object.values(responses).every(isMembers)) {
    return err(paramsInvalid('params.inputResponses', 'must be an object of objects'));
  }
  // A client may know in advance what it will be asked: then there is no state yet.
  if (requestState === undefined) return ok({ responses, state: null });
  const state = openState(exchange, method, params, requestState, deps);
  return state.ok ? ok({ responses, state: state.value, continues: true }) : state;
}

function isLogLevel(value: unknown): value is LogLevel {
  return logLevels.includes(value as LogLevel);
}

function isEmpty(members: Members): boolean {
  for (const _ in members) return false;
  return true;
}
