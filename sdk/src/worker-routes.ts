import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { InvokeRequest, InvokeResponse, ToolLog } from '@sallyport/contracts';
import { invokeRequest } from '@sallyport/contracts';
import type { DefinedTool } from './define-tool.ts';
import { ToolError } from './errors.ts';
import { executeTool } from './execute-tool.ts';
import { jsonOf } from './read-body.ts';
import { sendJson } from './send-json.ts';
import type { ToolCatalog } from './tool-catalog.ts';
import type { CallOrigin } from './tool-context.ts';
import { admit, type WorkerChecks } from './worker-admission.ts';

export interface WorkerRoutesDeps {
  catalog: ToolCatalog;
  /** Null: whoever can connect may call. */
  checks: WorkerChecks | null;
  nowMs: () => number;
}

export type RouteHandler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

const maximumLogs = 100;

/** The routes a gateway calls, by method and path. A tool that fails is still HTTP 200, with `success: false`. */
export function createWorkerRoutes(deps: WorkerRoutesDeps): Record<string, RouteHandler> {
  return {
    'GET /worker/health': (_request, response) =>
      sendJson(response, 200, { status: 'ok', tool_count: String(deps.catalog.all().length) }),
    'GET /worker/tools': async (request, response) => {
      if ((await admit(request, response, deps.checks)) === null) return;
      sendJson(
        response,
        200,
        deps.catalog.all().map((tool) => tool.wire),
      );
    },
    'POST /worker/tools/invoke': async (request, response) => {
      const bytes = await admit(request, response, deps.checks);
      if (bytes === null) return;
      const body = jsonOf(bytes, request.headers['content-type']);
      if (!body.ok) return sendJson(response, body.status, { error: body.message });
      const call = invokeRequest.safeParse(body.value);
      if (!call.success) return sendJson(response, 400, { error: describe(call.error.issues) });
      const { name, toolkit, version } = call.data.tool;
      const tool = deps.catalog.find(name, toolkit, version);
      if (tool !== null) return await invoke(deps, tool, call.data, response);
      const asked = `${toolkit ? `${toolkit}.` : ''}${name}${version ? `@${version}` : ''}`;
      sendJson(response, 404, { error: `Tool '${asked}' not found` });
    },
  };
}

function describe(issues: readonly { path: readonly PropertyKey[]; message: string }[]): string {
  return issues
    .slice(0, 5)
    .map((issue) => `${['body', ...issue.path].map(String).join('.')}: ${issue.message}`)
    .join('; ');
}

async function invoke(
  deps: WorkerRoutesDeps,
  tool: DefinedTool,
  call: InvokeRequest,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new Error('the caller disconnected'));
  });
  const logs: ToolLog[] = deprecationLogs(tool);
  const startedMs = performance.now();
  const outcome = await executeTool(tool, call.inputs, originOf(call, gone.signal, logs));
  const durationMs = performance.now() - startedMs;
  const answer: InvokeResponse = {
    execution_id: call.execution_id ?? '',
    finished_at: new Date(deps.nowMs()).toISOString().replace('Z', ''),
    duration: durationMs,
    success: outcome.ok,
    output: {
      value: outcome.ok ? (outcome.value ?? '') : null,
      logs: logs.length > 0 ? logs : null,
      error: outcome.ok ? null : outcome.error,
      requires_authorization: null,
    },
  };
  sendJson(response, 200, answer);
}

function deprecationLogs(tool: DefinedTool): ToolLog[] {
  const message = tool.wire.deprecation_message;
  return message ? [{ message, level: 'warning', subtype: 'deprecation' }] : [];
}

function originOf(call: InvokeRequest, signal: AbortSignal, logs: ToolLog[]): CallOrigin {
  const { user_id, authorization, secrets, metadata } = call.context ?? {};
  return {
    executionId: call.execution_id || randomUUID(),
    userId: user_id || null,
    secret: (key) => secrets?.find((secret) => secret.key === key)?.value,
    authorization: authorization?.token
      ? { token: authorization.token, userInfo: authorization.user_info ?? {} }
      : null,
    metadata: Object.fromEntries((metadata ?? []).map(({ key, value }) => [key, value])),
    signal,
    log: (level, message) => {
      if (logs.length < maximumLogs)
        logs.push({ message, level: level === 'warn' ? 'warning' : level, subtype: null });
    },
    progress: () => {},
    elicit: () => {
      throw new ToolError('the user cannot be asked during a call through the worker protocol', {
        kind: 'TOOL_RUNTIME_CONTEXT_REQUIRED',
      });
    },
  };
}
