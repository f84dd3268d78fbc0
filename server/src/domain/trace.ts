/** Where in a trace something happens, as W3C Trace Context writes it. */
export interface TraceContext {
  /** `00-{trace id}-{span id}-{flags}`. */
  readonly traceparent: string;
  /** What other tracing systems said of it. */
  readonly tracestate: string | null;
  /** What the caller says to all that take part; `null` unless it is passed on. */
  readonly baggage?: string | null;
}

/** The lines of an HTTP request's head that tell another server of it. */
export function traceHeaders(trace: TraceContext | null | undefined): string {
  if (trace == null) return '';
  const { traceparent, tracestate, baggage } = trace;
  let lines = `traceparent: ${traceparent}\r\n`;
  if (tracestate !== null) lines += `tracestate: ${tracestate}\r\n`;
  return baggage == null ? lines : `${lines}baggage: ${baggage}\r\n`;
}

/** What stands of a trace in `_meta` of a message to an MCP server, in place of what the client sent. */
export function traceMeta(
  meta: { readonly [member: string]: unknown },
  { traceparent, tracestate }: TraceContext,
): { readonly [member: string]: unknown } {
  const { tracestate: _, ...rest } = meta;
  return { ...rest, traceparent, ...(tracestate === null ? {} : { tracestate }) };
}

/** The trace, with the baggage that the caller's `_meta` has: it may go where arguments go, once it was screened like them. */
export function withBaggage(
  trace: (TraceContext & { readonly passesBaggage: boolean }) | null,
  meta: { readonly [member: string]: unknown } | null,
): TraceContext | null {
  const baggage = meta?.baggage;
  if (trace === null || !trace.passesBaggage || typeof baggage !== 'string') return trace;
  return fit.test(baggage) ? { ...trace, baggage } : trace;
}

/** As long as every system has to pass on (W3C Baggage). */
const fit = /^[\x20-\x7e]{1,8192}$/;
