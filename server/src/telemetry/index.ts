/**
 * Telemetry: structured logs, metrics, traces, and their way to where people look at them. Rooms get what they need of it passed
 * in; nothing else writes to the console. It never knows what is counted: each room names its own metrics and spans.
 */

export type { HeardLine } from './heard-log.ts';
export { heardLog } from './heard-log.ts';
export type { FlatFields, Log, LogLevel } from './log.ts';
export { createLog, silentLog } from './log.ts';
export type { Counter, Family, Gauge, Histogram, MetricSnapshot, Metrics } from './metrics/contract.ts';
export type { ExpositionFormat } from './metrics/exposition.ts';
export { contentTypes, expose, formatFor } from './metrics/exposition.ts';
export type { ToldMetrics } from './metrics/gathering.ts';
export { createGathering } from './metrics/gathering.ts';
export { createMetrics } from './metrics/registry.ts';
export type { BatchSettings, OtlpSettings, SamplerSettings, SignalSettings } from './otlp/contract.ts';
export type { ProcessLog } from './process-log.ts';
export { openProcessLog } from './process-log.ts';
export { watchProcess } from './process-metrics.ts';
export type { ExporterStatus, Telemetry } from './telemetry.ts';
export { createTelemetry } from './telemetry.ts';
export type { Attributes, Carried, Span, Tracer } from './tracing/contract.ts';
export type { Facts } from './tracing/conventions.ts';
export { attributesOf, describe, serverOf, spanName, toolError } from './tracing/conventions.ts';
export type { AskedSpan, SpanHolder } from './tracing/current-span.ts';
export { askedSpan, withinSpan } from './tracing/current-span.ts';
export { isTraceparent } from './tracing/trace-context.ts';
export { unsampledTracer } from './tracing/unsampled.ts';
