import { type Clock, randomHex } from '#foundation';
import type { Carried, Span, SpanOptions, Tracer } from './contract.ts';
import { PlainSpan } from './plain-span.ts';
import { RecordedSpan, type SpanSink } from './recorded-span.ts';
import {
  formatTraceparent,
  parentOf,
  type RemoteParent,
  sampledFlag,
  tracestateOf,
} from './trace-context.ts';

/** Whether a trace is kept, by its id and what its sender decided; `null`: it begins here. */
export type Sampler = (traceId: string, parent: RemoteParent | null) => boolean;

export interface TracerDeps {
  readonly clock: Clock;
  readonly sink: SpanSink;
  readonly sampler: Sampler;
  readonly propagation: { readonly tracecontext: boolean; readonly baggage: boolean };
}

/** Decides once a request whether its trace is kept. */
export function createTracer({ clock, sink, sampler, propagation }: TracerDeps): Tracer {
  const propagates = propagation.tracecontext;
  return {
    server(name: string, { traceparent, tracestate }: Carried, options: SpanOptions = {}): Span {
      const parent = propagates && traceparent !== undefined ? parentOf(traceparent) : null;
      const traceId = parent?.traceId ?? randomHex(16);
      const state = parent === null || tracestate === undefined ? null : tracestateOf(tracestate);
      const otherFlags = (parent?.flags ?? 0) & ~sampledFlag;
      if (!sampler(traceId, parent)) {
        const spanId = randomHex(8);
        const own = formatTraceparent({ traceId, spanId, flags: otherFlags });
        const passedOn = propagates
          ? { traceparent: own, tracestate: state, passesBaggage: propagation.baggage }
          : null;
        return new PlainSpan(traceId, spanId, own, passedOn);
      }
      const recording = {
        clock,
        sink,
        epochMs: clock.now() - clock.monotonic(),
        traceId,
        flags: otherFlags | sampledFlag,
        tracestate: state,
        propagation,
      };
      const place = { kind: 'server', parentId: parent?.spanId ?? null, isParentRemote: true } as const;
      return new RecordedSpan(recording, place, name, options);
    },
  };
}
