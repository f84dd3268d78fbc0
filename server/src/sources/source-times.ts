import type { SourceReturn } from '#domain';
import type { Result } from '#foundation';
import type { Metrics } from '#telemetry';
import type { CallFailure } from './contract.ts';

export interface SourceName {
  readonly projectId: string;
  readonly sourceId: string;
}

/** How long sources take to answer, and how they fail. */
export interface SourceTimes {
  answered(source: SourceName, tookMs: number, returned: Result<SourceReturn, CallFailure>): void;
  /** The source is not there any more. */
  forget(projectId: string, sourceId: string): void;
}

export function createSourceTimes(metrics: Metrics): SourceTimes {
  const times = metrics.histogram({
    name: 'sallyport_source_duration_seconds',
    help: 'What sources took to answer calls and other requests.',
    labels: ['project', 'source', 'outcome'],
  });
  const failures = metrics.counter({
    name: 'sallyport_source_failures_total',
    help: 'Requests that a source failed, by why; tools that ran and failed are not among them.',
    labels: ['project', 'source', 'code'],
  });
  return {
    answered({ projectId, sourceId }, tookMs, returned) {
      const outcome = !returned.ok ? 'failed' : returned.value.isError ? 'tool_failed' : 'answered';
      times.of(projectId, sourceId, outcome).observe(tookMs);
      if (!returned.ok) failures.of(projectId, sourceId, returned.error.code).add();
    },
    forget(projectId, sourceId) {
      times.forget(projectId, sourceId);
      failures.forget(projectId, sourceId);
    },
  };
}
