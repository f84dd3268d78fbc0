import type { Histogram } from './contract.ts';
import type { Readable } from './family.ts';

/** Upper bounds of the buckets of every histogram, in seconds: from a step of ours to a tool that takes its time. */
export const boundsSeconds: readonly number[] = [
  0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
  5, 10, 30,
];

const boundsMs = Float64Array.from(boundsSeconds, (seconds) => seconds * 1000);

export function newHistogram(): Histogram & Readable {
  const counts = new Float64Array(boundsMs.length + 1);
  let sumMs = 0;
  return {
    observe(ms) {
      let at = 0;
      while (at < boundsMs.length && ms > (boundsMs[at] as number)) at++;
      counts[at] = (counts[at] as number) + 1;
      sumMs += ms;
    },
    read: () => ({ value: 0, counts: [...counts], sum: sumMs / 1000 }),
  };
}
