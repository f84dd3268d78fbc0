import type { MetricSnapshot } from './contract.ts';
import { mergeSnapshots } from './merge.ts';

/** What a process told of its metrics. */
export interface ToldMetrics {
  /** Names this run of it: another one begins at 0 again. */
  readonly process: string;
  readonly metrics: readonly MetricSnapshot[];
}

/** So many runs are told apart; what longer gone ones counted is kept as one. */
const maxRuns = 64;

/**
 * The metrics of this process and of others as those of one. What was counted never falls, as whoever scrapes takes that for a
 * restart and counts everything again: where another process has ended, or does not answer in time, what it told last goes on
 * being counted, but not what it had open.
 */
export function createGathering(): (
  own: readonly MetricSnapshot[],
  others: readonly ToldMetrics[],
) => readonly MetricSnapshot[] {
  // The longest silent first.
  const counted = new Map<string, readonly MetricSnapshot[]>();
  let past: readonly MetricSnapshot[] = [];
  return (own, others) => {
    for (const { process, metrics } of others) {
      counted.delete(process);
      counted.set(
        process,
        metrics.filter(({ type }) => type !== 'gauge'),
      );
    }
    for (const [process, counts] of counted) {
      if (counted.size <= maxRuns) break;
      past = mergeSnapshots([past, counts]);
      counted.delete(process);
    }
    const gauges = others.map(({ metrics }) => metrics.filter(({ type }) => type === 'gauge'));
    return mergeSnapshots([own, ...gauges, ...counted.values(), past]);
  };
}
