import { type ExecuteToolRequest, executeToolRequest } from '@sallyport/contracts';
import { type Caller, type Refusal, refusal, silentClient, type Tool } from '#domain';
import { elapsedMs, err, type Members, newId, ok, type Result } from '#foundation';
import { hasRun } from '#pipeline';
import { describe, type Span, spanName } from '#telemetry';
import { type Answer, type RestDeps, type RestRequest, type Route, route } from '../route.ts';
import { outputOf, outputOfRefusal } from './output.ts';

type Execute = RestRequest<ExecuteToolRequest, undefined>;

export function executeRoute(deps: RestDeps): Route {
  return route<ExecuteToolRequest>({
    operation: 'tools.execute',
    summary: 'Run a tool as a user; a tool that fails is an answer, not an error',
    method: 'POST',
    path: '/tools/execute',
    needs: 'call',
    forRestrictedKeys: true,
    traced: true,
    body: executeToolRequest,
    success: 200,
    async run(request) {
      const caller = callerOf(request);
      const idempotencyKey = request.header('idempotency-key');
      const refused = !caller.ok ? caller.error : keyRefusal(idempotencyKey);
      if (!caller.ok || refused !== null) {
        await recordRefused(deps, request, refused as Refusal);
        return err(refused as Refusal);
      }
      if (idempotencyKey === undefined) return execute(deps, request, caller.value, request.signal);
      const { projectId, principal, body } = request;
      const once = { projectId, principalId: principal.id, idempotencyKey, body };
      // A client that went away comes back with the same key, so the call goes on without it.
      return deps.executions.once(once, () => execute(deps, request, caller.value, null));
    },
  });
}

function callerOf({ actAs, body, principal }: Execute): Result<Caller, Refusal> {
  if (body.user_id !== undefined || principal.actsAs !== undefined) return actAs(body.user_id);
  const message = 'user_id: is required; a tool call acts as a user';
  return err(refusal('identity.user_missing', message, { field: 'user_id' }));
}

function keyRefusal(idempotencyKey: string | undefined): Refusal | null {
  if (idempotencyKey === undefined || (idempotencyKey !== '' && idempotencyKey.length <= 256)) return null;
  const message = 'Idempotency-Key: must have 1 to 256 characters';
  return refusal('request.params_invalid', message, { field: 'Idempotency-Key' });
}

async function execute(
  { pipeline, catalog, clock, tracer }: RestDeps,
  { projectId, body, header, span }: Execute,
  caller: Caller,
  signal: AbortSignal | null,
): Promise<Result<Answer, Refusal>> {
  const startedAt = clock.monotonic();
  const executionId = newId('te', clock.now());
  const tool = catalog.findTool(projectId, body.tool_name, body.tool_version);
  const named = span ?? tracer.server('tools/call', { traceparent: undefined, tracestate: undefined });
  if (named.sampled && tool !== null) {
    named.rename(spanName('execute_tool', tool.qualifiedName));
    describe(named, { operation: 'execute_tool', toolName: tool.qualifiedName, project: projectId });
  }
  const outcome = await pipeline.callTool({
    caller,
    executionId,
    startedAt,
    gateway: null,
    name: askedName(body),
    args: withoutUnsetNulls(body.input ?? {}, tool),
    client: silentClient,
    task: null,
    meta: baggageOf(header('baggage'), named),
    span: named,
    signal,
    notify: null,
    find: () => (tool === null ? null : catalog.shown(tool)),
  });
  const output = outcome.ok
    ? ok(outputOf(outcome.value.returned, body.include_error_stacktrace === true))
    : outputOfRefusal(pipeline.told(outcome.error));
  if (!output.ok) return output;
  const success = output.value.error === undefined;
  return ok({
    status: 200,
    body: {
      id: executionId,
      execution_id: executionId,
      execution_type: 'immediate',
      status: success ? 'success' : 'failed',
      success,
      duration: elapsedMs(clock, startedAt),
      finished_at: clock.iso(),
      output: output.value,
    },
    ...(outcome.ok || hasRun(outcome.error) ? {} : { undone: true }),
  });
}

/** What goes on to sources that speak MCP, screened like arguments, where baggage is passed on at all. */
function baggageOf(baggage: string | undefined, { passedOn }: Span): Members | null {
  return baggage === undefined || passedOn?.passesBaggage !== true ? null : { baggage };
}

/** In an answer it stands the same for what does not exist and for what the caller may not have. */
function askedName({ tool_name, tool_version }: ExecuteToolRequest): string {
  return tool_version === undefined ? tool_name : `${tool_name}@${tool_version}`;
}

/** Arcade's clients make optional arguments nullable, so that models send `null` for what they leave out. */
function withoutUnsetNulls(
  input: Readonly<Record<string, unknown>>,
  tool: Tool | null,
): Record<string, unknown> {
  const unset = new Set(
    tool?.parameters
      .filter(({ required, value_schema }) => !required && !value_schema.nullable)
      .map(({ name }) => name),
  );
  return Object.fromEntries(
    Object.entries(input).filter(([name, value]) => value !== null || !unset.has(name)),
  );
}

/** The pipeline writes down every call that it sees; this one did not come so far. */
async function recordRefused(
  deps: RestDeps,
  { principal, projectId, body, span }: Execute,
  refused: Refusal,
): Promise<void> {
  await deps.audit.record({
    kind: 'tool_call',
    decision: 'refused',
    traceId: span?.traceId ?? null,
    projectId,
    code: refused.code,
    reason: refused.reason ?? refused.message,
    principal: principal.id,
    userId: body.user_id ?? null,
    tool: body.tool_name.slice(0, 200),
  });
}
