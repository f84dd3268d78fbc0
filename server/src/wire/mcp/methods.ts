import { errorCodes } from '@sallyport/contracts';
import { type CallNotification, type ClientSide, refusal, type SourceReturn } from '#domain';
import { err, isMembers, type Members, newId, ok, type Result } from '#foundation';
import type { CallRefusal } from '#pipeline';
import type { Exchange } from './exchange.ts';
import { type McpDeps, type Refused, record, refused } from './front.ts';
import { paramsInvalid } from './rpc.ts';
import { listMembers, type OutputRoot } from './tool-list.ts';
import { refusalResult, resultOf } from './tool-result.ts';

/** What the two generations have in common: the methods, before each gives the result its own form. */

/** `tools/list`: the members of the result, as JSON text without braces. */
export async function listTools(
  exchange: Exchange,
  params: Members,
  deps: McpDeps,
  outputRoot: OutputRoot,
): Promise<Result<string, Refused>> {
  const { caller, view } = exchange;
  const visible = deps.pipeline.visible(caller, view.gateway, view.tools);
  const members = listMembers(view, visible, params.cursor, outputRoot);
  if (!members.ok) return err(refused(members.error));
  await record(exchange, deps, { kind: 'tool_list', decision: 'allowed' });
  return members;
}

/** A result as JSON text; or what the source wants to know first, where the client was not to be asked at once. */
export type Answer = string | Buffer | InputRequired;
export type InputRequired = Extract<SourceReturn, { form: 'input_required' }>;

/** In what a generation tells of a failed call differently from the other. */
export interface CallManners {
  /** Whether wrong arguments are a result with `isError`, which the model reads, or an error. */
  readonly badArguments: 'result' | 'error';
  /** The code under which the error of a source is passed on; `null` where that code may not be told: then in words. */
  readonly relayedCode: (code: number) => number | null;
}

/**
 * `tools/call`: the `CallToolResult`, as the source spoke it. What a model can act upon is a result with `isError`; an error
 * of the `Result` is one that JSON-RPC carries as an error.
 */
export async function callTool(
  exchange: Exchange,
  params: Members,
  signal: AbortSignal,
  client: ClientSide,
  deps: McpDeps,
  manners: CallManners,
): Promise<Result<Answer, Refused>> {
  const { name, arguments: args = {} } = params;
  if (typeof name !== 'string' || name === '') {
    return err(refused(paramsInvalid('params.name', 'must be the name of a tool')));
  }
  if (!isMembers(args)) return err(refused(paramsInvalid('params.arguments', 'must be an object')));
  const meta = metaOf(exchange, params);
  const stopWaiting = deps.streams.whileWaiting(() => exchange.keepAlive());
  const outcome = await deps.pipeline
    .callTool({
      caller: exchange.caller,
      executionId: newId('te', deps.clock.now()),
      startedAt: exchange.startedAt,
      gateway: exchange.view.gateway,
      name,
      args,
      client,
      task: null,
      meta,
      traceId: traceIdOf(meta?.traceparent),
      signal,
      notify: exchange.acceptsStream ? (notification) => passOn(exchange, notification) : null,
      find: exchange.view.find,
    })
    .finally(stopWaiting);
  if (!outcome.ok) return failed(outcome.error, deps, manners);
  const { returned } = outcome.value;
  return ok(returned.form === 'input_required' ? returned : resultOf(returned));
}

function failed(
  refusal: CallRefusal,
  { pipeline }: McpDeps,
  { badArguments, relayedCode }: CallManners,
): Result<string, Refused> {
  const told = pipeline.told(refusal);
  const { rpc } = refusal;
  const code = rpc === undefined ? null : relayedCode(rpc.code);
  if (rpc !== undefined && code !== null) {
    return err({ refusal: told, recorded: true, relayed: { ...rpc, code } });
  }
  const asError =
    errorCodes[told.code].rpc !== null ||
    (told.code === 'catalog.arguments_invalid' && badArguments === 'error');
  return asError ? err({ refusal: told, recorded: true }) : ok(refusalResult(told));
}

/** Of what a source says during a call, the client hears progress: the gateway offers neither logging nor resources. */
function passOn(exchange: Exchange, notification: CallNotification): void {
  if (notification.method === 'notifications/progress') exchange.notify(notification);
}

/** `_meta` of the request; the trace context is taken from the headers where only they have it. */
function metaOf({ request: { headers } }: Exchange, params: Members): Members | null {
  const meta = (params._meta ?? null) as Members | null;
  const { traceparent, tracestate } = headers;
  if (meta?.traceparent !== undefined || traceIdOf(traceparent) === null) return meta;
  return { ...meta, traceparent, ...(typeof tracestate === 'string' ? { tracestate } : {}) };
}

export function unknownMethod(method: string): Refused {
  const shown = JSON.stringify(method.slice(0, 100));
  return refused(
    refusal('request.method_unknown', `this gateway has no method ${shown}`, { field: 'method' }),
  );
}

/** The trace id of a W3C `traceparent`. */
function traceIdOf(traceparent: unknown): string | null {
  if (typeof traceparent !== 'string') return null;
  return /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(traceparent)?.[1] ?? null;
}
