import type { Counter, Family, Gauge, GaugeName, Histogram, MetricSnapshot, Metrics } from './contract.ts';
import { createFamily, type Readable } from './family.ts';
import { newHistogram } from './histogram.ts';

/** Series of one metric; a histogram has a line for each of its buckets. */
const maxSeries = { counter: 2000, gauge: 2000, histogram: 500 } as const;

/** Written by hand, as every call adds to some twenty series: a label is looked up once, an observation is an addition. */
export function createMetrics(): Metrics {
  const readers: (() => MetricSnapshot)[] = [];
  const collectors: (() => void | Promise<void>)[] = [];
  const names = new Set<string>();

  function made<Instrument>(
    type: MetricSnapshot['type'],
    { name, help, labels = [], together = 'sum' }: GaugeName,
    make: () => Instrument & Readable,
  ): Family<Instrument> {
    if (names.has(name)) throw new Error(`the metric ${name} is there already`);
    names.add(name);
    const { family, read } = createFamily(labels, maxSeries[type], make);
    readers.push(() => ({ name, help, type, together, labels, series: read() }));
    return family;
  }

  return {
    counter: (metric) => made<Counter>('counter', metric, newCounter),
    gauge: (metric) => made<Gauge>('gauge', metric, newGauge),
    histogram: (metric) => made<Histogram>('histogram', metric, newHistogram),
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
