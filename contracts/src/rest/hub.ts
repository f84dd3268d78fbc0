import { z } from 'zod';
import type { ToolError } from '../worker/protocol.ts';
import { gatewaySlug } from './gateways.ts';
import { pageQuery } from './page.ts';
import { userId } from './tools.ts';

/** Requests and answers of `/v1/hub/…`, and of the six tools of a gateway that presents the hub. */

/** `worker://Mail.Send@1.2.0`, `mcp://github.create_issue`; the version, and the scheme, may be left out. */
export const toolRef = z.string().min(1).max(600);
export const sourceKinds = ['worker', 'mcp', 'automation_hub'] as const;
export type SourceKindName = (typeof sourceKinds)[number];

const queryText = z.string().trim().min(1).max(2000);
const waitMs = z.int().min(0).max(60_000);

export const searchToolsRequest = z
  .strictObject({
    /** What the caller wants to do, in words. */
    query: queryText.optional(),
    /** Several intents, searched apart and interleaved. */
    queries: z.array(queryText).min(1).max(8).optional(),
    /** Only this namespace and those below it. */
    namespace: z.string().min(1).max(512).optional(),
    limit: z.int().min(1).max(25).default(8),
    kinds: z.array(z.enum(sourceKinds)).min(1).max(3).optional(),
  })
  .refine(({ query, queries }) => (query === undefined) !== (queries === undefined), {
    path: ['query'],
    message: 'give either query or queries',
  });
export type SearchToolsRequest = z.infer<typeof searchToolsRequest>;

export interface FoundTool {
  tool: string;
  namespace: string;
  /** One line. */
  summary: string;
  /** 0 to 1, among the tools that the caller may use. */
  score: number;
  /** The same tool, by name and description, elsewhere. */
  also?: string[];
  /** What stands between the caller and the call. */
  requires?: ('consent' | 'approval')[];
  read_only?: boolean;
  deprecated?: { successor?: string };
}
export interface SearchToolsResponse {
  tools: FoundTool[];
  /** What to try, where little or nothing was found, or not all could be searched yet. */
  advice?: string;
}

export const getToolDetailsRequest = z.strictObject({ tools: z.array(toolRef).min(1).max(5) });
export type GetToolDetailsRequest = z.infer<typeof getToolDetailsRequest>;

export interface ToolDetails {
  tool: string;
  name: string;
  namespace: string;
  version?: string;
  description: string;
  input_schema: Record<string, unknown>;
  output_schema?: Record<string, unknown>;
  /** Inputs that are known to be right. */
  examples?: Record<string, unknown>[];
  annotations: { read_only: boolean; destructive: boolean; idempotent: boolean; open_world: boolean };
  lifecycle: ToolLifecycle;
  successor?: string;
  owner?: string;
  requires?: {
    kind: 'consent' | 'approval' | 'secret';
    message: string;
    /** Where the user consents. */
    url?: string;
  }[];
  limits?: string[];
}
export interface GetToolDetailsResponse {
  tools: (ToolDetails | { tool: string; error: { name: string; message: string } })[];
}

export const executionModes = ['sync', 'async', 'stream', 'interactive'] as const;
export type ExecutionMode = (typeof executionModes)[number];

export const executeToolByRefRequest = z.strictObject({
  tool: toolRef,
  input: z.record(z.string(), z.unknown()).default({}),
  /** One effect for each key and caller; every repetition gets the same answer. */
  idempotency_key: z.string().min(1).max(256).optional(),
  /**
   * `sync`: answers when it is done, or after `wait_ms` with an id. `async`: answers with an id at once. `stream`: as sync, and
   * what the tool says meanwhile is passed on. `interactive`: as sync, and questions of the tool come back instead of failing.
   */
  mode: z.enum(executionModes).default('sync'),
  wait_ms: waitMs.optional(),
});
export type ExecuteToolByRefRequest = z.infer<typeof executeToolByRefRequest>;

export const resumeExecutionRequest = z.strictObject({
  execution_id: z.string().min(1).max(100),
  /** The answers to `questions`, by key; left out to look how it is, or once a consent or an approval was given. */
  response: z.record(z.string(), z.unknown()).optional(),
  wait_ms: waitMs.optional(),
});
export type ResumeExecutionRequest = z.infer<typeof resumeExecutionRequest>;

export const cancelExecutionRequest = z.strictObject({ execution_id: z.string().min(1).max(100) });
export type CancelExecutionRequest = z.infer<typeof cancelExecutionRequest>;

/**
 * `pending`: accepted, not begun. `waiting`: for what `waiting_for` names. `unknown`: it was begun and nobody knows how it ended;
 * it is never begun again by itself.
 */
export const executionStatuses = [
  'pending',
  'running',
  'waiting',
  'succeeded',
  'failed',
  'cancelled',
  'unknown',
] as const;
export type ExecutionStatus = (typeof executionStatuses)[number];

export interface ExecutionResponse {
  execution_id: string;
  status: ExecutionStatus;
  tool: string;
  mode: ExecutionMode;
  waiting_for?: 'input' | 'consent' | 'approval';
  /** What the tool asks, by key: the params of an `elicitation/create`. */
  questions?: Record<string, { method: string; params?: Record<string, unknown> }>;
  authorization_url?: string;
  /** Where there are several: the user consents at each. */
  authorization_urls?: string[];
  approval_id?: string;
  /** Of one that succeeded: what the tool gave. */
  output?: unknown;
  /** The content blocks of an MCP tool's result. */
  content?: unknown[];
  /** Of one that failed. */
  error?: { name: string; message: string; field?: string; tool_error?: ToolError };
  /** What to do next, in words. */
  advice?: string;
  created_at: string;
  finished_at?: string;
  /** When it is forgotten; or, while it waits, when it is given up. */
  expires_at: string;
}

export const listNamespacesRequest = z.strictObject({ prefix: z.string().max(512).optional() });
export type ListNamespacesRequest = z.infer<typeof listNamespacesRequest>;

export interface NamespaceNode {
  /** `mcp://github`, `worker://Mail`. */
  namespace: string;
  /** Of the tools that the caller may use, here and below. */
  tools: number;
  description?: string;
}
export interface ListNamespacesResponse {
  namespaces: NamespaceNode[];
  /** Where these are not all. */
  advice?: string;
}

/** Governance of the catalogue. `draft` and `hidden` are found by nobody but who governs; `hidden` is not callable either. */
export const toolLifecycles = ['draft', 'active', 'deprecated', 'hidden'] as const;
export type ToolLifecycle = (typeof toolLifecycles)[number];

const words = z.array(z.string().trim().min(1).max(200)).max(50);
export const curateToolRequest = z.strictObject({
  owner: z.string().max(256).nullable().optional(),
  lifecycle: z.enum(toolLifecycles).optional(),
  /** A tool reference; only for what is deprecated. */
  successor: toolRef.nullable().optional(),
  when_to_use: z.string().max(2000).nullable().optional(),
  synonyms: words.optional(),
  tags: words.optional(),
  example_queries: words.optional(),
  examples: z.array(z.record(z.string(), z.unknown())).max(10).optional(),
});
export type CurateToolRequest = z.infer<typeof curateToolRequest>;

export const reportMissingRequest = z.strictObject({
  /** What the caller wanted to do and found no tool for. */
  need: queryText,
});
export type ReportMissingRequest = z.infer<typeof reportMissingRequest>;

/** What a request over the REST API says beside: as which user, and of which gateway; without one, of the whole project. */
const where = {
  user_id: userId.optional(),
  gateway: gatewaySlug.optional(),
};
export interface HubWhere {
  user_id?: string | undefined;
  gateway?: string | undefined;
}
export const hubRequests = {
  searchTools: searchToolsRequest.safeExtend(where),
  getToolDetails: getToolDetailsRequest.extend(where),
  executeTool: executeToolByRefRequest.extend(where),
  resumeExecution: resumeExecutionRequest.extend(where),
  cancelExecution: cancelExecutionRequest.extend(where),
  listNamespaces: listNamespacesRequest.extend(where),
  reportMissing: reportMissingRequest.extend(where),
} as const;
/** `gateway`: those begun there; left out: those begun outside of any. */
const whose = { user_id: userId.optional(), gateway: gatewaySlug.optional() };
export const executionQuery = z.object(whose);
export const listExecutionsQuery = pageQuery.extend(whose);
