import assert from 'node:assert/strict';
import { it } from 'node:test';
import { mergeSnapshots } from './merge.ts';
import { createMetrics } from './registry.ts';

function processWith(
  calls: Readonly<Record<string, number>>,
  { lag = 0, sessions = 0, up = 1, tookMs = 1 } = {},
) {
  const metrics = createMetrics();
  const counter = metrics.counter({ name: 'calls_total', help: '', labels: ['gateway'] });
  for (const [gateway, count] of Object.entries(calls)) counter.of(gateway).add(count);
  metrics.gauge({ name: 'lag_seconds', help: '', together: 'max' }).of().set(lag);
  metrics.gauge({ name: 'sessions', help: '' }).of().set(sessions);
  metrics.gauge({ name: 'up', help: '', together: 'min' }).of().set(up);
  metrics.histogram({ name: 'took_seconds', help: '' }).of().observe(tookMs);
  return metrics.read();
}

it('several processes are one: counts and durations add up, gauges as each of them says', async () => {
  const one = await processWith({ a: 1, b: 2 }, { lag: 3, sessions: 10, tookMs: 1 });
  const other = await processWith({ b: 5, c: 7 }, { lag: 2, sessions: 1, up: 0, tookMs: 40_000 });
  const merged = mergeSnapshots([one, other]);
  assert.deepEqual(
    merged.map(({ name }) => name),
    one.map(({ name }) => name),
  );
  const [calls, lag, sessions, up, took] = merged.map(({ series }) => series);
  assert.deepEqual(calls, [
    { values: ['a'], value: 1 },
    { values: ['b'], value: 7 },
    { values: ['c'], value: 7 },
  ]);
  assert.deepEqual([lag?.[0]?.value, sessions?.[0]?.value, up?.[0]?.value], [3, 11, 0]);
  const [{ counts = [], sum } = {}] = took ?? [];
  assert.deepEqual([counts.reduce((all, count) => all + count, 0), counts.at(-1), sum], [2, 1, 40.001]);
});

it('a metric that only one process has is there as it is', async () => {
  const one = await processWith({ a: 1 });
  assert.deepEqual(mergeSnapshots([one, []]), one);
  assert.deepEqual(mergeSnapshots([]), []);
});

it('adding up changes nothing of what was added up, and survives the way from another process', async () => {
  const one = await processWith({ a: 1 });
  const before = structuredClone(one);
  const merged = mergeSnapshots([one, JSON.parse(JSON.stringify(one))]);
  assert.deepEqual(one, before);
  assert.equal(merged[0]?.series[0]?.value, 2);
});
