import type { Result } from '#foundation';
import { err } from '#foundation';
import type { EgressFailure, EgressFailureKind, UpstreamRequest, UpstreamResponse } from '../contract.ts';

type Outcome = Result<UpstreamResponse, EgressFailure>;

/** One request and the answer it is owed: settled exactly once, whatever happens around it. */
export class Exchange {
  readonly request: UpstreamRequest;
  /** On the monotonic clock. */
  deadlineMs: number;
  isSettled = false;
  /** Bytes of the request may have reached the destination. */
  isSent = false;
  readonly #resolve: (outcome: Outcome) => void;
  readonly #onAbort: (exchange: Exchange) => void;

  constructor(
    request: UpstreamRequest,
    deadlineMs: number,
    resolve: (outcome: Outcome) => void,
    onAbort: (exchange: Exchange) => void,
  ) {
    this.request = request;
    this.deadlineMs = deadlineMs;
    this.#resolve = resolve;
    this.#onAbort = onAbort;
    request.signal?.addEventListener('abort', this);
  }

  /** Called by the request's signal. */
  handleEvent(): void {
    this.#onAbort(this);
  }

  settle(outcome: Outcome): void {
    if (this.isSettled) return;
    this.isSettled = true;
    this.request.signal?.removeEventListener('abort', this);
    this.#resolve(outcome);
  }

  fail(kind: EgressFailureKind, message: string): void {
    this.settle(err({ kind, message, sent: this.isSent }));
  }
}
