import type { LimitRequest, PolicyTrace } from '@sallyport/contracts';
import type { Caller, Gateway, Refusal, RuleTarget } from '#domain';
import type { MaybePromise, Result } from '#foundation';
import type { Entry } from '../entries.ts';

export interface LimitedCall {
  readonly caller: Caller;
  readonly gateway: Gateway | null;
  readonly target: RuleTarget;
}

export type LimitTrace = PolicyTrace['limits'][number];

/** What a call was let through with. */
export interface Taken {
  readonly traces: readonly LimitTrace[];
  /** The call is over: its place among those under way is free. Safe to call twice. */
  release(): void;
  /** The call did not even begin: nothing is counted of it. */
  undo(): void;
}

export interface Limits {
  /**
   * Counts a call against every limit that concerns it, or refuses it and counts nothing: `policy.rate_limited` or
   * `policy.concurrency_limited`, with `retryAfterMs` where waiting helps. Immediate where counts are kept in this process.
   */
  take(call: LimitedCall): MaybePromise<Result<Taken, Refusal & { readonly traces: readonly LimitTrace[] }>>;
  /** Every limit that concerns a call, with what is left of it; counts nothing. */
  peek(call: LimitedCall): Promise<
    readonly {
      readonly limit: Entry<LimitRequest>;
      readonly left: number | null;
      readonly running: number | null;
    }[]
  >;
  close(): void;
}
