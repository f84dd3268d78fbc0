import type {
  CallNotification,
  Challenge,
  Credential,
  DispatchedCall,
  DispatchedRequest,
  DispatchedSubscription,
  PackedListing,
  Refusal,
  RpcError,
  SeenTools,
  Source,
  SourceFailure,
  SourceOffer,
  SourceReturn,
  SourceStatus,
} from '#domain';
import type { Egress } from '#egress';
import type { Clock, MaybePromise, Result } from '#foundation';
import type { Changes, Db } from '#storage';
import type { Log, Metrics } from '#telemetry';
import type { Vault } from '#vault';

/** Tools that a source has listed before, and how it wrote them. */
export interface KnownTools {
  readonly tools: readonly PackedListing[];
  readonly seen: SeenTools;
}

/** What a kind of source gets to work with. */
export interface SourceDeps {
  readonly egress: Egress;
  readonly clock: Clock;
  readonly log: Log;
  /** Cap of one answer of a source, in bytes; 32 MiB unless told. */
  readonly maxAnswerBytes?: number;
  /** What of our environment the processes get that we start; nothing unless told. */
  readonly processEnv?: Readonly<Record<string, string>>;
  /** Our own origin, for tools that ask for it. */
  readonly issuer?: () => string;
  /** A secret of the project, opened for one request; `null`: there is none. None unless told. */
  readonly secretOf?: (projectId: string, name: string) => MaybePromise<string | null>;
  /** What the catalog has of a source's tools, and how it wrote them. Nothing unless told. */
  readonly listed?: (source: Source) => Promise<KnownTools | null>;
  /** The access token with which the lists of this source are asked for, another one than it has refused; none unless told. */
  readonly listToken?: (source: Source, refused: string | null) => Promise<Credential['authorization']>;
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
  /** The same object as last time when the source said the same as last time. */
  readonly offer: SourceOffer;
  /** Entries of the source's list that were left out, each with the reason. */
  readonly rejected: readonly RejectedTool[];
  readonly protocolVersion: string | null;
  readonly serverInfo: SourceStatus['serverInfo'];
}

export interface RejectedTool {
  readonly name: string;
  readonly reason: string;
}

/** What a source says to a client outside any request. */
export interface Announcement {
  readonly projectId: string;
  readonly sourceId: string;
  /** The conversation it was said in. */
  readonly conversation: string;
  readonly notification: CallNotification;
}

/** An open source. */
export interface SourceConnection {
  /** Resolves, connects, authenticates and lists, in the same way as a call; never runs a tool. */
  inspect(): Promise<Result<Inspection, InspectionFailure>>;
  /** Runs a tool. A tool that fails is a `SourceReturn` with `isError`; a failure means the source itself failed. */
  call(call: DispatchedCall): Promise<Result<SourceReturn, CallFailure>>;
  /** Any other request; absent where a source has tools only. */
  request?(request: DispatchedRequest): Promise<Result<SourceReturn, CallFailure>>;
  /**
   * Hears of changes of one resource from now on, across restarts of the source, until the returned function is called. Fails
   * where the source refuses at once.
   */
  subscribe?(subscription: DispatchedSubscription): Promise<Result<() => void, CallFailure>>;
  /** A notification of the client that concerns the conversation: `notifications/roots/list_changed`. */
  tell?(conversation: string, notification: CallNotification): void;
  /** The conversation is over: what the source keeps for it may go. */
  endConversation?(conversation: string): void;
  /**
   * Whether a call may be made by any process as well as by another, as nothing of it is kept for a later one, here or at the source.
   * `null`: that is not known, and found out from now on. Absent where it never is so.
   */
  standsAlone?(asksLater: boolean): boolean | null;
  /** Done when the source was told of all that is over, where it keeps anything. */
  close(): Promise<void>;
}

/** Whom an open source tells of what happens by itself. */
export interface SourceEvents {
  /** The source says that one of its lists changed. */
  readonly onListChanged: () => void;
  readonly onAnnouncement: (conversation: string, notification: CallNotification) => void;
}

/** A kind of place where tools live. One folder, one line in `compose/registries.ts`. */
export interface SourceKind {
  readonly kind: Source['kind'];
  /**
   * Immediate; connects to nothing. Fails on what no retry can mend: a malformed address, a header that cannot be sent.
   */
  open(source: Source, deps: SourceDeps, events: SourceEvents): Result<SourceConnection, SourceFailure>;
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
  /** How it refused the last look at it; `null` where it did not. */
  challenge(projectId: string, id: string): Challenge | null;
  /** Walks the steps for a source that is not registered. */
  test(source: NewSource): Promise<SourceStatus>;
  /** Secrets of the project changed, or of any where it is `null`: sources that use some are looked at soon. */
  secretsChanged(projectId: string | null): void;
  /** Something hints that a look at it would find something else: it is looked at soon. */
  hurry(projectId: string, id: string): void;
  /** Says what it offers once more with the next look, though it be the same. */
  sayAgain(projectId: string, id: string): void;
  /** Inspects now and returns what was found; refreshes the catalog. */
  refresh(projectId: string, id: string): Promise<SourceStatus>;
  /** Makes the file's sources exactly these: opens new ones, re-opens changed ones, closes the others. */
  applyFile(sources: readonly Source[]): Promise<void>;
  /**
   * Whether a call may be made by any process as well as by another; `null`: not known yet, and found out from now on. `asksLater`:
   * what the client is asked meanwhile, it would answer with another request.
   */
  standsAlone(projectId: string, id: string, asksLater: boolean): boolean | null;
  /** Runs one call on its source. */
  call(call: DispatchedCall): Promise<Result<SourceReturn, CallFailure>>;
  /** Runs any other request on its source; `request.method_unknown` where that has tools only. */
  request(request: DispatchedRequest): Promise<Result<SourceReturn, CallFailure>>;
  subscribe(subscription: DispatchedSubscription): Promise<Result<() => void, CallFailure>>;
  /** Hands a client's notification to these sources, where they have that conversation. */
  tell(
    projectId: string,
    sourceIds: readonly string[],
    conversation: string,
    notification: CallNotification,
  ): void;
  /** The conversation is over, at every source. */
  endConversation(conversation: string): void;
  /** Hears what sources say to clients outside any request, until the returned function is called. */
  onAnnouncement(listener: (announcement: Announcement) => void): () => void;
  /** From now on sources are looked at; until then only where somebody asks. */
  begin(): void;
  /** Done when every source was told of what is over, or has had its time to take it. */
  close(): Promise<void>;
}

export interface SourcesDeps extends SourceDeps {
  readonly kinds: readonly SourceKind[];
  readonly db: Db;
  readonly changes: Changes;
  readonly vault: Vault;
  /** Its own unless told. */
  readonly metrics?: Metrics;
  /**
   * False: this process calls sources, and another one looks at them. Nothing is asked what it offers, and nothing is said of
   * any. True unless told.
   */
  readonly watches?: boolean;
  /** Where it does not watch: a look at the source would probably find something else. At most two a second for each. */
  readonly onHurry?: (projectId: string, id: string) => void;
  /** A source of the project came, or went. */
  readonly onPresence?: (projectId: string) => void;
  /** What a source offers, whenever it differs from what was said last. */
  readonly onListed: (source: Source, offer: SourceOffer) => Promise<void>;
  /** The source stopped answering, or was disabled. */
  readonly onUnavailable: (source: Source) => Promise<void>;
  readonly onRemoved: (source: Source) => Promise<void>;
  readonly refreshEveryMs?: number;
}
