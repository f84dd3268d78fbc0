export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** Where in a trace something happens, as W3C Trace Context writes it. */
export interface PassedOn {
  readonly traceparent: string;
  readonly tracestate: string | null;
  /** Whether what callers say as baggage goes with it. */
  readonly passesBaggage: boolean;
}

/**
 * A piece of work in a trace. It is there for every request, as its ids go into records, logs and what is sent onward; only a
 * sampled one is kept and exported, and only then do children cost anything.
 */
export interface Span {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** `00-{trace id}-{span id}-{flags}`: for whoever sent the request. */
  readonly traceparent: string;
  /** For what is asked of others from within it; `null`: they are told nothing. */
  readonly passedOn: PassedOn | null;
  readonly sampled: boolean;
  /** Work within this. Of one that is not sampled: itself. `startedAt`: monotonic milliseconds; now unless told. */
  child(name: string, options?: SpanOptions): Span;
  /** Once more is known of the work than when it began. */
  rename(name: string): void;
  set(attributes: Attributes): void;
  /** As if it had ended with this error, once it ends. What was said first is the reason. */
  fail(error: string): void;
  /** `error`: why it failed, as a stable code; never free text. Only the first end counts. */
  end(error?: string | null): void;
}

export interface SpanOptions {
  /** `client` where it asks another system; `internal` unless told. */
  readonly kind?: 'internal' | 'client';
  readonly attributes?: Attributes;
  readonly startedAt?: number;
}

/** What came with a request, unchecked. */
export interface Carried {
  readonly traceparent: unknown;
  readonly tracestate: unknown;
}

export interface Tracer {
  /** The span of a request that came in, below what its sender says of the trace, where that is well-formed. */
  server(name: string, carried: Carried, options?: Omit<SpanOptions, 'kind'>): Span;
}

/** A sampled span that is over. Times are milliseconds since the Unix epoch. */
export interface EndedSpan {
  readonly name: string;
  readonly kind: 'server' | 'client' | 'internal';
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | null;
  /** The parent is somebody else's. */
  readonly isParentRemote: boolean;
  readonly flags: number;
  readonly tracestate: string | null;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly attributes: Attributes;
  readonly error: string | null;
}
