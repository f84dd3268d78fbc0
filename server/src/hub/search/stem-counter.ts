import type { Word } from './lexicon.ts';

/** How often a stem is in a document. */
export interface StemCount {
  readonly stem: string;
  /** As `Word.stemNumber`. */
  readonly number: number;
  readonly times: number;
}

/** Counts the stems of one document after another. */
export interface StemCounter {
  /** Each of the words counts so much. */
  add(words: readonly Word[], weight: number): void;
  addStem(stem: string, number: number, times: number): void;
  /** What was counted since the last time, in the order in which it first came, and all of it together. */
  take(): { readonly stems: StemCount[]; readonly length: number };
}

export function createStemCounter(): StemCounter {
  let times = new Float64Array(4096);
  let stems: { stem: string; number: number; times: number }[] = [];
  /** Those without a number. */
  const unnumbered = new Map<string, number>();
  let length = 0;

  const addStem = (stem: string, number: number, weight: number) => {
    length += weight;
    if (number < 0) {
      const before = unnumbered.get(stem);
      if (before === undefined) stems.push({ stem, number, times: 0 });
      unnumbered.set(stem, (before ?? 0) + weight);
      return;
    }
    if (number >= times.length) {
      const wider = new Float64Array(Math.max(number + 1, times.length * 2));
      wider.set(times);
      times = wider;
    }
    if (times[number] === 0) stems.push({ stem, number, times: 0 });
    times[number] = (times[number] as number) + weight;
  };
  return {
    addStem,
    add(words, weight) {
      for (const { stem, stemNumber } of words) if (stem !== null) addStem(stem, stemNumber, weight);
    },
    take() {
      const taken = { stems, length };
      for (const count of stems) {
        const { stem, number } = count;
        count.times = number < 0 ? (unnumbered.get(stem) ?? 0) : (times[number] as number);
        if (number >= 0) times[number] = 0;
      }
      stems = [];
      length = 0;
      unnumbered.clear();
      return taken;
    },
  };
}
