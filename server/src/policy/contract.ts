import type {
  ExplainResponse,
  GrantRequest,
  LimitRequest,
  PolicyTrace,
  PreHookRequest,
  RuleRequest,
  SimulateRequest,
  SimulateResponse,
} from '@sallyport/contracts';
import type { Caller, Gateway, Refusal, RpcError, RuleTarget, SourceReturn, Subject, Tool } from '#domain';
import type { MaybePromise, Members, Result } from '#foundation';
import type { Approvals } from './approvals/contract.ts';
import type { Entries } from './entries.ts';
import type { HookRegister, Plugins } from './hooks/contract.ts';
import type { Redactions } from './rules/contract.ts';

declare const granted: unique symbol;
declare const admitted: unique symbol;
declare const released: unique symbol;

/** Who wants what, where. */
export interface Asking {
  readonly caller: Caller;
  readonly gateway: Gateway | null;
  /** Access hooks are asked where it is a tool, also about its tasks. */
  readonly target: RuleTarget | Tool;
}

/** Proof that the caller may see and use the target. Only `authorize` makes one. */
export interface Grant extends Asking {
  readonly [granted]: true;
  /** Grows while the call goes on: what every part of the policy said. */
  readonly trace: PolicyTrace;
  /** What was sent, once something was: for conditions; and the rules whose approvers agreed to it. */
  readonly sent: { args: Members; approved: ReadonlySet<string> };
}

/** Proof that what goes in was screened. Only `admit` makes one. */
export interface Admission {
  readonly [admitted]: true;
  readonly grant: Grant;
  readonly executionId: string;
  /** What may be sent. */
  readonly args: Members;
  /** Secrets that a hook gave for this call. */
  readonly secrets: readonly { readonly key: string; readonly value: string }[];
  /** The call is over, however it ended. */
  end(): void;
  /**
   * The call surely did nothing: an approval that it used can be used again. `uncounted`: and no limit counts it.
   */
  unused(uncounted: boolean): MaybePromise<void>;
}

/** Proof that what comes out was screened. Only `release` makes one. */
export interface Release {
  readonly [released]: true;
  readonly returned: SourceReturn;
}

/** `policy`: what was asked until the refusal. */
export type PolicyRefusal = Refusal & { readonly policy?: PolicyTrace };

/** What is asked of a target. */
export interface Request {
  readonly executionId: string;
  readonly args: Members;
  /** Where the paths of rules begin in `args`; `null`: at the whole. */
  readonly roots: readonly string[] | null;
  /** Hooks are asked about tools only. */
  readonly tool: Tool | null;
  /** It is about a call that was let in before: that was counted, and approved where it had to be. */
  readonly follows: boolean;
  /** It goes on with a call that was answered with questions. */
  readonly continues: boolean;
  /** Holds arguments that a rule or a hook changed to what the tool takes. */
  readonly check: (args: Members) => Result<Members, Refusal>;
  /** Arguments that no hook changes. */
  readonly fixed?: Members;
  readonly signal: AbortSignal | null;
  /** What it would carry, for hooks; only asked where there are some. */
  readonly carried?: () => MaybePromise<Carried>;
}

/** What a call carries to its source, as hooks may know it: no token, no secret. */
export type Carried = PreHookRequest['context']['authorization'];

/** What a source says or asks, what a client says or answers, or several of its answers by the keys of their questions. */
export type Passing = 'said' | 'answer' | 'answers';

/** What a source says in words: its message, and the JSON-RPC error it gave. */
export interface SpokenFailure {
  readonly message: string;
  readonly rpc?: RpcError;
  readonly reason?: string;
}

/** What a call would be held to, whatever its arguments are. */
export interface Foreseen {
  readonly limits: readonly LimitRequest[];
  /** By what it is called with, somebody may have to agree first. */
  readonly mayWaitForApproval: boolean;
}

export interface Policy extends PolicyAdministration {
  /** For who may call it, before they do. Nobody is asked and nothing is counted. */
  foreseen(asking: Asking): Foreseen;
  /**
   * Whether grants and the key let the caller see and use the target: immediate, so hooks are not asked. For what is decided
   * anew when it is used.
   */
  permits(asking: Asking): boolean;
  /** Of these, what the caller may see and use; hooks are asked about tools. The same decision as `authorize`. */
  visible<Item>(
    caller: Caller,
    gateway: Gateway | null,
    items: readonly Item[],
    targetOf: (item: Item) => RuleTarget | Tool,
  ): MaybePromise<readonly Item[]>;
  /** May this caller see and use it here? The one decision, for listing and using. */
  authorize(asking: Asking): MaybePromise<Result<Grant, PolicyRefusal>>;
  /** What may go in: rules, approval, limits, hooks; in this order, and rules again over what hooks changed. */
  admit(grant: Grant, request: Request): MaybePromise<Result<Admission, PolicyRefusal>>;
  /** What may come out: is it still granted, rules, hooks, and rules again over what hooks changed. */
  release(
    admission: Admission,
    request: Request,
    returned: SourceReturn,
  ): MaybePromise<Result<Release, PolicyRefusal>>;
  /** Whether a result of the target may come out without having been read: it is still granted, and neither rule nor hook wants to see it. */
  passesUnread(grant: Grant): boolean;
  /**
   * Whether what is laid down decides on uses of the target, or with `null` on lists, and nothing else: nobody is asked, no use is
   * counted, nobody has to approve it.
   */
  standsAlone(projectId: string, gateway: Gateway | null, target: RuleTarget | null): boolean;
  /** A failure as it may be told; `policy.output_blocked` where a rule blocks its texts. */
  releaseFailure<Failure extends SpokenFailure>(grant: Grant, failure: Failure): Failure;
  /** Whether hooks want to see every output: then nothing may run beyond its answer. */
  readsOutputs(projectId: string): boolean;
  /**
   * What rules redact of what comes out, so that it need not be what its schema says; `null` where none does. The same until
   * a rule changes, then another.
   */
  redactions(projectId: string): Redactions | null;
  /** What passes while a call runs: progress, log messages, questions and answers. `null`: it may not pass. */
  passing(grant: Grant, what: Passing, value: Members): Members | null;
  /** What a source says outside of any request, as the caller may hear it. `null`: it may not be heard. */
  overheard(asking: Asking, value: Members): Members | null;
}

/** What administrators see and change. */
export interface PolicyAdministration {
  readonly grants: Entries<GrantRequest>;
  readonly rules: Entries<RuleRequest>;
  readonly limits: Entries<LimitRequest>;
  readonly plugins: Plugins;
  readonly hooks: HookRegister;
  readonly approvals: Approvals;
  /** Names the state of all grants, rules, limits, plugins and hooks. */
  version(): string;
  /** What is wrong with a rule that the schema cannot see: pattern, path, condition; with the position. */
  checkRule(rule: RuleRequest): Refusal | null;
  /** Why a call would be allowed or refused; runs nothing, but asks access and pre hooks. */
  explain(about: ExplainedCall): Promise<ExplainResponse>;
  /** Recorded calls, decided again as if the policy had been changed so. */
  simulate(
    projectId: string,
    change: PolicyChange,
    recorded: readonly RecordedCall[],
  ): Promise<SimulateResponse>;
  /** Called when what callers see on this gateway of the project may have changed; with `null` for every one of it. */
  onChange(listener: (projectId: string, gatewaySlug: string | null) => void): void;
  close(): void;
}

export interface ExplainedCall {
  readonly caller: Caller;
  readonly gateway: Gateway | null;
  readonly tool: Tool;
  /** Why a call does not even find the tool there; `null` where it does. */
  readonly hidden: Refusal | null;
  /** As in `Request`; `null` where no arguments were given. */
  readonly arguments: { readonly args: Members; readonly check: Request['check'] } | null;
  /** An output to try rules on; `undefined` where none was given. */
  readonly output: unknown;
}

/** A decision of the past, with what is known of it. */
export interface RecordedCall {
  readonly eventId: string;
  readonly time: string;
  readonly decision: string;
  readonly code: string | null;
  readonly subject: Subject;
  readonly gateway: Gateway | null;
  readonly gatewaySlug: string | null;
  /** `null` where it is not there any more. */
  readonly target: RuleTarget | null;
  readonly toolName: string;
  /** What policy said then. */
  readonly policy: PolicyTrace | null;
}

export type PolicyChange = Pick<
  SimulateRequest,
  'add_grants' | 'remove_grants' | 'add_rules' | 'remove_rules' | 'access'
>;
