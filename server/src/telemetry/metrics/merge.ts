import type { MetricSnapshot, SeriesSnapshot } from './contract.ts';

/** The metrics of several processes as those of one: counts add up, gauges as each of them says. */
export function mergeSnapshots(processes: readonly (readonly MetricSnapshot[])[]): readonly MetricSnapshot[] {
  const byName = new Map<string, MetricSnapshot[]>();
  for (const metric of processes.flat()) {
    const same = byName.get(metric.name);
    if (same === undefined) byName.set(metric.name, [metric]);
    else same.push(metric);
  }
  return [...byName.values()].map(merged);
}

function merged(metrics: readonly MetricSnapshot[]): MetricSnapshot {
  const [first] = metrics as [MetricSnapshot];
  const together = first.type === 'gauge' ? first.together : 'sum';
  const series = new Map<string, SeriesSnapshot>();
  for (const one of metrics.flatMap((metric) => metric.series)) {
    const key = JSON.stringify(one.values);
    const other = series.get(key);
    series.set(key, other === undefined ? one : joined[together](other, one));
  }
  return { ...first, series: [...series.values()] };
}

const joined = {
  sum,
  max: (a: SeriesSnapshot, b: SeriesSnapshot) => (b.value > a.value ? b : a),
  min: (a: SeriesSnapshot, b: SeriesSnapshot) => (b.value < a.value ? b : a),
} as const;

function sum(a: SeriesSnapshot, b: SeriesSnapshot): SeriesSnapshot {
  const value = a.value + b.value;
  const { counts } = b;
  if (a.counts === undefined || counts === undefined) return { values: a.values, value };
  return {
    values: a.values,
    value,
    counts: a.counts.map((count, at) => count + (counts[at] ?? 0)),
    sum: (a.sum ?? 0) + (b.sum ?? 0),
  };
}
