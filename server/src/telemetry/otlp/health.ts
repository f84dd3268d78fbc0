import { type Clock, elapsedMs } from '#foundation';
import type { Log } from '../log.ts';
import type { Counter, Metrics } from '../metrics/contract.ts';
import type { Signal } from './contract.ts';

export interface ExporterStatus {
  readonly signal: Signal;
  readonly ok: boolean;
  /** Without user information and query. */
  readonly endpoint: string;
  /** Of the last failure since it worked, `null` while it works. */
  readonly error: string | null;
  readonly failingSince: string | null;
}

/** How one signal gets to its collector; said in a metric, in `/readyz`, and in one line of the log when it changes. */
export interface Health {
  arrived(): void;
  /** Some of it was rejected: it is gone. */
  partly(rejected: number, of: number): void;
  /** All of it was given up. */
  failed(error: string, lost: number): void;
  /** There was no room for it. */
  dropped(count: number): void;
  status(): ExporterStatus;
}

export interface HealthMetrics {
  of(signal: Signal): {
    readonly exported: (outcome: 'ok' | 'partial' | 'failed') => void;
    readonly up: (isUp: boolean) => void;
    readonly dropped: Counter;
  };
}

export function healthMetrics(metrics: Metrics): HealthMetrics {
  const exports = metrics.counter({
    name: 'sallyport_telemetry_exports_total',
    help: 'Batches sent to OpenTelemetry collectors, by how that ended.',
    labels: ['signal', 'outcome'],
  });
  const up = metrics.gauge({
    name: 'sallyport_telemetry_exporter_up',
    help: 'Whether what was last sent to the collector arrived; no series where nothing is sent.',
    together: 'min',
    labels: ['signal'],
  });
  const dropped = metrics.counter({
    name: 'sallyport_telemetry_dropped_total',
    help: 'Spans, log records and metric points that never arrived: no room, rejected, or given up.',
    labels: ['signal'],
  });
  return {
    of(signal) {
      const gauge = up.of(signal);
      return {
        exported: (outcome) => exports.of(signal, outcome).add(),
        up: (isUp) => gauge.set(isUp ? 1 : 0),
        dropped: dropped.of(signal),
      };
    },
  };
}

export function createHealth(
  signal: Signal,
  endpoint: string,
  { clock, log, metrics }: { readonly clock: Clock; readonly log: Log; readonly metrics: HealthMetrics },
): Health {
  const { exported, up, dropped } = metrics.of(signal);
  const { origin, pathname } = new URL(endpoint);
  const shown = origin + pathname;
  let failure: { error: string; readonly since: string; readonly at: number; lost: number } | null = null;
  up(true);

  function failing(error: string, lost: number): void {
    dropped.add(lost);
    if (failure !== null) {
      failure.error = error;
      failure.lost += lost;
      return;
    }
    failure = { error, since: clock.iso(), at: clock.monotonic(), lost };
    up(false);
    log.warn(
      { signal, endpoint: shown, error },
      'telemetry does not arrive; it is tried on, and told when it does',
    );
  }

  return {
    arrived() {
      exported('ok');
      if (failure === null) return;
      const { at, lost } = failure;
      failure = null;
      up(true);
      const fields = { signal, endpoint: shown, lost, failed_for_ms: Math.round(elapsedMs(clock, at)) };
      log.info(fields, 'telemetry arrives again');
    },
    partly(rejected, of) {
      exported('partial');
      failing(`the collector rejected ${rejected} of ${of}`, rejected);
    },
    failed(error, lost) {
      exported('failed');
      failing(error, lost);
    },
    dropped(count) {
      dropped.add(count);
      if (failure !== null) failure.lost += count;
    },
    status: () => ({
      signal,
      ok: failure === null,
      endpoint: shown,
      error: failure?.error ?? null,
      failingSince: failure?.since ?? null,
    }),
  };
}
