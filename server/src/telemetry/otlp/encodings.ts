import {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { SignalSettings } from './contract.ts';
import type { Encoding } from './exporter.ts';
import { countPoints } from './resource-metrics.ts';

/** OpenTelemetry's own encoders of the three signals. JSON may write a count as text. */

type Protocol = SignalSettings['protocol'];

export function traceEncoding(protocol: Protocol): Encoding<ReadableSpan[]> {
  const { serializeRequest, deserializeResponse } =
    protocol === 'http/json' ? JsonTraceSerializer : ProtobufTraceSerializer;
  return {
    encode: serializeRequest,
    rejectedIn: (answer) => Number(deserializeResponse(answer).partialSuccess?.rejectedSpans ?? 0),
    countOf: ({ length }) => length,
  };
}

export function metricsEncoding(protocol: Protocol): Encoding<ResourceMetrics> {
  const { serializeRequest, deserializeResponse } =
    protocol === 'http/json' ? JsonMetricsSerializer : ProtobufMetricsSerializer;
  return {
    encode: serializeRequest,
    rejectedIn: (answer) => Number(deserializeResponse(answer).partialSuccess?.rejectedDataPoints ?? 0),
    countOf: countPoints,
  };
}

export function logsEncoding(protocol: Protocol): Encoding<ReadableLogRecord[]> {
  const { serializeRequest, deserializeResponse } =
    protocol === 'http/json' ? JsonLogsSerializer : ProtobufLogsSerializer;
  return {
    encode: serializeRequest,
    rejectedIn: (answer) => Number(deserializeResponse(answer).partialSuccess?.rejectedLogRecords ?? 0),
    countOf: ({ length }) => length,
  };
}
