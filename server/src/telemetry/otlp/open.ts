import { randomUUID } from 'node:crypto';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { SamplingDecision, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace';
import type { Egress } from '#egress';
import { atMost, type Clock } from '#foundation';
import type { HeardLine } from '../heard-log.ts';
import type { Log } from '../log.ts';
import type { MetricSnapshot } from '../metrics/contract.ts';
import type { EndedSpan, Tracer } from '../tracing/contract.ts';
import { semanticMetrics } from '../tracing/conventions.ts';
import { sampledFlag } from '../tracing/trace-context.ts';
import { createTracer, type Sampler } from '../tracing/tracer.ts';
import type { About } from './about.ts';
import { type Batch, createBatch } from './batch.ts';
import type { BatchSettings, OtlpSettings, SamplerSettings, Signal, SignalSettings } from './contract.ts';
import { createDelivery, type Delivery } from './delivery.ts';
import { logsEncoding, metricsEncoding, traceEncoding } from './encodings.ts';
import { createExport, type Encoding } from './exporter.ts';
import { createHealth, type ExporterStatus, type HealthMetrics } from './health.ts';
import { type LogItem, readableLog } from './readable-log.ts';
import { readableSpan } from './readable-span.ts';
import { resourceMetrics } from './resource-metrics.ts';

/** Loaded only where something is sent: OpenTelemetry's packages come with it. */

export interface OtlpDeps {
  readonly clock: Clock;
  /** Its own: what is left is sent when all else is over. */
  readonly egress: Egress;
  readonly log: Log;
  readonly version: string;
  readonly health: HealthMetrics;
  readonly readMetrics: () => Promise<readonly MetricSnapshot[]>;
}

export interface Otlp {
  /** `null`: traces are sent nowhere. */
  readonly tracer: Tracer | null;
  /** `null`: logs are sent nowhere. */
  readonly hear: ((line: HeardLine) => void) | null;
  exporters(): readonly ExporterStatus[];
  /** Sends what is left, for at most `withinMs`. */
  close(withinMs: number): Promise<void>;
}

/** One signal on its way. */
interface Way {
  status(): ExporterStatus;
  hurry(): void;
  flush(): Promise<void>;
  stop(): void;
}

export function openOtlp(settings: OtlpSettings, deps: OtlpDeps): Otlp {
  const { clock, egress, version } = deps;
  const about: About = {
    resource: resourceFromAttributes({
      'service.version': version,
      'service.instance.id': randomUUID(),
      ...settings.resource,
    }),
    scope: { name: 'sallyport', version },
  };
  const traces = settings.traces && openTraces(settings.traces, about, deps);
  const logs = settings.logs && openLogs(settings.logs, about, deps);
  const metrics = settings.metrics && openMetrics(settings.metrics, about, deps);
  const ways: readonly Way[] = [traces, metrics, logs].filter((way) => way !== null);
  return {
    tracer: traces && tracerOf(settings, traces.batch, clock),
    hear: logs && ((line) => logs.batch.add({ ...line, saidMs: clock.now() })),
    exporters: () => ways.map((way) => way.status()),
    async close(withinMs) {
      for (const way of ways) way.stop();
      for (const way of ways) way.hurry();
      await atMost(clock, withinMs, Promise.all(ways.map((way) => way.flush())));
      egress.close();
    },
  };
}

function openTraces(settings: NonNullable<OtlpSettings['traces']>, about: About, deps: OtlpDeps) {
  const encoding = traceEncoding(settings.protocol);
  return batched('traces', settings, encoding, (span: EndedSpan) => readableSpan(span, about), deps);
}

function openLogs(settings: NonNullable<OtlpSettings['logs']>, about: About, deps: OtlpDeps) {
  const encoding = logsEncoding(settings.protocol);
  return batched('logs', settings, encoding, (item: LogItem) => readableLog(item, about), deps);
}

function batched<Item, Readable>(
  signal: Signal,
  settings: SignalSettings & { readonly batch: BatchSettings },
  encoding: Encoding<Readable[]>,
  readable: (item: Item) => Readable,
  deps: OtlpDeps,
): Way & { readonly batch: Batch<Item> } {
  const { clock } = deps;
  const { health, delivery } = wayOf(signal, settings, deps);
  const send = createExport({ encoding, delivery, health, withinMs: settings.batch.exportTimeoutMs });
  const batch = createBatch<Item>(settings.batch, {
    clock,
    send: (items) => send(items.map(readable)),
    onDropped: health.dropped,
  });
  return { batch, status: health.status, hurry: delivery.hurry, flush: batch.flush, stop: batch.stop };
}

function openMetrics(settings: NonNullable<OtlpSettings['metrics']>, about: About, deps: OtlpDeps): Way {
  const { clock, readMetrics } = deps;
  const { health, delivery } = wayOf('metrics', settings, deps);
  const encoding = metricsEncoding(settings.protocol);
  const send = createExport({ encoding, delivery, health, withinMs: settings.exportTimeoutMs });
  const sinceMs = clock.now();
  let sending: Promise<void> | null = null;

  async function sendNow(): Promise<void> {
    const snapshots = await readMetrics();
    const counted = { sinceMs, untilMs: clock.now() };
    await send(resourceMetrics([...snapshots, ...semanticMetrics(snapshots)], counted, about));
  }
  function begin(): Promise<void> {
    sending ??= sendNow()
      .catch((error) => deps.log.error({ err: error }, 'the metrics could not be read'))
      .finally(() => {
        sending = null;
      });
    return sending;
  }
  const stop = clock.every(settings.intervalMs, () => void begin());
  return {
    status: health.status,
    hurry: delivery.hurry,
    async flush() {
      await sending;
      await begin();
    },
    stop,
  };
}

function wayOf(
  signal: Signal,
  settings: SignalSettings,
  { clock, egress, log, health }: OtlpDeps,
): { readonly health: ReturnType<typeof createHealth>; readonly delivery: Delivery } {
  return {
    health: createHealth(signal, settings.endpoint, { clock, log, metrics: health }),
    delivery: createDelivery(settings, { egress, clock }),
  };
}

function tracerOf(
  { traces, propagation }: OtlpSettings,
  batch: Batch<EndedSpan>,
  clock: Clock,
): Tracer | null {
  if (traces === null) return null;
  return createTracer({ clock, sink: batch.add, sampler: samplerOf(traces.sampler), propagation });
}

/** OpenTelemetry's own sampler decides where a trace begins, so that all who sample by the same ratio keep the same traces. */
function samplerOf({ root, ratio, parentBased }: SamplerSettings): Sampler {
  const byRatio = new TraceIdRatioBasedSampler(ratio);
  const keepsRatio = (traceId: string) =>
    byRatio.shouldSample(ROOT_CONTEXT, traceId).decision === SamplingDecision.RECORD_AND_SAMPLED;
  const keeps = root === 'traceidratio' ? keepsRatio : () => root === 'always_on';
  return (traceId, parent) =>
    parentBased && parent !== null ? (parent.flags & sampledFlag) !== 0 : keeps(traceId);
}
