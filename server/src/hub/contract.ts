import type {
  CancelExecutionRequest,
  ExecuteToolByRefRequest,
  ExecutionResponse,
  GetToolDetailsRequest,
  GetToolDetailsResponse,
  ListNamespacesRequest,
  ListNamespacesResponse,
  ResumeExecutionRequest,
  SearchToolsRequest,
  SearchToolsResponse,
} from '@sallyport/contracts';
import type { GatewayView } from '#catalog';
import type { Refusal } from '#domain';
import type { Result } from '#foundation';
import type { Asking } from './executions/contract.ts';
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
  listNamespaces(asking: HubAsking, request: ListNamespacesRequest): Answer<ListNamespacesResponse>;
  readonly governance: Governance;
  /** Whether the gateway shows the six in place of its tools: by its `presentation`; with `auto` by how many tools there are. */
  presents(view: GatewayView): boolean;
  close(graceMs: number): Promise<void>;
}
