import type { PassedOn, Span } from './contract.ts';

/** A span that nobody keeps: ids, and nothing else. */
export class PlainSpan implements Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceparent: string;
  readonly passedOn: PassedOn | null;

  constructor(traceId: string, spanId: string, traceparent: string, passedOn: PassedOn | null) {
    this.traceId = traceId;
    this.spanId = spanId;
    this.traceparent = traceparent;
    this.passedOn = passedOn;
  }

  get sampled(): boolean {
    return false;
  }

  child(): Span {
    return this;
  }

  rename(): void {}
  set(): void {}
  fail(): void {}
  end(): void {}
}
