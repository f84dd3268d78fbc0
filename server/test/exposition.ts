import assert from 'node:assert/strict';

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ScrapedMetric {
  readonly type: string;
  readonly help: string;
  readonly unit: string | null;
  readonly samples: readonly Sample[];
}

type Reading = { type: string; help: string; unit: string | null; samples: Sample[] };

/**
 * Reads what `/metrics` says, as strictly as its format is written down: names, the order of lines, escapes, no series twice,
 * buckets that add up. Fails on the first line that is not right. The keys are names of families: in OpenMetrics without `_total`.
 */
export function readExposition(text: string, format: 'text' | 'openmetrics'): Map<string, ScrapedMetric> {
  assert.ok(text.endsWith('\n'), 'the last line ends, too');
  const lines = text.slice(0, -1).split('\n');
  if (format === 'openmetrics') assert.equal(lines.pop(), '# EOF');
  const families = new Map<string, Reading>();
  const seen = new Set<string>();
  let current: [name: string, family: Reading] | null = null;
  for (const line of lines) {
    const told = /^# (HELP|TYPE|UNIT) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/s.exec(line);
    if (told !== null) {
      const [, what, name = '', rest = ''] = told;
      if (current?.[0] !== name) {
        assert.ok(!families.has(name), `${name} is told in two places`);
        current = [name, { type: '', help: '', unit: null, samples: [] }];
        families.set(...current);
      }
      assert.equal(current[1].samples.length, 0, `${line} comes after samples`);
      take(current[1], what as string, rest, name, format);
      continue;
    }
    assert.ok(current !== null, line);
    const sample = sampleIn(line);
    belongs(sample, current, format);
    const key = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
    assert.ok(!seen.has(key), `${line} is there twice`);
    seen.add(key);
    current[1].samples.push(sample);
  }
  for (const [name, family] of families) if (family.type === 'histogram') bucketsAddUp(name, family);
  return families;
}

function take(family: Reading, what: string, rest: string, name: string, format: string): void {
  if (what === 'HELP')
    family.help = withoutEscapes(rest, format === 'openmetrics' ? /\\["\\n]/g : /\\[\\n]/g);
  if (what === 'TYPE') {
    assert.match(
      rest,
      format === 'openmetrics' ? /^(counter|gauge|histogram|info)$/ : /^(counter|gauge|histogram)$/,
    );
    family.type = rest;
  }
  if (what === 'UNIT') {
    assert.equal(format, 'openmetrics');
    assert.ok(name.endsWith(`_${rest}`), `${name} does not end with its unit`);
    family.unit = rest;
  }
}

function sampleIn(line: string): Sample {
  const parts = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/s.exec(line);
  assert.ok(parts !== null, `not a sample: ${line}`);
  const [, name = '', inside = '', written = ''] = parts;
  const labels: Record<string, string> = {};
  let rest = inside;
  while (rest !== '') {
    const pair = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,(?=.)|$)/s.exec(rest);
    assert.ok(pair !== null, `not labels: ${rest}`);
    const [whole, label = '', value = ''] = pair;
    assert.ok(!Object.hasOwn(labels, label), `${label} is there twice: ${line}`);
    labels[label] = withoutEscapes(value, /\\["\\n]/g);
    rest = rest.slice(whole.length);
  }
  assert.match(written, /^(?:NaN|[+-]Inf|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/);
  return { name, labels, value: Number(written.replace('Inf', 'Infinity')) };
}

function withoutEscapes(text: string, escapes: RegExp): string {
  return text.replace(escapes, (pair) => (pair === '\\n' ? '\n' : (pair[1] as string)));
}

function belongs(
  { name, labels, value }: Sample,
  [family, { type }]: [string, Reading],
  format: string,
): void {
  const endings: Readonly<Record<string, readonly string[]>> = {
    counter: [format === 'openmetrics' ? '_total' : ''],
    gauge: [''],
    info: ['_info'],
    histogram: ['_bucket', '_sum', '_count'],
  };
  assert.ok(
    endings[type]?.some((ending) => name === family + ending),
    `${name} does not belong to ${family}`,
  );
  assert.equal(Object.hasOwn(labels, 'le'), name.endsWith('_bucket') && type === 'histogram');
  if (type === 'counter') assert.ok(value >= 0, `${name} fell below 0`);
  if (type === 'info') assert.equal(value, 1);
}

function bucketsAddUp(name: string, { samples }: Reading): void {
  const series = Map.groupBy(samples, ({ labels: { le: _, ...own } }) => JSON.stringify(own));
  for (const [key, lines] of series) {
    const buckets = lines.filter((line) => line.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => Number((labels.le as string).replace('Inf', 'Infinity')));
    assert.deepEqual(
      bounds,
      bounds.toSorted((a, b) => a - b),
    );
    assert.equal(bounds.at(-1), Number.POSITIVE_INFINITY);
    const counts = buckets.map(({ value }) => value);
    assert.deepEqual(
      counts,
      counts.toSorted((a, b) => a - b),
      `${name}${key} counts down`,
    );
    const [count] = lines.filter((line) => line.name === `${name}_count`);
    const [sum] = lines.filter((line) => line.name === `${name}_sum`);
    assert.equal(count?.value, counts.at(-1));
    assert.ok(sum !== undefined && (count?.value !== 0 || sum.value === 0));
  }
}
