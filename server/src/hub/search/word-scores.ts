import type { OtherStem } from './lexicon.ts';
import type { Postings } from './postings.ts';
import type { QueryStem } from './reading.ts';
import type { Rows } from './rows.ts';
import { createSeenPostings } from './seen-postings.ts';
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
  /** By row, those of the view; good until the next are asked for. */
  score(stems: readonly QueryStem[], view: View): Float64Array;
}

export function createWordScores(postings: Postings, rows: Rows): WordScores {
  const seen = createSeenPostings(postings, rows);
  let scores = new Float64Array(0);
  /** The rows of the view that was asked about last. */
  let scored: View['rows'] = new Uint32Array(0);
  /** What other words stand for in place of one word of the query. */
  let standIn = new Float64Array(0);
  let stoodIn = new Uint32Array(0);
  let stoodInCount = 0;

  const begin = (view: View) => {
    if (scores.length < rows.count) {
      const length = rows.count + (rows.count >> 3);
      scores = new Float64Array(length);
      standIn = new Float64Array(length);
      stoodIn = new Uint32Array(length);
    } else for (let at = 0; at < scored.length; at++) scores[scored[at] as number] = 0;
    scored = view.rows;
  };
  const weigh = (stem: string, share: number, view: View) => {
    const term = postings.termOf(stem);
    const count = term === undefined ? 0 : seen.countOf(term, view);
    const among = view.rows.length;
    return {
      term: term ?? 0,
      count,
      rarity: share * Math.log(1 + (among - count + 0.5) / (count + 0.5)) * (K1 + 1),
      perLength: (K1 * B) / view.averageLength,
    };
  };
  /** Of several words that stand for one another the best counts. */
  const addOther = ({ stem, like }: OtherStem, view: View) => {
    const { term, count, rarity, perLength } = weigh(stem, OTHER_WORD * like, view);
    if (count === 0 || (count > view.rows.length * TOO_COMMON && count > 8)) return;
    const { lengths } = rows;
    seen.each(term, view, (lows, times, from, to, base) => {
      for (let at = from; at < to; at++) {
        const row = base + (lows[at] as number);
        const frequency = (times[at] as number) / PARTS;
        const score =
          (rarity * frequency) / (frequency + K1 * (1 - B) + perLength * (lengths[row] as number));
        const before = standIn[row] as number;
        if (before === 0) stoodIn[stoodInCount++] = row;
        if (score > before) standIn[row] = score;
      }
    });
  };
  /** Where the word itself is, nothing stands for it. */
  const addItself = (stem: string, view: View) => {
    const { term, count, rarity, perLength } = weigh(stem, 1, view);
    if (count === 0) return;
    const { lengths } = rows;
    seen.each(term, view, (lows, times, from, to, base) => {
      for (let at = from; at < to; at++) {
        const row = base + (lows[at] as number);
        const frequency = (times[at] as number) / PARTS;
        standIn[row] = 0;
        scores[row] =
          (scores[row] as number) +
          (rarity * frequency) / (frequency + K1 * (1 - B) + perLength * (lengths[row] as number));
      }
    });
  };

  return {
    score(stems, view) {
      begin(view);
      for (const { stem, others } of stems) {
        for (const other of others) addOther(other, view);
        addItself(stem, view);
        for (let at = 0; at < stoodInCount; at++) {
          const row = stoodIn[at] as number;
          scores[row] = (scores[row] as number) + (standIn[row] as number);
          standIn[row] = 0;
        }
        stoodInCount = 0;
      }
      return scores;
    },
  };
}
