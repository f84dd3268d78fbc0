import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { manualClock } from '#foundation';
import { createMetrics } from './metrics/registry.ts';
import { watchProcess } from './process-metrics.ts';

const clock = manualClock();
const metrics = createMetrics();
const stop = watchProcess(metrics, clock, '1.2.3');
after(stop);

async function values(): Promise<Map<string, number>> {
  const read = await metrics.read();
  return new Map(read.flatMap(({ name, series }) => series.map(({ value }) => [name, value] as const)));
}

it('tells what this process is and uses', async () => {
  const now = await values();
  assert.equal(now.get('process_start_time_seconds'), performance.timeOrigin / 1000);
  assert.ok((now.get('process_resident_memory_bytes') ?? 0) > 1024 * 1024);
  assert.ok((now.get('nodejs_heap_size_used_bytes') ?? 0) > 1024 * 1024);
  const [open = 0, max = 0] = [now.get('process_open_fds'), now.get('process_max_fds')];
  assert.ok(process.platform !== 'linux' || (open > 2 && open < max), `${open} of ${max}`);
  const info = (await metrics.read()).find(({ name }) => name === 'sallyport_build_info');
  assert.deepEqual(info?.series, [{ values: ['1.2.3', process.version], value: 1 }]);
});

it('CPU time is that of the whole process, however often it is read', async () => {
  await values();
  const { user, system } = process.cpuUsage();
  const now = await values();
  const after = process.cpuUsage();
  const told = now.get('process_cpu_seconds_total') ?? 0;
  assert.ok(told >= (user + system) / 1e6 - 1e-6 && told <= (after.user + after.system) / 1e6 + 1e-6);
});

it('the event loop that was held up says so, also to who reads next, until two windows have passed', async () => {
  const looked = () => new Promise((resolve) => setTimeout(resolve, 150));
  await looked();
  const until = performance.now() + 1000;
  while (performance.now() < until);
  await looked();
  const lag = async () => (await values()).get('nodejs_eventloop_lag_max_seconds') ?? 0;
  assert.ok((await lag()) > 0.9);
  assert.ok((await lag()) > 0.9);
  clock.advance(30_000);
  assert.ok((await lag()) > 0.9);
  clock.advance(30_000);
  assert.ok((await lag()) < 0.9);
});

it('pauses for garbage collection are counted by kind', async () => {
  const kept: unknown[] = [];
  const collected = async () => {
    const read = await metrics.read();
    return read.find(({ name }) => name === 'nodejs_gc_duration_seconds')?.series ?? [];
  };
  while ((await collected()).length === 0) {
    for (let at = 0; at < 100_000; at++) kept[at % 100] = { at };
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (const { values: labels } of await collected())
    assert.match(labels[0] ?? '', /^(?:minor|major|incremental|weakcb)$/);
});
