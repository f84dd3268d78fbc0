import { randomHex } from '#foundation';
import type { Carried, Span, Tracer } from './contract.ts';

const traceparentForm = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/;

/** Keeps nothing: for where nobody asked for traces. Ids are passed on all the same. */
export const unsampledTracer: Tracer = {
  server: (_name, carried) => unsampled(carried),
};

function unsampled({ traceparent, tracestate }: Carried): Span {
  const parent = typeof traceparent === 'string' ? traceparentForm.exec(traceparent) : null;
  const traceId = parent?.[1] ?? randomHex(16);
  const span: Span = {
    traceId,
    traceparent: `00-${traceId}-${randomHex(8)}-${parent?.[3] ?? '00'}`,
    tracestate: parent !== null && typeof tracestate === 'string' ? tracestate : null,
    sampled: false,
    child: () => span,
    set() {},
    end() {},
  };
  return span;
}
