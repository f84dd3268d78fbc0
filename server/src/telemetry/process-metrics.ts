import { readdir, readFile } from 'node:fs/promises';
import { monitorEventLoopDelay, PerformanceObserver, performance } from 'node:perf_hooks';
import type { Clock } from '#foundation';
import type { Counter, Metrics } from './metrics/contract.ts';

/** What is told of the event loop is of so much of the past at least, and of twice as much at most. */
const windowMs = 30_000;
/** How often the event loop is looked at. */
const everyMs = 50;

/** What this process uses, under the names that dashboards know, until the returned function is called. */
export function watchProcess(metrics: Metrics, clock: Clock, version: string): () => void {
  tellVersions(metrics, version);
  gatherUse(metrics);
  gatherFiles(metrics);
  const stops = [watchEventLoop(metrics, clock), watchGarbage(metrics)];
  return () => {
    for (const stop of stops) stop();
  };
}

function tellVersions(metrics: Metrics, version: string): void {
  const build = { help: 'Which version runs, on which Node.js.', together: 'max' } as const;
  const labels = ['version', 'node'];
  metrics
    .gauge({ name: 'sallyport_build_info', labels, ...build })
    .of(version, process.version)
    .set(1);
  const started = { help: 'When the process started; of several, the youngest.', together: 'max' } as const;
  const at = metrics.gauge({ name: 'process_start_time_seconds', ...started });
  at.of().set(performance.timeOrigin / 1000);
}

function gatherUse(metrics: Metrics): void {
  const cpu = (name: string, help: string) => growing(metrics.counter({ name, help }).of());
  const user = cpu('process_cpu_user_seconds_total', 'CPU time in our own code.');
  const system = cpu('process_cpu_system_seconds_total', 'CPU time in the operating system, for us.');
  const all = cpu('process_cpu_seconds_total', 'CPU time, of all threads.');
  const gauge = (name: string, help: string) => metrics.gauge({ name, help }).of();
  const resident = gauge('process_resident_memory_bytes', 'Memory that is not swapped out.');
  const heapTotal = gauge('nodejs_heap_size_total_bytes', 'The heap of V8.');
  const heapUsed = gauge('nodejs_heap_size_used_bytes', 'What is used of the heap of V8.');
  const external = gauge('nodejs_external_memory_bytes', 'Memory outside the heap that JavaScript holds.');
  metrics.beforeRead(() => {
    const micros = process.cpuUsage();
    user(micros.user / 1e6);
    system(micros.system / 1e6);
    all((micros.user + micros.system) / 1e6);
    const memory = process.memoryUsage();
    resident.set(memory.rss);
    heapTotal.set(memory.heapTotal);
    heapUsed.set(memory.heapUsed);
    external.set(memory.external);
  });
}

/** A counter of what somebody else counts. */
function growing(counter: Counter): (total: number) => void {
  let before = 0;
  return (total) => {
    counter.add(total - before);
    before = total;
  };
}

/** No series where the system does not say. */
function gatherFiles(metrics: Metrics): void {
  const ofOne = 'of the process that has the most of them; on Linux only.';
  const open = metrics.gauge({
    name: 'process_open_fds',
    help: `Open file descriptors, ${ofOne}`,
    together: 'max',
  });
  const max = metrics.gauge({
    name: 'process_max_fds',
    help: 'How many file descriptors a process may have; on Linux only.',
    together: 'min',
  });
  metrics.beforeRead(async () => {
    const files = await readdir('/proc/self/fd').catch(() => null);
    const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
    const most = /^Max open files +(\d+)/m.exec(limits)?.[1];
    if (files !== null) open.of().set(files.length);
    if (most !== undefined) max.of().set(Number(most));
  });
}

/** Whoever reads takes nothing away from who reads next: only time does. Of lateness the worse of the last two windows is told. */
function watchEventLoop(metrics: Metrics, clock: Clock): () => void {
  const delay = monitorEventLoopDelay({ resolution: everyMs });
  delay.enable();
  const gauge = (name: string, help: string) => metrics.gauge({ name, help, together: 'max' }).of();
  const half = gauge('nodejs_eventloop_lag_p50_seconds', 'By how much timers are late: half of them.');
  const most = gauge(
    'nodejs_eventloop_lag_p99_seconds',
    'By how much timers are late: all but one in a hundred.',
  );
  const worst = gauge('nodejs_eventloop_lag_max_seconds', 'By how much the latest timer was late.');
  const busy = gauge(
    'nodejs_eventloop_utilization_ratio',
    'How much of the time the event loop was busy; 1: always.',
  );
  let [older, newer] = [performance.eventLoopUtilization(), performance.eventLoopUtilization()];
  const look = () => ({
    half: late(delay.percentile(50)),
    most: late(delay.percentile(99)),
    worst: late(delay.max),
  });
  let before = { half: 0, most: 0, worst: 0 };
  const stop = clock.every(windowMs, () => {
    before = look();
    [older, newer] = [newer, performance.eventLoopUtilization()];
    delay.reset();
  });
  metrics.beforeRead(() => {
    const now = look();
    half.set(Math.max(before.half, now.half));
    most.set(Math.max(before.most, now.most));
    worst.set(Math.max(before.worst, now.worst));
    busy.set(performance.eventLoopUtilization(older).utilization);
  });
  return () => {
    stop();
    delay.disable();
  };
}

/** The monitor tells the time between two looks, of which we know how long it should be. */
function late(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e9 - everyMs / 1000);
}

const kinds: Readonly<Record<number, string>> = {
  1: 'minor',
  2: 'minor',
  4: 'major',
  8: 'incremental',
  16: 'weakcb',
};

function watchGarbage(metrics: Metrics): () => void {
  const times = metrics.histogram({
    name: 'nodejs_gc_duration_seconds',
    help: 'Pauses for garbage collection.',
    labels: ['kind'],
  });
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind } = (entry as unknown as { readonly detail: { readonly kind: number } }).detail;
      times.of(kinds[kind] ?? 'other').observe(entry.duration);
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return () => observer.disconnect();
}
