import { type Attributes, ValueType } from '@opentelemetry/api';
import {
  AggregationTemporality,
  type DataPoint,
  DataPointType,
  type Histogram,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import type { MetricSnapshot, SeriesSnapshot } from '../metrics/contract.ts';
import { boundsSeconds } from '../metrics/histogram.ts';
import type { About } from './about.ts';
import { hrTime } from './hr-time.ts';

/** From when on things were counted until now, in milliseconds since the Unix epoch. */
export interface Counted {
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** Our metrics, under our names, as OpenTelemetry's encoders read them. All are counted from the start of the process. */
export function resourceMetrics(
  snapshots: readonly MetricSnapshot[],
  counted: Counted,
  { resource, scope }: About,
): ResourceMetrics {
  const metrics = snapshots
    .filter(({ series }) => series.length > 0)
    .map((snapshot) => metricData(snapshot, counted));
  return { resource, scopeMetrics: [{ scope, metrics }] };
}

export function countPoints({ scopeMetrics }: ResourceMetrics): number {
  return scopeMetrics
    .flatMap(({ metrics }) => metrics)
    .reduce((sum, { dataPoints }) => sum + dataPoints.length, 0);
}

function metricData(snapshot: MetricSnapshot, counted: Counted): MetricData {
  const { name, help, type, labels, series } = snapshot;
  const descriptor = { name, description: help, unit: unitOf(name), valueType: ValueType.DOUBLE };
  const base = { descriptor, aggregationTemporality: AggregationTemporality.CUMULATIVE };
  const at = { startTime: hrTime(counted.sinceMs), endTime: hrTime(counted.untilMs) };
  const point = <Value>(one: SeriesSnapshot, value: Value): DataPoint<Value> => ({
    ...at,
    attributes: attributesOf(labels, one.values),
    value,
  });
  if (type === 'histogram') {
    const dataPoints = series.map((one) => point(one, histogramOf(one)));
    return { ...base, dataPointType: DataPointType.HISTOGRAM, dataPoints };
  }
  const dataPoints = series.map((one) => point(one, one.value));
  return type === 'counter'
    ? { ...base, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints }
    : { ...base, dataPointType: DataPointType.GAUGE, dataPoints };
}

function histogramOf({ counts = [], sum = 0 }: SeriesSnapshot): Histogram {
  const count = counts.reduce((all, one) => all + one, 0);
  return { buckets: { boundaries: [...boundsSeconds], counts: [...counts] }, sum, count };
}

/** A label without a value says nothing. */
function attributesOf(labels: readonly string[], values: readonly string[]): Attributes {
  const named = labels.map((label, at) => [label, values[at] ?? ''] as const);
  return Object.fromEntries(named.filter(([, value]) => value !== ''));
}

const units: readonly (readonly [ending: RegExp, unit: string])[] = [
  [/_seconds(_total)?$|\.duration$/, 's'],
  [/_bytes(_total)?$/, 'By'],
];

/** As UCUM has it. */
function unitOf(name: string): string {
  return units.find(([ending]) => ending.test(name))?.[1] ?? '';
}
