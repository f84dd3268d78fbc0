import type { ErrorCode, WorkerToolOutput } from '@sallyport/contracts';
import type { ClientSide, InputRequest } from './client-side.ts';
import type { Tool } from './tool.ts';
import type { TraceContext } from './trace.ts';

/** A message an MCP server sends while a call runs (progress, logging), as parsed JSON-RPC. */
export interface CallNotification {
  readonly method: string;
  readonly params?: { readonly [member: string]: unknown };
}

/** One secret or token that a call carries to its source. It exists only between two steps of the pipeline. */
export interface Credential {
  readonly authorization: {
    readonly token: string;
    readonly userInfo: Record<string, unknown>;
    /** How an MCP server gets it, where not as a bearer token. */
    readonly header?: { readonly name: string; readonly value: string };
    /** Whose token it is; `null` of an MCP server with an authorization server of its own. */
    readonly provider?: CredentialProvider | null;
  } | null;
  readonly secrets: readonly { readonly key: string; readonly value: string }[];
}

/** The provider of the project that a token is of, as tools and hooks are told. */
export interface CredentialProvider {
  readonly id: string;
  /** The well-known one that it is. */
  readonly providerId: string | null;
  /** Our client there; `null`: it knows none. */
  readonly clientId: string | null;
  /** What the user granted. */
  readonly scopes: readonly string[];
}

/** For whom a source is asked. Several people may have one user id, and never share what a source keeps for one of them. */
export interface ForUser {
  readonly userId: string | null;
  readonly personId?: string | undefined;
}

/** Where a result that is too large to be held goes while it comes. */
export interface LargeResult {
  /** Whether `structuredContent` may be anything but an object (2026-07-28). */
  readonly anyStructure: boolean;
  /** Asked once a large result came, before anything of it goes on: whether it may. */
  begin(): boolean;
  /** Told of each member before anything of it goes on: next comes its name, then its value. */
  member?(name: string): void;
  /** Members of the result as JSON text, without braces, in pieces; `giveBack` is called when the bytes may be overwritten. */
  write(bytes: Buffer, giveBack: () => void): void;
  /** In place of members: the whole output of a worker's tool that did well, as JSON text. */
  writeOutput(json: Buffer): void;
}

/** What every request to a source carries. */
interface Dispatched extends ForUser {
  readonly executionId: string;
  readonly credential: Credential | null;
  readonly client: ClientSide;
  /** `_meta` of the client's request, for sources that speak MCP. */
  readonly meta: { readonly [member: string]: unknown } | null;
  /** The trace that this is a part of, for every source, whatever it speaks; `null`: it is told of none. */
  readonly trace?: TraceContext | null;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal | null;
  /**
   * Receives what the source says while the request runs: progress under the client's own token, log messages as severe as
   * the client wants them, whatever else it says of this request.
   */
  readonly notify: ((notification: CallNotification) => void) | null;
}

/** A tool that a source is asked to run. */
export interface DispatchedCall extends Dispatched {
  readonly tool: Tool;
  readonly args: { readonly [name: string]: unknown };
  /** `task` of the client's request (2025-11-25), where source and client both do tasks. */
  readonly task: { readonly [member: string]: unknown } | null;
  /** Takes a large result unread; `null` where it must be looked into, or rewritten. */
  readonly large: LargeResult | null;
}

/** Any other request that a source is asked to answer: `prompts/get`, `resources/read`, `completion/complete`, `tasks/…`. */
export interface DispatchedRequest extends Dispatched {
  readonly projectId: string;
  readonly sourceId: string;
  readonly method: string;
  /** In the source's own names and URIs; without `_meta`, `inputResponses` and `requestState`. */
  readonly params: { readonly [member: string]: unknown };
}

/** What one can hear of: a resource by its URI, a task by its id (2026-07-28); in the source's own words. */
export type SubscriptionTopic =
  | { readonly uri: string; readonly taskId?: undefined }
  | { readonly taskId: string; readonly uri?: undefined };

/** The wish to hear when one resource, or one task, of a source changes. */
export type DispatchedSubscription = SubscriptionTopic &
  ForUser & {
    readonly projectId: string;
    readonly sourceId: string;
    readonly credential?: Credential | null;
    /** As in `ClientSide`. */
    readonly conversation: string | null;
    /** Gets the params of each notification about it, as the source said them. */
    readonly onUpdated: (params: { readonly [member: string]: unknown }) => void;
  };

/**
 * What a source answered. One that speaks MCP returns the bytes of its result (JSON object text), which are relayed
 * untouched wherever nothing must be rewritten; a worker returns its output object.
 */
export type SourceReturn =
  | {
      readonly form: 'mcp';
      readonly result: Buffer;
      readonly isError: boolean;
      /** `result` holds only the members that did not go to `large` before. */
      readonly passed?: true;
      /** The source runs it as a task: its own id of it, which stands in the result too. */
      readonly taskId?: string;
    }
  | {
      readonly form: 'worker';
      readonly output: WorkerToolOutput;
      readonly isError: boolean;
      /** The value of `output` is not in it: it went to `large` before. */
      readonly passed?: true;
    }
  /** The source wants answers before it goes on; `state` is to be brought back with them. Never where `ask` was given. */
  | {
      readonly form: 'input_required';
      readonly requests: { readonly [key: string]: InputRequest };
      readonly state: string | null;
      readonly isError: false;
    };

/** A JSON-RPC error, as the other side spoke it. */
export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** How a server refused a request because of its authorization: it surely did not do it. */
export interface Challenge {
  readonly status: 401 | 403;
  /** `WWW-Authenticate` as it came; `null` where there was none. */
  readonly header: string | null;
}

/** Why a source could not be asked, or did not answer properly. */
export interface SourceFailure {
  readonly code: ErrorCode;
  /** What happened, in words for an operator: names the step and what to change. */
  readonly message: string;
  /** Words to add to `message` in a status, never in the answer to a call: they may come from somebody else's. */
  readonly aside?: string;
  /** The step of the probe that failed. */
  readonly step: ProbeStep;
  /** Where the server wants an authorization that no header of the source's own gives. */
  readonly challenge?: Challenge;
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
