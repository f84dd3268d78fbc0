import type { Clock } from '#foundation';
import type { MetricSnapshot } from '#telemetry';
import type { Traffic } from '#wire';

const everyMs = 60_000;
const samples = 5;

/** What each project was asked in the last minutes, as the metrics count it: looked at once a minute, and when somebody asks. */
export function watchTraffic(read: () => Promise<readonly MetricSnapshot[]>, clock: Clock) {
  let kept: Sample[] = [{ atMs: clock.monotonic(), counts: new Map() }];
  const look = async (): Promise<Sample> => ({ atMs: clock.monotonic(), counts: countsOf(await read()) });
  const stop = clock.every(everyMs, () => {
    void look().then(
      (sample) => {
        kept = [...kept, sample].slice(-samples);
      },
      () => {},
    );
  });
  return {
    stop,
    async of(projectId: string): Promise<Traffic> {
      const [first] = kept as [Sample];
      const now = await look();
      const since = (what: string) => {
        const key = `${projectId}\0${what}`;
        // What a process counted that has ended is gone.
        return Math.max(0, (now.counts.get(key) ?? 0) - (first.counts.get(key) ?? 0));
      };
      const codes = [...now.counts.keys()].flatMap((key) => {
        const [project, what, code] = key.split('\0');
        return project === projectId && what === 'code' && code !== undefined ? [code] : [];
      });
      return {
        windowMs: now.atMs - first.atMs,
        allowed: since('allowed'),
        refused: since('refused'),
        failed: since('failed'),
        byCode: new Map(codes.map((code) => [code, since(`code\0${code}`)])),
      };
    },
  };
}

interface Sample {
  readonly atMs: number;
  /** By project, and decision or `code` and the code. */
  readonly counts: ReadonlyMap<string, number>;
}

function countsOf(metrics: readonly MetricSnapshot[]): Map<string, number> {
  const counts = new Map<string, number>();
  const add = (name: string, keyOf: (label: (name: string) => string) => string) => {
    const metric = metrics.find((one) => one.name === name);
    if (metric === undefined) throw new Error(`there is no metric ${name}`);
    for (const { values, value } of metric.series) {
      const key = keyOf((label) => values[metric.labels.indexOf(label)] ?? '');
      counts.set(key, (counts.get(key) ?? 0) + value);
    }
  };
  add('sallyport_calls_total', (label) => `${label('project')}\0${label('decision')}`);
  add('sallyport_refusals_total', (label) => `${label('project')}\0code\0${label('code')}`);
  return counts;
}
