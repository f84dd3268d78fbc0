import type { Egress } from '#egress';
import type { Clock } from '#foundation';
import { heardLog } from './heard-log.ts';
import type { Log, LogLevel } from './log.ts';
import type { MetricSnapshot, Metrics } from './metrics/contract.ts';
import { createMetrics } from './metrics/registry.ts';
import type { OtlpSettings } from './otlp/contract.ts';
import { type ExporterStatus, healthMetrics } from './otlp/health.ts';
import type { Tracer } from './tracing/contract.ts';
import { unsampledTracer } from './tracing/unsampled.ts';

export type { ExporterStatus };

export interface Telemetry {
  /** What is said to it goes to the collector, too, where logs are sent to one. */
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
  /** How each signal that is sent somewhere gets there; none where nothing is sent. */
  exporters(): readonly ExporterStatus[];
  /** Sends what is left, for at most a few seconds. */
  close(): Promise<void>;
}

export interface TelemetryDeps {
  readonly log: Log;
  readonly logLevel: LogLevel;
  readonly clock: Clock;
  readonly version: string;
  /** `null`: nothing is sent anywhere, and nothing of OpenTelemetry is loaded. */
  readonly otlp: OtlpSettings | null;
  /** For collectors alone: closed when what is left has been sent. */
  readonly egress: () => Egress;
  /** Adds those of other processes to the metrics that are sent. */
  readonly gather?: ((own: Metrics['read']) => Promise<readonly MetricSnapshot[]>) | undefined;
}

const closeWithinMs = 5000;

export async function createTelemetry(deps: TelemetryDeps): Promise<Telemetry> {
  const { log, logLevel, clock, version, otlp } = deps;
  const metrics = createMetrics();
  const health = healthMetrics(metrics);
  if (otlp === null) return { log, metrics, tracer: unsampledTracer, exporters: () => [], async close() {} };
  const { openOtlp } = await import('./otlp/open.ts');
  const { gather } = deps;
  const readMetrics = gather === undefined ? metrics.read : () => gather(metrics.read);
  const opened = openOtlp(otlp, { clock, egress: deps.egress(), log, version, health, readMetrics });
  return {
    log: opened.hear === null ? log : heardLog(log, logLevel, opened.hear),
    metrics,
    tracer: opened.tracer ?? unsampledTracer,
    exporters: opened.exporters,
    close: () => opened.close(closeWithinMs),
  };
}
