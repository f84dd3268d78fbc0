export type Attributes = Readonly<Record<string, string | number | boolean>>;

/**
 * A piece of work in a trace. It is there for every request, as its ids go into records, logs and what is sent onward; only a
 * sampled one is kept and exported, and only then do children cost anything.
 */
export interface Span {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** For what is asked of others from within it. */
  readonly traceparent: string;
  readonly tracestate: string | null;
  readonly sampled: boolean;
  /** Work within this. Of one that is not sampled: itself. `startedAt`: monotonic milliseconds; now unless told. */
  child(name: string, options?: SpanOptions): Span;
  set(attributes: Attributes): void;
  /** `error`: why it failed, as a stable code; never free text. */
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
