import { randomUUID } from 'node:crypto';
import type {
  CallToolResult,
  InputRequiredResult,
  McpRequestContext,
  ServerContext,
} from '@modelcontextprotocol/server';
import { ProtocolError, ProtocolErrorCode, Server } from '@modelcontextprotocol/server';
import type { DefinedTool, ServerInfo } from './define-tool.ts';
import { executeTool } from './execute-tool.ts';
import type { Elicitation } from './mcp-elicitation.ts';
import { createElicitation } from './mcp-elicitation.ts';
import { mcpNameOf, mcpToolOf, structuredContentOf } from './mcp-tool-of.ts';
import type { ToolCatalog } from './tool-catalog.ts';
import type { CallOrigin } from './tool-context.ts';

/** Who calls over MCP, and what the call may use. */
export interface McpCaller {
  userId: string | null;
  /** Null: nobody has proved who they are, so tools that need secrets are refused. */
  secret: ((key: string) => string | undefined) | null;
}

export interface McpServerDeps {
  info: ServerInfo;
  catalog: ToolCatalog;
  callerOf: (request: McpRequestContext) => McpCaller;
}

/** Builds the MCP server of one request (HTTP) or one connection (stdio). */
export function createMcpServerFactory(deps: McpServerDeps): (request: McpRequestContext) => Server {
  return (request) => {
    const { name, version, title, description, instructions } = deps.info;
    const server = new Server(
      { name, version, ...(title && { title }), ...(description && { description }) },
      { capabilities: { tools: {}, logging: {} }, ...(instructions && { instructions }) },
    );
    const caller = deps.callerOf(request);
    const canAsk = request.era === 'modern' || request.requestInfo === undefined;
    server.setRequestHandler('tools/list', () => ({ tools: deps.catalog.all().map(mcpToolOf) }));
    server.setRequestHandler('tools/call', async ({ params }, context) => {
      const tool = deps.catalog.all().find((candidate) => mcpNameOf(candidate) === params.name);
      if (tool === undefined) {
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${params.name}`);
      }
      return await callTool(tool, params.arguments, caller, context, canAsk);
    });
    return server;
  };
}

async function callTool(
  tool: DefinedTool,
  inputs: unknown,
  caller: McpCaller,
  context: ServerContext,
  canAsk: boolean,
): Promise<CallToolResult | InputRequiredResult> {
  const refusal = refusalOf(tool, caller);
  if (refusal !== null)
    return errorResult(refusal, { errorKind: 'TOOL_REQUIREMENTS_NOT_MET', canRetry: false });
  const elicitation = createElicitation(context, canAsk);
  const outcome = await executeTool(tool, inputs, originOf(caller, context, elicitation));
  const question = elicitation.pending();
  if (question !== null) return question;
  if (outcome.ok) {
    const structuredContent = structuredContentOf(tool, outcome.value);
    const text = typeof outcome.value === 'string' ? outcome.value : outcome.json;
    return { content: [{ type: 'text', text }], structuredContent };
  }
  const { error } = outcome;
  // MCP has no place for it, unlike the worker protocol, and the author of the tool needs it.
  if (error.stacktrace !== null) console.error(error.stacktrace);
  return errorResult(error.message, {
    errorKind: error.kind,
    canRetry: error.can_retry,
    additionalPromptContent: error.additional_prompt_content,
    retryAfterMs: error.retry_after_ms,
    statusCode: error.status_code,
  });
}

/** A user's provider token only ever comes from a gateway, by the worker protocol. */
function refusalOf(tool: DefinedTool, caller: McpCaller): string | null {
  const { authorization, secrets } = tool.wire.requirements;
  if (authorization !== null) {
    const provider = authorization.id ?? authorization.provider_id ?? 'its provider';
    return `'${tool.wire.name}' needs the user's authorization at ${provider}: call it through a gateway`;
  }
  if (secrets === null) return null;
  const { secret } = caller;
  if (secret === null) return `'${tool.wire.name}' needs secrets, which unauthenticated HTTP never gets`;
  const missing = secrets.find(({ key }) => secret(key) === undefined);
  return missing ? `'${tool.wire.name}' needs the secret '${missing.key}', which is not set` : null;
}

function errorResult(message: string, about: Record<string, unknown>): CallToolResult {
  const arcade = Object.fromEntries(Object.entries(about).filter(([, value]) => value !== null));
  return { content: [{ type: 'text', text: message }], isError: true, _meta: { arcade } };
}

function originOf(caller: McpCaller, context: ServerContext, elicitation: Elicitation): CallOrigin {
  const { mcpReq } = context;
  const progressToken = mcpReq._meta?.progressToken;
  // Neither reaches a caller who is gone, which `signal` tells the tool already.
  const unheard = () => {};
  return {
    executionId: randomUUID(),
    userId: caller.userId,
    secret: (key) => caller.secret?.(key),
    authorization: null,
    metadata: {},
    signal: mcpReq.signal,
    log: (level, message) => {
      mcpReq.log(level === 'warn' ? 'warning' : level, message).catch(unheard);
    },
    progress: (progress, total, message) => {
      if (progressToken === undefined) return;
      const params = {
        progressToken,
        progress,
        ...(total !== undefined && { total }),
        ...(message !== undefined && { message }),
      };
      mcpReq.notify({ method: 'notifications/progress', params }).catch(unheard);
    },
    elicit: elicitation.elicit,
  };
}
