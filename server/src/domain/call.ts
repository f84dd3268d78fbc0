import type { ErrorCode, WorkerToolOutput } from '@sallyport/contracts';
import type { Tool } from './tool.ts';

/** A message an MCP server sends while a call runs (progress, logging), as parsed JSON-RPC. */
export interface CallNotification {
  readonly method: string;
  readonly params?: { readonly [member: string]: unknown };
}

/** One secret or token that a call carries to its source. It exists only between two steps of the pipeline. */
export interface Credential {
  readonly authorization: { readonly token: string; readonly userInfo: Record<string, unknown> } | null;
  readonly secrets: readonly { readonly key: string; readonly value: string }[];
}

/** What a source is asked to run. */
export interface DispatchedCall {
  readonly executionId: string;
  readonly tool: Tool;
  readonly args: { readonly [name: string]: unknown };
  readonly userId: string | null;
  readonly credential: Credential | null;
  /** `_meta` of the client's request, for sources that speak MCP. */
  readonly meta: { readonly [member: string]: unknown } | null;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal | null;
  /** Receives what the source says while the call runs. */
  readonly notify: ((notification: CallNotification) => void) | null;
}

/**
 * What a tool answered. A source that speaks MCP returns the bytes of its `CallToolResult` (JSON object text), which
 * are relayed untouched wherever nothing must be rewritten; a worker returns its output object.
 */
export type ToolReturn =
  | { readonly form: 'mcp'; readonly result: Buffer; readonly isError: boolean }
  | { readonly form: 'worker'; readonly output: WorkerToolOutput; readonly isError: boolean };

/** A JSON-RPC error, as the other side spoke it. */
export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** Why a source could not be asked, or did not answer properly. */
export interface SourceFailure {
  readonly code: ErrorCode;
  /** What happened, in words for an operator: names the step and what to change. */
  readonly message: string;
  /** The step of the probe that failed. */
  readonly step: ProbeStep;
}

export const probeSteps = [
  'address_resolved',
  'egress_allowed',
  'connected',
  'authenticated',
  'tools_fetched',
  'tools_valid',
] as const;
/** The steps that a probe, and every call, walks in this order. */
export type ProbeStep = (typeof probeSteps)[number];
