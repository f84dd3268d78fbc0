import type { MetricSnapshot, SeriesSnapshot } from './contract.ts';
import { boundsSeconds } from './histogram.ts';

/** Prometheus' text format 0.0.4, or OpenMetrics 1.0. */
export type ExpositionFormat = 'text' | 'openmetrics';

export const contentTypes: Readonly<Record<ExpositionFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** What this `Accept` header likes best; the text format where it likes both the same. */
export function formatFor(accept: string | undefined): ExpositionFormat {
  const best: Record<ExpositionFormat, number> = { text: 0, openmetrics: 0 };
  for (const range of (accept ?? '').toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    const weight = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1);
    const isOpen = type === 'application/openmetrics-text' && !parameters.includes('version=0.0.1');
    if (isOpen) best.openmetrics = Math.max(best.openmetrics, weight);
    else if (['text/plain', 'text/*', '*/*'].includes(type)) best.text = Math.max(best.text, weight);
  }
  return best.openmetrics > best.text ? 'openmetrics' : 'text';
}

/** The metrics as a scraper reads them. */
export function expose(metrics: readonly MetricSnapshot[], format: ExpositionFormat): string {
  const lines = metrics.flatMap((metric) => [
    ...head(metric, format),
    ...metric.series.flatMap(samplesOf(metric)),
  ]);
  if (format === 'openmetrics') lines.push('# EOF');
  return lines.map((line) => `${line}\n`).join('');
}

const units = ['seconds', 'bytes', 'ratio'];

/** OpenMetrics names a family without the ending that its samples have, and its unit apart. */
function head({ name, help, type }: MetricSnapshot, format: ExpositionFormat): string[] {
  if (format === 'text') return [`# HELP ${name} ${escaped(help)}`, `# TYPE ${name} ${type}`];
  const isInfo = type === 'gauge' && name.endsWith('_info');
  const family = isInfo
    ? name.slice(0, -'_info'.length)
    : type === 'counter'
      ? name.replace(/_total$/, '')
      : name;
  const unit = units.find((each) => family.endsWith(`_${each}`));
  return [
    `# TYPE ${family} ${isInfo ? 'info' : type}`,
    ...(unit === undefined ? [] : [`# UNIT ${family} ${unit}`]),
    `# HELP ${family} ${escaped(help).replaceAll('"', '\\"')}`,
  ];
}

const samplesOf =
  ({ name, labels }: MetricSnapshot) =>
  ({ values, value, counts, sum = 0 }: SeriesSnapshot): string[] => {
    const own = labels.map((label, at) => `${label}="${escaped(values[at] ?? '').replaceAll('"', '\\"')}"`);
    if (counts === undefined) return [`${name}${braced(own)} ${number(value)}`];
    let below = 0;
    const buckets = counts.map((count, at) => {
      below += count;
      return `${name}_bucket${braced([...own, `le="${bound(at)}"`])} ${below}`;
    });
    return [...buckets, `${name}_sum${braced(own)} ${number(sum)}`, `${name}_count${braced(own)} ${below}`];
  };

/** The same text in both formats, as it is a part of the series' name. */
function bound(at: number): string {
  const seconds = boundsSeconds[at];
  if (seconds === undefined) return '+Inf';
  return Number.isInteger(seconds) ? `${seconds}.0` : String(seconds);
}

function braced(pairs: readonly string[]): string {
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function number(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
