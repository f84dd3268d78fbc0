import type {
  DispatchedCall,
  Refusal,
  RpcError,
  Source,
  SourceFailure,
  SourceStatus,
  ToolListing,
  ToolReturn,
} from '#domain';
import type { Egress } from '#egress';
import type { Clock, Result } from '#foundation';
import type { Db } from '#storage';
import type { Log } from '#telemetry';

/** What a kind of source gets to work with. */
export interface SourceDeps {
  readonly egress: Egress;
  readonly clock: Clock;
  readonly log: Log;
  /** Cap of one answer of a source, in bytes; 32 MiB unless told. */
  readonly maxAnswerBytes?: number;
}

/** Every step that was walked, in order; none after one that failed. */
export type Steps = SourceStatus['steps'];

/** A failed call. `rpc` is the JSON-RPC error that an MCP server gave the call, as it came. */
export interface CallFailure extends SourceFailure {
  readonly rpc?: RpcError;
}

/** A failed inspection, with the steps up to the one that failed. */
export interface InspectionFailure extends SourceFailure {
  readonly steps: Steps;
}

/** The outcome of walking all steps of a call short of running a tool. */
export interface Inspection {
  readonly steps: Steps;
  /** The same array as last time when the source said the same as last time. */
  readonly tools: readonly ToolListing[];
  /** Entries of the source's list that were left out, each with the reason. */
  readonly rejected: readonly RejectedTool[];
  readonly protocolVersion: string | null;
  readonly serverInfo: SourceStatus['serverInfo'];
}

export interface RejectedTool {
  readonly name: string;
  readonly reason: string;
}

/** An open source. */
export interface SourceConnection {
  /** Resolves, connects, authenticates and lists, in the same way as a call; never runs a tool. */
  inspect(): Promise<Result<Inspection, InspectionFailure>>;
  /** Runs a tool. A tool that fails is a `ToolReturn` with `isError`; a failure means the source itself failed. */
  call(call: DispatchedCall): Promise<Result<ToolReturn, CallFailure>>;
  close(): void;
}

/** A kind of place where tools live. One folder, one line in `compose/registries.ts`. */
export interface SourceKind {
  readonly kind: Source['kind'];
  /**
   * Immediate; connects to nothing. Fails on what no retry can mend: a malformed address, a header that cannot be
   * sent. `onToolsChanged` is called when the source says that its list changed.
   */
  open(source: Source, deps: SourceDeps, onToolsChanged: () => void): Result<SourceConnection, SourceFailure>;
}

/** A source as the API changes it: what is left out stays. */
export type SourceChange = Partial<Omit<NewSource, 'id' | 'projectId' | 'kind'>>;
export type NewSource = Omit<Source, 'createdAt' | 'updatedAt' | 'origin'>;

/** Every source of the process: registered, watched, called. */
export interface Sources {
  list(projectId: string): readonly Source[];
  get(projectId: string, id: string): Source | null;
  status(projectId: string, id: string): SourceStatus;
  /** Registers one from the API; `resource.conflict` when the id is taken. Inspected before it returns. */
  create(source: NewSource): Promise<Result<Source, Refusal>>;
  /** Inspected before it returns. */
  update(projectId: string, id: string, change: SourceChange): Promise<Result<Source, Refusal>>;
  remove(projectId: string, id: string): Promise<Result<void, Refusal>>;
  /** Walks the steps for a source that is not registered. */
  test(source: NewSource): Promise<SourceStatus>;
  /** Inspects now and returns what was found; refreshes the catalog. */
  refresh(projectId: string, id: string): Promise<SourceStatus>;
  /** Makes the file's sources exactly these: opens new ones, re-opens changed ones, closes the others. */
  applyFile(sources: readonly Source[]): Promise<void>;
  /** Runs one call on its source. */
  call(call: DispatchedCall): Promise<Result<ToolReturn, CallFailure>>;
  close(): void;
}

export interface SourcesDeps extends SourceDeps {
  readonly kinds: readonly SourceKind[];
  readonly db: Db;
  /** What a source offers, whenever it differs from what was said last. */
  readonly onListed: (source: Source, listings: readonly ToolListing[]) => Promise<void>;
  /** The source stopped answering, or was disabled. */
  readonly onUnavailable: (source: Source) => Promise<void>;
  readonly onRemoved: (source: Source) => Promise<void>;
  readonly refreshEveryMs?: number;
}
