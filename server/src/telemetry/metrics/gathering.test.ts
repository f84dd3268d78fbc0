import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { MetricSnapshot } from './contract.ts';
import { createGathering } from './gathering.ts';
import { createMetrics } from './registry.ts';

function told(calls: number, sessions: number, times: number): Promise<readonly MetricSnapshot[]> {
  const metrics = createMetrics();
  metrics.counter({ name: 'calls_total', help: '' }).of().add(calls);
  metrics.gauge({ name: 'sessions', help: '' }).of().set(sessions);
  const took = metrics.histogram({ name: 'took_seconds', help: '' }).of();
  for (let at = 0; at < times; at++) took.observe(1);
  return metrics.read();
}

function numbers(metrics: readonly MetricSnapshot[]): (number | undefined)[] {
  return metrics.map(
    ({ series: [one] }) => one?.counts?.reduce((sum, count) => sum + count, 0) ?? one?.value,
  );
}

it('what a process counted is counted on when it is late, or gone, and nothing of what it had open', async () => {
  const gather = createGathering();
  const own = await told(1, 1, 1);
  const [first, second] = [await told(10, 10, 10), await told(100, 100, 100)];
  const both = [
    { process: 'a', metrics: first },
    { process: 'b', metrics: second },
  ];
  assert.deepEqual(numbers(gather(own, both)), [111, 111, 111]);
  assert.deepEqual(numbers(gather(own, [{ process: 'b', metrics: second }])), [111, 101, 111]);
  assert.deepEqual(numbers(gather(own, [])), [111, 1, 111]);
  const again = { process: 'a', metrics: await told(20, 20, 20) };
  assert.deepEqual(numbers(gather(own, [again])), [121, 21, 121], 'the late one is there once');
  const next = { process: 'a2', metrics: await told(2, 2, 2) };
  assert.deepEqual(numbers(gather(own, [next])), [123, 3, 123], 'another run adds to the one before');
});

it('however often processes end, no more is kept, and nothing is lost', async () => {
  const gather = createGathering();
  const one = await told(1, 1, 1);
  let last: readonly MetricSnapshot[] = [];
  for (let run = 0; run < 500; run++) last = gather(one, [{ process: `run-${run}`, metrics: one }]);
  assert.deepEqual(numbers(last), [501, 2, 501]);
});

it('nobody else is there: the metrics are our own', async () => {
  const own = await told(1, 2, 3);
  assert.deepEqual(createGathering()(own, []), own);
});
