import type { Result } from '#foundation';
import { err } from '#foundation';
import type { EgressFailure, EgressFailureKind, UpstreamRequest, UpstreamResponse } from '../contract.ts';

type Outcome = Result<UpstreamResponse, EgressFailure>;

/** Who looks after exchanges. */
export interface ExchangeOwner {
  onAbort(exchange: Exchange): void;
  onLastingEnd(): void;
}

/** One request and the answer it is owed: settled exactly once, whatever happens around it. */
export class Exchange {
  readonly request: UpstreamRequest;
  /** On the monotonic clock. */
  deadlineMs: number;
  isSettled = false;
  /** Bytes of the request may have reached the destination. */
  isSent = false;
  /** It is counted among those that stay open. */
  isLasting = false;
  /** How often it was seen under way; for its owner. */
  ticks = 0;
  readonly #resolve: (outcome: Outcome) => void;
  readonly #owner: ExchangeOwner;

  constructor(
    request: UpstreamRequest,
    deadlineMs: number,
    resolve: (outcome: Outcome) => void,
    owner: ExchangeOwner,
  ) {
    this.request = request;
    this.deadlineMs = deadlineMs;
    this.#resolve = resolve;
    this.#owner = owner;
    request.signal?.addEventListener('abort', this);
  }

  /** Called by the request's signal. */
  handleEvent(): void {
    this.#owner.onAbort(this);
  }

  settle(outcome: Outcome): void {
    if (this.isSettled) return;
    this.isSettled = true;
    if (this.isLasting) this.#owner.onLastingEnd();
    this.request.signal?.removeEventListener('abort', this);
    this.#resolve(outcome);
  }

  fail(kind: EgressFailureKind, message: string): void {
    this.settle(err({ kind, message, sent: this.isSent }));
  }
}
