import type { ExecuteToolByRefRequest, ExecutionResponse } from '@sallyport/contracts';
import type { ShownTool } from '#catalog';
import type { Caller, CallNotification, ClientSide, Gateway, Refusal } from '#domain';
import type { Result } from '#foundation';
import type { Span } from '#telemetry';

/** Somebody at a front of the hub. */
export interface Asking {
  readonly caller: Caller;
  /** `null`: the REST API outside of any gateway. */
  readonly gateway: Gateway | null;
  readonly span: Span;
  readonly startedAt: number;
  /** Aborted when the client goes away: then nobody waits any more, and the execution goes on. */
  readonly signal: AbortSignal | null;
  readonly notify: ((notification: CallNotification) => void) | null;
  /** Who is asked what the tool asks, where it can be; `silentClient`: the REST API. */
  readonly client: ClientSide;
  /** `_meta` of the request, for sources that speak MCP. */
  readonly meta: { readonly [member: string]: unknown } | null;
}

export interface ExecuteRequest extends Omit<ExecuteToolByRefRequest, 'tool'> {
  readonly shown: ShownTool;
  /** As answers name the tool. */
  readonly ref: string;
  /** What its caller searched for before, where that led here. */
  readonly query: string | null;
}

/** Answers to what an execution asks, by key. */
export interface Answers {
  readonly round: number;
  readonly response: { readonly [key: string]: unknown };
}

export interface Followed {
  readonly execution: ExecutionResponse;
  readonly round: number;
}

/**
 * Calls of tools that outlive the request, the process and the replica which began them. Each call goes through the pipeline like
 * any other. A tool that is not idempotent is begun at most once; how it ended is told, or that nobody knows.
 */
export interface Executions {
  execute(asking: Asking, request: ExecuteRequest): Promise<Result<ExecutionResponse, Refusal>>;
  /** Somebody else's is as unknown as one that never was (`execution.unknown`). */
  resume(
    asking: Asking,
    id: string,
    response: { readonly [key: string]: unknown } | null,
    waitMs: number | null,
  ): Promise<Result<ExecutionResponse, Refusal>>;
  /**
   * As `resume`, for somebody who looks now and then: waits for nothing. `round` tells what is asked from what was asked before under
   * the same key; answers to another round than this one are as good as none.
   */
  follow(asking: Asking, id: string, answers: Answers | null): Promise<Result<Followed, Refusal>>;
  cancel(asking: Asking, id: string): Promise<Result<ExecutionResponse, Refusal>>;
  /** How it is, and nothing is done about it. */
  look(asking: Asking, id: string): Promise<Result<ExecutionResponse, Refusal>>;
  /** The caller's own, newest first. */
  list(
    asking: Asking,
    page: { readonly limit: number; readonly offset: number },
  ): Promise<{ readonly items: readonly ExecutionResponse[]; readonly totalCount: number }>;
  /** Takes up what other processes left, from now on: call it once every room has loaded what it holds. Only one of a server's processes does. */
  begin(): Promise<void>;
  /** Stops beginning anything; resolves when nothing is under way here any more, or after this long. */
  close(graceMs: number): Promise<void>;
}
