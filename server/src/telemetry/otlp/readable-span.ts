import { type SpanContext, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { EndedSpan } from '../tracing/contract.ts';
import type { About } from './about.ts';
import { hrTime } from './hr-time.ts';

const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL } as const;

/** A span of ours as OpenTelemetry's encoders read it. */
export function readableSpan(span: EndedSpan, { resource, scope }: About): ReadableSpan {
  const { traceId, spanId, parentId, flags, startedMs, endedMs, error } = span;
  const context = contextOf(span, spanId);
  return {
    name: span.name,
    kind: kinds[span.kind],
    spanContext: () => context,
    ...(parentId === null
      ? {}
      : {
          parentSpanContext: { traceId, spanId: parentId, traceFlags: flags, isRemote: span.isParentRemote },
        }),
    startTime: hrTime(startedMs),
    endTime: hrTime(endedMs),
    duration: hrTime(endedMs - startedMs),
    ended: true,
    status: { code: error === null ? SpanStatusCode.UNSET : SpanStatusCode.ERROR },
    attributes: error === null ? span.attributes : { ...span.attributes, 'error.type': error },
    links: [],
    events: [],
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function contextOf({ traceId, flags, tracestate }: EndedSpan, spanId: string): SpanContext {
  const context = { traceId, spanId, traceFlags: flags };
  if (tracestate === null) return context;
  const serialize = () => tracestate;
  const traceState = { serialize, get: () => undefined, set: () => traceState, unset: () => traceState };
  return { ...context, traceState };
}
