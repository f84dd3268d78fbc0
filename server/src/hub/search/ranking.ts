import type { Postings } from './postings.ts';
import { FREQUENCY_UNIT, type QueryReading } from './reading.ts';
import type { Rows } from './rows.ts';
import { createSelection } from './selection.ts';
import type { Vectors } from './vectors.ts';
import type { View } from './views.ts';

const K1 = 2;
const B = 0.75;
const FROM_WORDS = 60;
const FROM_VECTORS = 40;
/** How much of a score is likeness of meaning, by whose vectors. */
const DENSE_SHARE = { builtIn: 0.25, hosted: 0.5 } as const;
/** A query that is a tool's name gets that tool first. */
const NAME_BONUS = 1;
/** Less like than this, with no word in common, is nothing at all. */
const LEAST_LIKE = 0.2;
const MOST_TWINS = 100;

export interface Ranked {
  readonly row: number;
  readonly score: number;
  readonly alike: readonly number[];
}

export interface Ranking {
  rank(query: QueryReading, hosted: Float32Array | null, view: View, limit: number): Ranked[];
}

export interface RankingParts {
  readonly rows: Rows;
  readonly postings: Postings;
  readonly builtIn: Vectors;
  /** Of the configured model, for rows that have one; `null`: none has. */
  readonly hosted: () => Vectors | null;
}

/**
 * Words (BM25) and meaning (vectors) each propose their best rows of a view; all of them are scored by both. Frequencies, lengths
 * and best scores are those of the view alone, so the answer is that of an index which never held anything else.
 */
export function createRanking({ rows, postings, builtIn }: RankingParts): Ranking {
  let scores = new Float64Array(0);
  let found = new Uint32Array(0);
  let frequencies = new Uint8Array(0);
  let likeness = new Float64Array(0);

  const makeRoom = () => {
    if (scores.length >= rows.count) return;
    const length = rows.count + (rows.count >> 2);
    scores = new Float64Array(length);
    found = new Uint32Array(length);
    frequencies = new Uint8Array(length);
    likeness = new Float64Array(length);
  };

  /** Fills `scores`, and names the rows that have any. */
  const scoreWords = (stems: ReadonlyMap<string, number>, view: View): Uint32Array => {
    const touched: number[] = [];
    const { averageLength, marked } = view;
    const { lengths } = rows;
    // Said twice is meant once: who asks for three things in one sentence says `the city of` three times.
    for (const stem of stems.keys()) {
      const term = postings.termOf(stem);
      const matches = term === undefined ? 0 : postings.collect(term, marked, found, frequencies);
      if (matches === 0) continue;
      const rarity = Math.log(1 + (view.rows.length - matches + 0.5) / (matches + 0.5));
      for (let at = 0; at < matches; at++) {
        const row = found[at] as number;
        const frequency = (frequencies[at] as number) / FREQUENCY_UNIT;
        const length = (lengths[row] as number) / averageLength;
        if (scores[row] === 0) touched.push(row);
        scores[row] =
          (scores[row] as number) + (rarity * frequency * (K1 + 1)) / (frequency + K1 * (1 - B + B * length));
      }
    }
    return Uint32Array.from(touched);
  };

  return {
    rank(query, _hosted, view, limit) {
      makeRoom();
      const touched = scoreWords(query.stems, view);
      const byWords = createSelection(FROM_WORDS, rows.groups, rows.orderKeys);
      for (const row of touched) byWords.offer(row, scores[row] as number);

      const meant = query.vector.some((value) => value !== 0);
      const byVectors = createSelection(FROM_VECTORS, rows.groups, rows.orderKeys);
      if (meant) {
        builtIn.compare(query.vector, view.rows, view.rows.length, likeness);
        for (let at = 0; at < view.rows.length; at++) {
          const like = likeness[at] as number;
          if (like >= LEAST_LIKE) byVectors.offer(view.rows[at] as number, like);
        }
      }

      const union = new Set([...byWords.rows(), ...byVectors.rows()]);
      const named = new Set<number>();
      for (const key of query.nameKeys)
        for (const row of rows.named(key)) if (view.marked[row] === 1) named.add(row);
      for (const row of named) union.add(row);

      const candidates = Uint32Array.from(union).sort();
      builtIn.compare(query.vector, candidates, candidates.length, likeness);
      let mostLike = 0;
      let bestWords = 0;
      for (let at = 0; at < candidates.length; at++) {
        mostLike = Math.max(mostLike, likeness[at] as number);
        bestWords = Math.max(bestWords, scores[candidates[at] as number] as number);
      }
      const best = createSelection(limit, rows.groups, rows.orderKeys);
      const final = new Map<number, number>();
      for (let at = 0; at < candidates.length; at++) {
        const row = candidates[at] as number;
        const words = bestWords === 0 ? 0 : (scores[row] as number) / bestWords;
        const like = mostLike === 0 ? 0 : Math.max(0, likeness[at] as number) / mostLike;
        const both = (1 - DENSE_SHARE.builtIn) * words + DENSE_SHARE.builtIn * like;
        const score = (both + (named.has(row) ? NAME_BONUS : 0)) / (named.size > 0 ? 1 + NAME_BONUS : 1);
        final.set(row, score);
        best.offer(row, score);
      }
      for (const row of touched) scores[row] = 0;
      return best.rows().map((row) => ({
        row,
        score: final.get(row) as number,
        alike: twinsOf(row, view),
      }));
    },
  };

  function twinsOf(row: number, { marked }: View): number[] {
    const alike: number[] = [];
    for (const twin of rows.twins(row)) {
      if (twin === row || marked[twin] !== 1) continue;
      alike.push(twin);
    }
    return alike
      .sort((one, other) => (rows.orderKeys[one] as number) - (rows.orderKeys[other] as number))
      .slice(0, MOST_TWINS);
  }
}
