import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { anyCharacter } from '../../../test/any-character.ts';
import { readExposition } from '../../../test/exposition.ts';
import { expose, formatFor } from './exposition.ts';
import { createMetrics } from './registry.ts';

async function sampled() {
  const metrics = createMetrics();
  metrics
    .counter({ name: 'calls_total', help: 'A "call" \\ a\nline.', labels: ['gateway'] })
    .of('a"b\\c\nd')
    .add(2);
  metrics.counter({ name: 'cpu_seconds_total', help: 'Time.' }).of().add(0.5);
  metrics
    .gauge({ name: 'build_info', help: 'What runs.', labels: ['version'] })
    .of('1.0')
    .set(1);
  metrics.gauge({ name: 'size_bytes', help: 'Size.' }).of().set(Number.NaN);
  metrics.gauge({ name: 'nothing', help: 'Nobody said anything.', labels: ['a'] });
  return metrics.read();
}

describe('the text format', () => {
  it('is as Prometheus 0.0.4 has it', async () => {
    assert.equal(
      expose(await sampled(), 'text'),
      `# HELP calls_total A "call" \\\\ a\\nline.
# TYPE calls_total counter
calls_total{gateway="a\\"b\\\\c\\nd"} 2
# HELP cpu_seconds_total Time.
# TYPE cpu_seconds_total counter
cpu_seconds_total 0.5
# HELP build_info What runs.
# TYPE build_info gauge
build_info{version="1.0"} 1
# HELP size_bytes Size.
# TYPE size_bytes gauge
size_bytes NaN
# HELP nothing Nobody said anything.
# TYPE nothing gauge
`,
    );
  });

  it('is as OpenMetrics 1.0 has it, for who prefers that', async () => {
    assert.equal(
      expose(await sampled(), 'openmetrics'),
      `# TYPE calls counter
# HELP calls A \\"call\\" \\\\ a\\nline.
calls_total{gateway="a\\"b\\\\c\\nd"} 2
# TYPE cpu_seconds counter
# UNIT cpu_seconds seconds
# HELP cpu_seconds Time.
cpu_seconds_total 0.5
# TYPE build info
# HELP build What runs.
build_info{version="1.0"} 1
# TYPE size_bytes gauge
# UNIT size_bytes bytes
# HELP size_bytes Size.
size_bytes NaN
# TYPE nothing gauge
# HELP nothing Nobody said anything.
# EOF
`,
    );
  });

  it('adds up the buckets of a histogram', async () => {
    const metrics = createMetrics();
    const times = metrics.histogram({ name: 'took_seconds', help: 'Time.', labels: ['stage'] }).of('a');
    for (const ms of [0.01, 0.02, 900, 60_000]) times.observe(ms);
    const lines = expose(await metrics.read(), 'text').split('\n');
    assert.deepEqual(
      [lines[2], lines[3], lines[15], lines[16], ...lines.slice(20)],
      [
        'took_seconds_bucket{stage="a",le="0.000025"} 2',
        'took_seconds_bucket{stage="a",le="0.00005"} 2',
        'took_seconds_bucket{stage="a",le="0.5"} 2',
        'took_seconds_bucket{stage="a",le="1.0"} 3',
        'took_seconds_bucket{stage="a",le="30.0"} 3',
        'took_seconds_bucket{stage="a",le="+Inf"} 4',
        'took_seconds_sum{stage="a"} 60.90003',
        'took_seconds_count{stage="a"} 4',
        '',
      ],
    );
  });

  it('gives back whatever labels and help hold, in both formats', async () => {
    const text = fc.string({ unit: anyCharacter });
    await fc.assert(
      fc.asyncProperty(text, text, text, async (help, one, other) => {
        const metrics = createMetrics();
        metrics
          .counter({ name: 'x_total', help, labels: ['a', 'b'] })
          .of(one, other)
          .add();
        const read = await metrics.read();
        for (const format of ['text', 'openmetrics'] as const) {
          const [metric] = readExposition(expose(read, format), format).values();
          assert.equal(metric?.help, help);
          assert.deepEqual(metric.samples[0]?.labels, { a: one, b: other });
        }
      }),
    );
  });
});

it('who asks gets the format that it likes best, and text where it does not say', () => {
  const wanted: readonly (readonly [string | undefined, string])[] = [
    [undefined, 'text'],
    ['', 'text'],
    ['*/*', 'text'],
    ['text/html', 'text'],
    ['application/openmetrics-text', 'openmetrics'],
    ['application/openmetrics-text; version=1.0.0; charset=utf-8', 'openmetrics'],
    [
      'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1',
      'openmetrics',
    ],
    ['application/openmetrics-text;version=1.0.0;q=0.3,text/plain;q=0.4', 'text'],
    ['application/openmetrics-text;version=0.0.1', 'text'],
    ['application/openmetrics-text;q=0', 'text'],
    ['application/openmetrics-text;q=much', 'text'],
    ['Application/OpenMetrics-Text', 'openmetrics'],
  ];
  for (const [accept, format] of wanted) assert.equal(formatFor(accept), format, accept);
});
