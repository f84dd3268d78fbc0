import type { ShownTool } from '#catalog';
import type { Caller, CallNotification, Credential, Gateway, Refusal, RpcError, ToolReturn } from '#domain';
import type { Grant } from '#policy';

/** A call as it came in through a front, from a caller who was authenticated at the door. */
export interface Received {
  readonly caller: Caller;
  readonly executionId: string;
  /** Milliseconds, monotonic: when the front received it. */
  readonly startedAt: number;
  readonly gateway: Gateway | null;
  /** The tool's name as the client spelled it. */
  readonly name: string;
  readonly args: { readonly [name: string]: unknown };
  readonly meta: { readonly [member: string]: unknown } | null;
  readonly traceId: string | null;
  readonly signal: AbortSignal | null;
  readonly notify: ((notification: CallNotification) => void) | null;
  /** Finds the tool by name among what this front shows. */
  readonly find: (name: string) => ShownTool | null;
}

export interface Resolved extends Received {
  readonly shown: ShownTool;
}
export interface Authorized extends Resolved {
  readonly grant: Grant;
}
export interface InputScreened extends Authorized {
  /** What will be sent: checked, defaults and fixed arguments filled in. */
  readonly safeArgs: { readonly [name: string]: unknown };
}
export interface Credentialed extends InputScreened {
  readonly credential: Credential | null;
}
export interface Returned extends Credentialed {
  readonly returned: ToolReturn;
}
/** The end of a call that ran: `returned` may be told to the caller. */
export interface Screened extends Returned {
  readonly outputScreened: true;
}

/** A refused call, and how far it came. */
export interface CallRefusal extends Refusal {
  /** What the caller is told, where telling the truth would reveal what the caller may not see. */
  readonly toldAs?: Refusal;
  /** The JSON-RPC error that the source answered the call with, as it came. */
  readonly rpc?: RpcError;
}
