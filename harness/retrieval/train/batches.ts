import type { Pair } from './corpus.ts';
import type { Batch } from './model.ts';

/** Pairs of one service that come together, so that telling services apart is not enough. */
const groupSize = 16;
const dropout = 0.3;

/** Numbers from 0 to 1, the same in each run. */
export type Random = () => number;

/** Mulberry32. */
export function randomOf(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** All pairs once, in another order each time; what is left of a service after its groups shares groups with others. */
export function* epochOf(pairs: readonly Pair[], batchSize: number, random: Random): Generator<Batch> {
  const byService = Map.groupBy(shuffled(pairs, random), ({ service }) => service);
  const groups: Pair[][] = [];
  const rest: Pair[] = [];
  for (const own of byService.values()) {
    const whole = own.length - (own.length % groupSize);
    for (let from = 0; from < whole; from += groupSize) groups.push(own.slice(from, from + groupSize));
    rest.push(...own.slice(whole));
  }
  for (let from = 0; from < rest.length; from += groupSize) groups.push(rest.slice(from, from + groupSize));
  const inOrder = shuffled(groups, random).flat();
  for (let from = 0; from + batchSize <= inOrder.length; from += batchSize) {
    const batch = inOrder.slice(from, from + batchSize);
    yield {
      left: batch.map(({ left }) => thinned(left, random)),
      right: batch.map(({ right }) => thinned(right, random)),
    };
  }
}

/** Some words are left out by lot, so that none is relied on alone. */
function thinned(words: Int32Array, random: Random): Int32Array {
  const kept = words.filter(() => random() >= dropout);
  return kept.length === 0 ? words : kept;
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const mixed = [...items];
  for (let at = mixed.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [mixed[at], mixed[other]] = [mixed[other] as T, mixed[at] as T];
  }
  return mixed;
}
