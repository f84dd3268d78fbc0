import type { GatewayView, ShownTool } from '#catalog';
import type { Caller, Gateway, Principal, Refusal, RuleTarget, SourceReturn } from '#domain';
import type { MaybePromise, Members, Result } from '#foundation';
import type { NamedUser, RememberedCaller } from '#identity';
import type { Redactions } from '#policy';
import type { CallRefusal, Received, ReceivedRequest, ReceivedSubscription, Screened } from './call.ts';

/** What a client presents to a gateway. */
export interface Presented extends NamedUser {
  /** The `Authorization` header as it came. */
  readonly authorization: string | undefined;
}

export interface Pipeline {
  /** Who is calling, and as whom. The gateway's sign-in methods and the key's restrictions are part of the answer. */
  authenticate(presented: Presented, gateway: Gateway | null): MaybePromise<Result<Caller, Refusal>>;
  /** The caller of something that lasts, as they are now; refused where they would not be let in any more. */
  stillThere(caller: Caller, authorization: string | undefined, gateway: Gateway): Result<Caller, Refusal>;
  /** The caller by ids, for what goes on after their request: nothing that they could be known by. */
  remember(caller: Caller): RememberedCaller;
  /** That caller, as they are now, here or in another process; refused where they would not be let in any more. */
  again(who: RememberedCaller, gateway: Gateway | null): Promise<Result<Caller, Refusal>>;
  /** The principal outside any gateway, and as whom; `null`: for no user. */
  actAs(principal: Principal, userId: string | null): Result<Caller, Refusal>;
  /** One tool call, in order, with one audit record whatever happens. Never throws for what a caller or a source did. */
  callTool(received: Received): Promise<Result<Screened, CallRefusal>>;
  /** Any other request, by the same steps: one decision, one record whatever happens. */
  request(received: ReceivedRequest): Promise<Result<SourceReturn, CallRefusal>>;
  /** Begins to hear of changes, until the returned function is called; one record. */
  subscribe(received: ReceivedSubscription): Promise<Result<() => void, CallRefusal>>;
  /**
   * Whether grants and the key let the caller see and use it: the decision of a request, but for hooks, which are asked about
   * tools when they are used. Writes no record.
   */
  permits(caller: Caller, gateway: Gateway | null, target: RuleTarget): boolean;
  /** Of these tools, those that the caller may call: by the same decision. Writes no record. */
  visible(
    caller: Caller,
    gateway: Gateway | null,
    tools: readonly ShownTool[],
  ): MaybePromise<readonly ShownTool[]>;
  /**
   * Whether any process that knows what is laid down can do it as well as another, as it depends on nothing that one of them keeps:
   * a call of this tool, or with `null` a list. `asksLater`: what the client is asked meanwhile, it would answer with another request.
   */
  standsAlone(caller: Caller, gateway: Gateway, shown: ShownTool | null, asksLater: boolean): boolean;
  /** Whether there may be such calls at a gateway at all. */
  someStandAlone(view: Pick<GatewayView, 'gateway' | 'tools'>): boolean;
  /** What rules redact of what comes out; `null` where none does. The same until a rule changes, then another. */
  redactions(projectId: string): Redactions | null;
  /** What a source says of the target outside of any request, as the caller may hear it; `null`: it may not. */
  overheard(caller: Caller, gateway: Gateway | null, target: RuleTarget, params: Members): Members | null;
  /** What the caller is told of a refusal. */
  told(refusal: CallRefusal): Refusal;
}
