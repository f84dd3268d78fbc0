import type { AuditKind, PolicyTrace } from '@sallyport/contracts';
import type { ShownTool } from '#catalog';
import type {
  Caller,
  CallNotification,
  ClientSide,
  Credential,
  Gateway,
  LargeResult,
  Refusal,
  RpcError,
  RuleTarget,
  SourceReturn,
  SubscriptionTopic,
} from '#domain';
import type { Admission, Grant, Release, Request } from '#policy';
import type { Span } from '#telemetry';

/** What every request that came in through a front says, from a caller who was authenticated at the door. */
interface Incoming {
  readonly caller: Caller;
  readonly executionId: string;
  /** Milliseconds, monotonic: when the front received it. */
  readonly startedAt: number;
  readonly gateway: Gateway | null;
  readonly client: ClientSide;
  readonly meta: { readonly [member: string]: unknown } | null;
  /** Of the whole request; whoever made it ends it. */
  readonly span: Span;
  readonly signal: AbortSignal | null;
  readonly notify: ((notification: CallNotification) => void) | null;
}

export interface Received extends Incoming {
  /** The tool's name as the client spelled it. */
  readonly name: string;
  readonly args: { readonly [name: string]: unknown };
  /** `task` of a `tools/call` (2025-11-25); `null` where the front has none, or the source would not know it. */
  readonly task: { readonly [member: string]: unknown } | null;
  /** Takes a large result while it comes; not there where the front has to see all of it. */
  readonly large?: LargeResult | null;
  /** Finds the tool by name among what this front shows. */
  readonly find: (name: string) => ShownTool | null;
}

/** A request for something else than a tool's run: a prompt, a resource, a completion, a task. */
export interface ReceivedRequest extends Incoming {
  /** What the record calls it. */
  readonly kind: AuditKind;
  /** What was asked for, as the client spelled it. */
  readonly name: string;
  /** What it is about; `null` where this front shows no such thing. */
  readonly target: RuleTarget | null;
  /** Told where there is no target, or the caller may not have it. */
  readonly unknown: Refusal;
  readonly method: string;
  /** In the source's own names and URIs. */
  readonly params: { readonly [member: string]: unknown };
}

/** The wish to hear of changes of one resource, or of one task. */
export type ReceivedSubscription = SubscriptionTopic & {
  readonly caller: Caller;
  readonly startedAt: number;
  readonly gateway: Gateway | null;
  /** The URI, or the id, as the client spelled it. */
  readonly name: string;
  readonly target: RuleTarget | null;
  readonly unknown: Refusal;
  readonly conversation: string | null;
  readonly onUpdated: (params: { readonly [member: string]: unknown }) => void;
};

export interface Resolved extends Received {
  readonly shown: ShownTool;
}
export interface Authorized extends Resolved {
  readonly grant: Grant;
}
/** Whoever comes back from a consent, now that it has ended. */
export interface Consented extends Authorized {
  readonly consented: true;
  /** It goes on with a call that was answered with questions. */
  readonly continues: boolean;
}
export interface InputScreened extends Consented {
  /** What policy was asked, with the arguments checked, defaults and fixed ones filled in. */
  readonly asked: Request;
  /** Holds what will be sent. */
  readonly admission: Admission;
}
export interface Credentialed extends InputScreened {
  readonly credential: Credential | null;
}
export interface Returned extends Credentialed {
  readonly returned: SourceReturn;
}
/** The end of a call that ran: `returned` is what the caller may be told. */
export interface Screened extends Returned {
  readonly release: Release;
}

/** A refused call, and how far it came. */
export interface CallRefusal extends Refusal {
  /** What the caller is told, where telling the truth would reveal what the caller may not see. */
  readonly toldAs?: Refusal;
  /** The JSON-RPC error that the source answered the call with, as it came. */
  readonly rpc?: RpcError;
  /** The tool has run all the same: what it did was done. */
  readonly ran?: true;
  /** What policy said until then. */
  readonly policy?: PolicyTrace;
}
