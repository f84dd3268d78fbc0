import { type AnyValue, SeverityNumber } from '@opentelemetry/api';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { HeardLine } from '../heard-log.ts';
import type { About } from './about.ts';
import { hrTime } from './hr-time.ts';

/** A line of the log, and when it was said, in milliseconds since the Unix epoch. */
export interface LogItem extends HeardLine {
  readonly saidMs: number;
}

const severities = {
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
} as const;

/** A line of the log as OpenTelemetry's encoders read it: what it says of a trace becomes where it belongs. */
export function readableLog({ level, message, fields, saidMs }: LogItem, about: About): ReadableLogRecord {
  const { trace_id: traceId, span_id: spanId, err, ...rest } = fields;
  const time = hrTime(saidMs);
  return {
    hrTime: time,
    hrTimeObserved: time,
    severityNumber: severities[level],
    severityText: level.toUpperCase(),
    body: message,
    ...(typeof traceId === 'string'
      ? { spanContext: { traceId, spanId: typeof spanId === 'string' ? spanId : '', traceFlags: 0 } }
      : {}),
    attributes: { ...valuesOf(rest), ...exceptionOf(err) },
    droppedAttributesCount: 0,
    resource: about.resource,
    instrumentationScope: about.scope,
  };
}

/** What is `null` or left out says nothing; what is nested is said as JSON, as nobody searches in it. */
function valuesOf(fields: HeardLine['fields']): Record<string, AnyValue> {
  const values: Record<string, AnyValue> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      values[name] = value;
    else if (value !== null && value !== undefined) values[name] = JSON.stringify(value);
  }
  return values;
}

/** An error in the names that OpenTelemetry has for one. */
function exceptionOf(error: unknown): Record<string, AnyValue> {
  if (!(error instanceof Error)) return {};
  const { name, message, stack } = error;
  return {
    'exception.type': name,
    'exception.message': message,
    ...(stack === undefined ? {} : { 'exception.stacktrace': stack }),
  };
}
