import {
  type DispatchedRequest,
  type LargeResult,
  type LogLevel,
  logLevels,
  type RpcError,
  traceHeaders,
  traceMeta,
} from '#domain';
import { isMembers, type Members } from '#foundation';
import type { CallFailure } from '../contract.ts';
import { type Ask, type EraKind, isAtLeast } from './ask.ts';
import { authorizationOf, ownerOf } from './capabilities.ts';
import type { Interaction } from './interaction.ts';
import { clientCapabilitiesKey, isReserved, logLevelKey, modernMeta } from './protocol.ts';

/** What calls of tools and all other requests of a client have in common. */
export type Dispatched = Pick<
  DispatchedRequest,
  'userId' | 'personId' | 'credential' | 'client' | 'meta' | 'trace' | 'signal' | 'notify'
>;

/** One request of a client, in the words of MCP. */
export interface Job {
  readonly from: Dispatched;
  readonly method: string;
  /** Without `_meta`. */
  readonly params: Members;
  /** `task` of the params, in the legacy era. */
  readonly task: Members | null;
  /** Takes a large result while it comes, where nothing of it must be known before. */
  readonly large: LargeResult | null;
  /** What the method is about: a name, a URI, the id of a task. */
  readonly about: string;
  /** Further header lines; the modern era only. */
  readonly modernHeaders: string;
  readonly timeoutMs: number;
  /** What a JSON-RPC error of the server says of it. */
  readonly failureOf: (rpc: RpcError) => CallFailure;
}

/** What a client brings to an `input_required`. */
export interface Inputs {
  readonly responses: Members;
  readonly state: string | null;
}

export interface Going {
  /** Who waits for it now: it may outlive the request that it was begun by. */
  readonly carrier: { readonly current: Dispatched };
  readonly signal: AbortSignal | null;
  readonly interaction: Interaction | null;
  readonly inputs: Inputs | null;
  /** As of the job; `null` where somebody else may wait for the answer by then. */
  readonly large: LargeResult | null;
}

/** The request as the server gets it, in whichever era. */
export function askFor(job: Job, { carrier, signal, interaction, inputs, large }: Going): Ask {
  const { from, method, modernHeaders, timeoutMs } = job;
  const { client } = from;
  const authorization = authorizationOf(from.credential);
  return {
    owner: () => ownerOf(client, from, authorization),
    authorization,
    trace: traceHeaders(from.trace),
    method,
    params: (era, id) => paramsOf(job, inputs, era, id),
    modernHeaders,
    timeoutMs,
    signal,
    onNotification:
      from.notify === null
        ? null
        : (about, params, id) => {
            const { current } = carrier;
            const passed = forClient(about, params, id, current);
            if (passed !== null) current.notify?.(passed);
          },
    interaction,
    large,
    logLevel: client.logLevel === 'any' ? null : client.logLevel,
    step: 'tools_fetched',
  };
}

function paramsOf({ from, params, task }: Job, inputs: Inputs | null, era: EraKind, id: number): object {
  const given = clientMeta(from, id);
  if (era === 'legacy') {
    const withTask = task === null ? params : { ...params, task };
    return isEmpty(given) ? withTask : { ...withTask, _meta: given };
  }
  const { capabilities, logLevel } = from.client;
  const _meta: Record<string, unknown> = { ...given, ...modernMeta };
  if (!isEmpty(capabilities)) _meta[clientCapabilitiesKey] = capabilities;
  if (logLevel !== null && logLevel !== 'any') _meta[logLevelKey] = logLevel;
  if (inputs === null) return { ...params, _meta };
  const { responses, state } = inputs;
  return { ...params, inputResponses: responses, ...(state === null ? {} : { requestState: state }), _meta };
}

function isEmpty(members: Members): boolean {
  for (const _ in members) return false;
  return true;
}

/** The client's own words for the server; what it says of the protocol is between it and the gateway. */
function clientMeta({ meta, trace, notify }: Dispatched, id: number): Members {
  const passed: Record<string, unknown> = {};
  if (meta === null) return trace == null ? passed : traceMeta(passed, trace);
  for (const [key, value] of Object.entries(meta)) {
    if (key !== 'progressToken' && !isReserved(key)) define(passed, key, value);
  }
  if (meta.progressToken !== undefined && notify !== null) passed.progressToken = id;
  return trace == null ? passed : traceMeta(passed, trace);
}

/** A key may be any text, `__proto__` too. */
function define(members: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(members, key, { value, enumerable: true, writable: true, configurable: true });
}

/** A notification as the client may see it: under its own progress token, and no log message that it does not want. */
function forClient(about: string, params: Members | undefined, id: number, { meta, client }: Dispatched) {
  if (about === 'notifications/progress') {
    const token = meta?.progressToken;
    return params?.progressToken === id && token !== undefined
      ? { method: about, params: { ...params, progressToken: token } }
      : null;
  }
  if (about === 'notifications/message' && !wants(client.logLevel, params?.level)) return null;
  return params === undefined ? { method: about } : { method: about, params };
}

function wants(wanted: LogLevel | 'any' | null, level: unknown): boolean {
  if (wanted === null || wanted === 'any') return wanted === 'any';
  return !logLevels.includes(level as LogLevel) || isAtLeast(level as LogLevel, wanted);
}

/** Whether what the client brings says that its user did not want to. */
export function isDeclined({ responses }: Inputs): boolean {
  return Object.values(responses).some(
    (answer) => isMembers(answer) && (answer.action === 'decline' || answer.action === 'cancel'),
  );
}
