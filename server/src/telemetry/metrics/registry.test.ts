import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Metrics } from './contract.ts';
import { createMetrics } from './registry.ts';

async function seriesOf(metrics: Metrics) {
  const [metric] = await metrics.read();
  return metric?.series ?? [];
}

describe('a metric', () => {
  it('keeps a series for each set of values, the same one whenever it is looked up', async () => {
    const metrics = createMetrics();
    const calls = metrics.counter({ name: 'calls_total', help: '', labels: ['gateway', 'source'] });
    calls.of('a', 'b').add();
    calls.of('a', 'b').add(2);
    calls.of('a', '').add();
    calls.of('', 'ab').add();
    assert.equal(calls.of('a', 'b'), calls.of('a', 'b'));
    assert.deepEqual(await seriesOf(metrics), [
      { values: ['a', 'b'], value: 3 },
      { values: ['a', ''], value: 1 },
      { values: ['', 'ab'], value: 1 },
    ]);
  });

  it('without labels is one number', async () => {
    const metrics = createMetrics();
    const gauge = metrics.gauge({ name: 'size', help: '' });
    assert.deepEqual(await seriesOf(metrics), []);
    gauge.of().set(5);
    gauge.of().set(4);
    assert.deepEqual(await seriesOf(metrics), [{ values: [], value: 4 }]);
  });

  it('wants a value for each of its labels', () => {
    const calls = createMetrics().counter({ name: 'calls_total', help: '', labels: ['gateway', 'source'] });
    assert.throws(() => calls.of('a'), /gateway, source/);
    assert.throws(() => calls.of('a', 'b', 'c'), /gateway, source/);
  });

  it('is there once', () => {
    const metrics = createMetrics();
    metrics.counter({ name: 'calls_total', help: '' });
    assert.throws(() => metrics.gauge({ name: 'calls_total', help: '' }), /calls_total is there already/);
  });

  it('adds what is beyond its cap to one series, so that nothing is lost and nothing grows', async () => {
    const metrics = createMetrics();
    const calls = metrics.counter({ name: 'calls_total', help: '', labels: ['gateway', 'kind'] });
    for (let at = 0; at < 2500; at++) calls.of(`g${at}`, 'tool_call').add();
    for (let at = 0; at < 2500; at++) calls.of(`g${at}`, 'tool_call').add();
    const series = await seriesOf(metrics);
    assert.equal(series.length, 2001);
    assert.deepEqual(series.at(-1), { values: ['other', 'other'], value: 1000 });
    assert.equal(
      series.reduce((sum, { value }) => sum + value, 0),
      5000,
    );
  });

  it('forgets what is gone, and has room for others then', async () => {
    const metrics = createMetrics();
    const up = metrics.gauge({ name: 'up', help: '', labels: ['project', 'source'] });
    for (let at = 0; at < 2001; at++) up.of(`p${at % 2}`, `s${at}`).set(1);
    up.forget('p1');
    up.forget('p0', 's0');
    const left = await seriesOf(metrics);
    assert.equal(left.length, 1000);
    assert.ok(left.every(({ values: [project] }) => project === 'p0' || project === 'other'));
    up.of('p1', 'again').set(1);
    assert.deepEqual((await seriesOf(metrics)).at(-2)?.values, ['p1', 'again']);
    up.forget();
    assert.deepEqual(await seriesOf(metrics), []);
  });
});

describe('a histogram', () => {
  it('puts each duration into one bucket, a bound into the bucket that it bounds', async () => {
    const metrics = createMetrics();
    const times = metrics.histogram({ name: 'took_seconds', help: '' }).of();
    for (const ms of [0, 0.025, 0.026, 1000, 30_000, 30_001]) times.observe(ms);
    const [series] = await seriesOf(metrics);
    const counts = series?.counts ?? [];
    assert.deepEqual([counts[0], counts[1], counts[14], counts.at(-2), counts.at(-1)], [2, 1, 1, 1, 1]);
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      6,
    );
    assert.equal(series?.sum, 61.001051);
  });

  it('that was read goes on, and what was read stays', async () => {
    const metrics = createMetrics();
    const times = metrics.histogram({ name: 'took_seconds', help: '' }).of();
    times.observe(1);
    const [before] = await seriesOf(metrics);
    times.observe(1);
    assert.equal(before?.counts?.[5], 1);
    assert.equal((await seriesOf(metrics))[0]?.counts?.[5], 2);
  });
});

it('what is looked up only when somebody reads is looked up each time, before anything is read', async () => {
  const metrics = createMetrics();
  const size = metrics.gauge({ name: 'size', help: '' });
  let now = 1;
  metrics.beforeRead(async () => size.of().set(now));
  assert.equal((await seriesOf(metrics))[0]?.value, 1);
  now = 2;
  assert.equal((await seriesOf(metrics))[0]?.value, 2);
});
