import type { Postings } from './postings.ts';
import type { QueryStem } from './reading.ts';
import type { Rows } from './rows.ts';
import type { View } from './views.ts';

const K1 = 1.5;
const B = 0.75;
/** What a word's neighbour counts of what the word itself would. */
const OTHER_WORD = 0.6;
/** A neighbour that is in more than this share of the documents tells none from another. */
const TOO_COMMON = 1 / 8;
/** Frequencies are kept in a byte, in parts of one. */
const PARTS = 4;

/** As postings keep how often a stem is in a document. */
export const keptFrequency = (times: number): number => Math.min(255, Math.max(1, Math.round(times * PARTS)));

/** BM25 of a view: rarity and lengths are counted among its documents alone. */
export interface WordScores {
  /** The rows that have any of the words; their scores are in `scores` until `clear`. */
  score(stems: readonly QueryStem[], view: View): Uint32Array;
  readonly scores: Float64Array;
  clear(): void;
}

export function createWordScores(postings: Postings, rows: Rows): WordScores {
  let scores = new Float64Array(0);
  /** Of one word of the query. */
  let own = new Float64Array(0);
  let matches = new Uint32Array(0);
  let frequencies = new Uint8Array(0);
  let touched = new Uint32Array(0);
  let touchedCount = 0;
  let ownRows = new Uint32Array(0);
  let ownCount = 0;

  const makeRoom = () => {
    if (scores.length >= rows.count) return;
    const length = rows.count + (rows.count >> 2);
    scores = new Float64Array(length);
    own = new Float64Array(length);
    frequencies = new Uint8Array(length);
    [matches, touched, ownRows] = [new Uint32Array(length), new Uint32Array(length), new Uint32Array(length)];
  };

  /** What each row gets for one stem; of several that stand for one another the best counts, and the word itself before all. */
  const add = (stem: string, share: number, view: View, isItself: boolean) => {
    const term = postings.termOf(stem);
    const count = term === undefined ? 0 : postings.collect(term, view.marked, matches, frequencies);
    const among = view.rows.length;
    if (count === 0 || (!isItself && count > among * TOO_COMMON && count > 8)) return;
    const rarity = share * Math.log(1 + (among - count + 0.5) / (count + 0.5)) * (K1 + 1);
    const perLength = (K1 * B) / view.averageLength;
    const { lengths } = rows;
    for (let at = 0; at < count; at++) {
      const row = matches[at] as number;
      const frequency = (frequencies[at] as number) / PARTS;
      const score = (rarity * frequency) / (frequency + K1 * (1 - B) + perLength * (lengths[row] as number));
      const before = own[row] as number;
      if (before === 0) ownRows[ownCount++] = row;
      if (isItself || score > before) own[row] = score;
    }
  };

  return {
    score(stems, view) {
      makeRoom();
      for (const { stem, others } of stems) {
        for (const other of others) add(other.stem, OTHER_WORD * other.like, view, false);
        add(stem, 1, view, true);
        for (let at = 0; at < ownCount; at++) {
          const row = ownRows[at] as number;
          if (scores[row] === 0) touched[touchedCount++] = row;
          scores[row] = (scores[row] as number) + (own[row] as number);
          own[row] = 0;
        }
        ownCount = 0;
      }
      return touched.subarray(0, touchedCount);
    },
    get scores() {
      return scores;
    },
    clear() {
      for (let at = 0; at < touchedCount; at++) scores[touched[at] as number] = 0;
      touchedCount = 0;
    },
  };
}
