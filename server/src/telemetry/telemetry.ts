import type { Log } from './log.ts';
import type { Metrics } from './metrics/contract.ts';
import { createMetrics } from './metrics/registry.ts';
import type { Tracer } from './tracing/contract.ts';
import { unsampledTracer } from './tracing/unsampled.ts';

export interface Telemetry {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
  /** How each signal that is sent somewhere gets there; none where nothing is sent. */
  exporters(): readonly ExporterStatus[];
  /** Sends what is left, for at most a few seconds. */
  close(): Promise<void>;
}

export interface ExporterStatus {
  readonly signal: 'traces' | 'metrics' | 'logs';
  readonly ok: boolean;
  /** Without user information and query. */
  readonly endpoint: string;
  /** Of the last failure since it worked, `null` while it works. */
  readonly error: string | null;
  readonly failingSince: string | null;
}

export function createTelemetry({ log }: { readonly log: Log }): Telemetry {
  return {
    log,
    metrics: createMetrics(),
    tracer: unsampledTracer,
    exporters: () => [],
    async close() {},
  };
}
