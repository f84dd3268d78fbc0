import type { Counter, Family, Gauge, Histogram, MetricName, MetricSnapshot, Metrics } from './contract.ts';

/** Upper bounds of the buckets of every histogram, in milliseconds. */
export const boundsMs: readonly number[] = [
  0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000,
];

/** Written by hand, as every call adds to some twenty series: a label is looked up once, an observation is an addition. */
export function createMetrics(): Metrics {
  const readers: (() => MetricSnapshot)[] = [];
  const collectors: (() => void | Promise<void>)[] = [];
  const names = new Set<string>();

  function family<Instrument>(
    type: MetricSnapshot['type'],
    { name, help, labels = [] }: MetricName,
    make: () => Instrument & { readonly read: () => Omit<MetricSnapshot['series'][number], 'values'> },
  ): Family<Instrument> {
    if (names.has(name)) throw new Error(`the metric ${name} is there already`);
    names.add(name);
    const series = new Map<
      string,
      { readonly values: readonly string[]; readonly it: ReturnType<typeof make> }
    >();
    readers.push(() => ({
      name,
      help,
      type,
      labels,
      series: [...series.values()].map(({ values, it }) => ({ values, ...it.read() })),
    }));
    return {
      of(...values) {
        const key = values.length === 1 ? (values[0] as string) : values.join('\0');
        const known = series.get(key);
        if (known !== undefined) return known.it;
        const it = make();
        series.set(key, { values, it });
        return it;
      },
      forget(...first) {
        for (const [key, { values }] of series)
          if (first.every((value, at) => values[at] === value)) series.delete(key);
      },
    };
  }

  return {
    counter: (metric) => family<Counter>('counter', metric, newCounter),
    gauge: (metric) => family<Gauge>('gauge', metric, newGauge),
    histogram: (metric) => family<Histogram>('histogram', metric, newHistogram),
    beforeRead: (collect) => void collectors.push(collect),
    async read() {
      for (const collect of collectors) await collect();
      return readers.map((read) => read());
    },
  };
}

function newCounter() {
  let value = 0;
  return {
    add(count = 1) {
      value += count;
    },
    read: () => ({ value }),
  };
}

function newGauge() {
  let value = 0;
  return {
    set(next: number) {
      value = next;
    },
    read: () => ({ value }),
  };
}

function newHistogram() {
  const counts = new Float64Array(boundsMs.length + 1);
  let sumMs = 0;
  return {
    observe(ms: number) {
      let at = 0;
      while (at < boundsMs.length && ms > (boundsMs[at] as number)) at++;
      counts[at] = (counts[at] as number) + 1;
      sumMs += ms;
    },
    read: () => ({ value: 0, counts: [...counts], sum: sumMs / 1000 }),
  };
}
