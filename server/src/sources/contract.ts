import type { Egress } from '#egress';
import type { DispatchedCall, Refusal, Source, SourceFailure, SourceStatus, ToolListing, ToolReturn } from '#domain';
import type { Clock, Result } from '#foundation';
import type { Log } from '#telemetry';

/** What a kind of source gets to work with. */
export interface SourceDeps {
  readonly egress: Egress;
  readonly clock: Clock;
  readonly log: Log;
}

/** The outcome of walking all steps of a call short of running a tool. */
export interface Inspection {
  readonly steps: SourceStatus['steps'];
  readonly tools: readonly ToolListing[];
  /** Entries of the source's list that were left out, each with the reason. */
  readonly rejected: readonly { readonly name: string; readonly reason: string }[];
  readonly protocolVersion: string | null;
  readonly serverInfo: SourceStatus['serverInfo'];
}

/** An open source. */
export interface SourceConnection {
  /** Resolves, connects, authenticates and lists, in the same way as a call; never runs a tool. */
  inspect(): Promise<Result<Inspection, SourceFailure & { readonly steps: SourceStatus['steps'] }>>;
  /** Runs a tool. A tool that fails is a `ToolReturn` with `isError`; a failure means the source itself failed. */
  call(call: DispatchedCall): Promise<Result<ToolReturn, SourceFailure>>;
  close(): void;
}

/** A kind of place where tools live. One folder, one line in `compose/registries.ts`. */
export interface SourceKind {
  readonly kind: Source['kind'];
  /** `onToolsChanged` is called when the source says that its list changed. */
  open(source: Source, deps: SourceDeps, onToolsChanged: () => void): SourceConnection;
}

/** A source as the API changes it: what is left out stays. */
export type SourceChange = Partial<Pick<Source, 'enabled' | 'uri' | 'timeoutMs' | 'retry' | 'secret' | 'headers' | 'secrets'>>;
export type NewSource = Omit<Source, 'createdAt' | 'updatedAt' | 'origin'>;

/** Every source of the process: registered, watched, called. */
export interface Sources {
  list(projectId: string): readonly Source[];
  get(projectId: string, id: string): Source | null;
  status(projectId: string, id: string): SourceStatus;
  /** Registers one from the API; `resource.conflict` when the id is taken. Inspected before it returns. */
  create(source: NewSource): Promise<Result<Source, Refusal>>;
  update(projectId: string, id: string, change: SourceChange): Promise<Result<Source, Refusal>>;
  remove(projectId: string, id: string): Promise<Result<void, Refusal>>;
  /** Walks the steps for a source that is not registered. */
  test(source: NewSource): Promise<SourceStatus>;
  /** Inspects now and returns what was found; refreshes the catalog. */
  refresh(projectId: string, id: string): Promise<SourceStatus>;
  /** Makes the file's sources exactly these: opens new ones, re-opens changed ones, closes the others. */
  applyFile(sources: readonly Source[]): Promise<void>;
  /** Runs one call on its source. */
  call(call: DispatchedCall): Promise<Result<ToolReturn, SourceFailure>>;
  close(): void;
}
