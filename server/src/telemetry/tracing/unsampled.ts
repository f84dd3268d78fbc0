import { randomHex } from '#foundation';
import type { Carried, Span, Tracer } from './contract.ts';
import { PlainSpan } from './plain-span.ts';
import { formatTraceparent, parentOf, tracestateOf } from './trace-context.ts';

/**
 * Keeps nothing: for where nobody asked for traces. Every request has an id all the same. What came is passed on as it came, as
 * nothing of ours will be found between the two; where nothing came nothing is sent: "not sampled" would silence servers that
 * keep traces of their own.
 */
export const unsampledTracer: Tracer = {
  server: (_name, carried) => unsampled(carried),
};

function unsampled({ traceparent, tracestate }: Carried): Span {
  const parent = traceparent === undefined ? null : parentOf(traceparent);
  if (parent === null) {
    const traceId = randomHex(16);
    const spanId = randomHex(8);
    return new PlainSpan(traceId, spanId, `00-${traceId}-${spanId}-00`, null);
  }
  const { traceId, spanId } = parent;
  const passed = formatTraceparent(parent);
  const state = tracestate === undefined ? null : tracestateOf(tracestate);
  return new PlainSpan(traceId, spanId, passed, {
    traceparent: passed,
    tracestate: state,
    passesBaggage: false,
  });
}
