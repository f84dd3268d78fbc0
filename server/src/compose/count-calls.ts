import type { AuditKind } from '@sallyport/contracts';
import type { Metrics } from '#telemetry';
import type { AuditObserver } from './observed-audit.ts';

/** What happens at other doors than those where tools are used. */
const notCalls: ReadonlySet<AuditKind> = new Set(['tool_change', 'admin', 'sign_in', 'credential']);

/**
 * Counts what the audit records. Anybody may knock at a gateway that does not exist: only those that do are named, so that nobody
 * outside makes series.
 */
export function countCalls(metrics: Metrics, isGateway: (slug: string) => boolean): AuditObserver {
  const place = ['project', 'gateway'];
  const records = metrics
    .counter({ name: 'sallyport_audit_records_total', help: 'Records written to the audit journal.' })
    .of();
  const calls = metrics.counter({
    name: 'sallyport_calls_total',
    help: 'Requests of clients at gateways and in the REST API, as the audit records them.',
    labels: [...place, 'source', 'kind', 'decision'],
  });
  const events = metrics.counter({
    name: 'sallyport_events_total',
    help: 'What else the audit records: sign-ins, consents, administration, changed tools.',
    labels: [...place, 'kind', 'decision'],
  });
  const refusals = metrics.counter({
    name: 'sallyport_refusals_total',
    help: 'What was refused, or failed, by the code that the client was told or the audit knows.',
    labels: [...place, 'kind', 'decision', 'code'],
  });
  const durations = metrics.histogram({
    name: 'sallyport_call_duration_seconds',
    help: 'From when a request was received until its record was made.',
    labels: [...place, 'kind', 'decision'],
  });
  return ({ projectId, gateway, source, kind, decision, code, durationMs }) => {
    records.add();
    const slug = gateway != null && isGateway(gateway) ? gateway : '';
    if (notCalls.has(kind)) events.of(projectId, slug, kind, decision).add();
    else calls.of(projectId, slug, source ?? '', kind, decision).add();
    if (code != null) refusals.of(projectId, slug, kind, decision, code).add();
    if (durationMs != null) durations.of(projectId, slug, kind, decision).observe(durationMs);
  };
}
