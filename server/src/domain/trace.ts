/** Where in a trace something happens, as W3C Trace Context writes it. */
export interface TraceContext {
  /** `00-{trace id}-{span id}-{flags}`. */
  readonly traceparent: string;
  /** What other tracing systems said of it, passed on as it came. */
  readonly tracestate: string | null;
}

/** The lines of an HTTP request's head that tell another server of it. */
export function traceHeaders({ traceparent, tracestate }: TraceContext): string {
  const line = `traceparent: ${traceparent}\r\n`;
  return tracestate === null ? line : `${line}tracestate: ${tracestate}\r\n`;
}
