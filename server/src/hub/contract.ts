import type {
  CancelExecutionRequest,
  ExecuteToolByRefRequest,
  ExecutionResponse,
  GetToolDetailsRequest,
  GetToolDetailsResponse,
  ListNamespacesRequest,
  ListNamespacesResponse,
  ReportMissingRequest,
  ResumeExecutionRequest,
  SearchToolsRequest,
  SearchToolsResponse,
} from '@sallyport/contracts';
import type { GatewayView, ShownTool } from '#catalog';
import type { Caller, Refusal } from '#domain';
import type { Result } from '#foundation';
import type { Answers, Asking, Executions, Followed } from './executions/contract.ts';
import type { Governance } from './governance/contract.ts';

/** Somebody who asks the hub, and of what. */
export interface HubAsking extends Asking {
  /** What the gateway shows; `null`: everything of the caller's project. */
  readonly view: GatewayView | null;
}

type Answer<T> = Promise<Result<T, Refusal>>;

/**
 * The six. Each looks at nothing but what the caller may see and call at this moment: scores, counts, words and errors are the
 * same as if the rest did not exist.
 */
export interface Hub {
  searchTools(asking: HubAsking, request: SearchToolsRequest): Answer<SearchToolsResponse>;
  getToolDetails(asking: HubAsking, request: GetToolDetailsRequest): Answer<GetToolDetailsResponse>;
  executeTool(asking: HubAsking, request: ExecuteToolByRefRequest): Answer<ExecutionResponse>;
  resumeExecution(asking: HubAsking, request: ResumeExecutionRequest): Answer<ExecutionResponse>;
  cancelExecution(asking: HubAsking, request: CancelExecutionRequest): Answer<ExecutionResponse>;
  /** As `Executions.follow`. */
  followExecution(asking: HubAsking, executionId: string, answers: Answers | null): Answer<Followed>;
  listNamespaces(asking: HubAsking, request: ListNamespacesRequest): Answer<ListNamespacesResponse>;
  /** Somebody found no tool for what they want to do. */
  reportMissing(asking: HubAsking, request: ReportMissingRequest): Answer<void>;
  /** How an execution of the caller's own is; nothing is done about it. */
  lookAt(asking: HubAsking, executionId: string): Answer<ExecutionResponse>;
  /** The caller's own, newest first. */
  listExecutions(
    asking: HubAsking,
    page: { readonly limit: number; readonly offset: number },
  ): ReturnType<Executions['list']>;
  readonly governance: Governance;
  /**
   * What a gateway that presents the hub, or leaves it open, lists to the caller: with `auto` by how much that would be to read; `null`:
   * the six. Nobody learns from it how many others there are.
   */
  listed(caller: Caller, view: GatewayView): Promise<readonly ShownTool[] | null>;
  /** Takes up executions that others left: once every room has loaded what it holds. */
  begin(): Promise<void>;
  /** Done when the index has what is to be in it by now. */
  indexed(): Promise<void>;
  /** Begins no execution any more; resolves when none is under way here, or after this long. */
  drain(graceMs: number): Promise<void>;
  close(): Promise<void>;
}
