import { errorCodes } from '@sallyport/contracts';
import { refusal } from '#domain';
import { err, newId, ok, type Result } from '#foundation';
import type { Exchange } from './exchange.ts';
import { type McpDeps, type Refused, record, refused } from './front.ts';
import { isMembers, type Members, paramsInvalid } from './rpc.ts';
import { listMembers } from './tool-list.ts';
import { refusalResult, resultOf } from './tool-result.ts';

/** What the two generations have in common: the methods, before each gives the result its own form. */

/** `tools/list`: the members of the result, as JSON text without braces. */
export async function listTools(
  exchange: Exchange,
  params: Members,
  deps: McpDeps,
): Promise<Result<string, Refused>> {
  const { caller, view } = exchange;
  const members = listMembers(view, deps.pipeline.visible(caller, view.gateway, view.tools), params.cursor);
  if (!members.ok) return err(refused(members.error));
  await record(exchange, deps, { kind: 'tool_list', decision: 'allowed' });
  return members;
}

/**
 * `tools/call`: the `CallToolResult`, as the source spoke it. What a model can act upon is a result with `isError`; an error
 * of the `Result` is one that JSON-RPC carries as an error. `badArguments` says which of the two wrong arguments are.
 */
export async function callTool(
  exchange: Exchange,
  params: Members,
  signal: AbortSignal,
  deps: McpDeps,
  badArguments: 'result' | 'error' = 'result',
): Promise<Result<string | Buffer, Refused>> {
  const { name, arguments: args = {} } = params;
  if (typeof name !== 'string' || name === '') {
    return err(refused(paramsInvalid('params.name', 'must be the name of a tool')));
  }
  if (!isMembers(args)) return err(refused(paramsInvalid('params.arguments', 'must be an object')));
  const meta = (params._meta ?? null) as Members | null;
  const outcome = await deps.pipeline.callTool({
    caller: exchange.caller,
    executionId: newId('te', deps.clock.now()),
    startedAt: exchange.startedAt,
    gateway: exchange.view.gateway,
    name,
    args,
    meta,
    traceId: traceIdOf(meta?.traceparent ?? exchange.request.headers.traceparent),
    signal,
    notify: exchange.acceptsStream ? (notification) => exchange.notify(notification) : null,
    find: exchange.view.find,
  });
  if (outcome.ok) return ok(resultOf(outcome.value.returned));
  const told = deps.pipeline.told(outcome.error);
  if (told.code === 'catalog.arguments_invalid' && badArguments === 'error') {
    return err({ refusal: { ...told, code: 'request.params_invalid' }, recorded: true });
  }
  return errorCodes[told.code].rpc === null
    ? ok(refusalResult(told))
    : err({ refusal: told, recorded: true });
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
