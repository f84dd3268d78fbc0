import { createMeaning, type Meaning, nothingMeant } from './meaning.ts';
import type { QueryReading } from './reading.ts';
import type { Rows } from './rows.ts';
import { createSelection } from './selection.ts';
import type { Vectors } from './vectors.ts';
import type { View } from './views.ts';
import type { WordScores } from './word-scores.ts';

const FROM_WORDS = 60;
/** How much of a score is likeness of meaning, by whose vectors. */
const MEANING_SHARE = { builtIn: 0.25, hosted: 0.5 } as const;
/** What is less like says nothing: to the built-in vectors any two texts are a little alike. Models differ in how they count. */
const LEAST_LIKE = { builtIn: 0.28, hosted: Number.MIN_VALUE } as const;
const MOST_ALIKE = 100;

export interface Ranked {
  readonly row: number;
  readonly score: number;
  readonly alike: readonly number[];
}

export interface RankingParts {
  readonly rows: Rows;
  readonly words: WordScores;
  readonly builtIn: Vectors;
}

export interface RankedQuery extends QueryReading {
  /** Of the configured model, with the vectors to compare it with; `null`: there is none. */
  readonly hosted: {
    readonly vector: Float32Array;
    readonly vectors: Vectors;
    /** How much of a score it is. */
    readonly weight?: number | undefined;
  } | null;
}

/** The best of a view, best first. */
export type Ranking = (query: RankedQuery, view: View, limit: number) => Ranked[];

/**
 * Words and meaning each propose their best rows of a view; all of them are scored by both. Frequencies, lengths and best scores
 * are those of the view alone, so the answer is that of an index which never held anything else.
 */
export function createRanking({ rows, words, builtIn }: RankingParts): Ranking {
  const meaningOf = createMeaning(rows);

  /** A row without a vector of the configured model is as like as the built-in one says. */
  const meaningsOf = ({ vector, hosted }: RankedQuery, view: View): Meaning & { readonly share: number } => {
    const having = hosted === null ? 0 : countOf(view.rows, hosted.vectors.has);
    const builtInMeaning = () =>
      vector === null ? nothingMeant : meaningOf(builtIn, vector, view, LEAST_LIKE.builtIn);
    // Where nothing that may be seen has one, it is as if there were no such model.
    if (hosted === null || having === 0) return { ...builtInMeaning(), share: MEANING_SHARE.builtIn };
    const theirs = meaningOf(hosted.vectors, hosted.vector, view, LEAST_LIKE.hosted);
    const ours = having === view.rows.length ? nothingMeant : builtInMeaning();
    return {
      share: hosted.weight ?? MEANING_SHARE.hosted,
      proposed: [...theirs.proposed, ...ours.proposed],
      likenessOf: (row) => (hosted.vectors.has(row) ? theirs : ours).likenessOf(row),
    };
  };
  const namedIn = ({ nameKeys }: RankedQuery, { marked }: View): Set<number> => {
    const named = new Set<number>();
    for (const key of nameKeys) for (const row of rows.named(key)) if (marked[row] === 1) named.add(row);
    return named;
  };
  const alikeOf = (row: number, { marked }: View, scoreOf: (row: number) => number): number[] => {
    const best = createSelection(MOST_ALIKE, null, rows.orderKeys);
    for (const twin of rows.twins(row))
      if (twin !== row && marked[twin] === 1) best.offer(twin, scoreOf(twin));
    return best.rows();
  };
  return (query, view, limit) => {
    const byWords = createSelection(FROM_WORDS, rows.groups, rows.orderKeys);
    const scores = words.score(query.stems, view);
    let least = Number.MIN_VALUE;
    for (let at = 0; at < view.rows.length; at++) {
      const row = view.rows[at] as number;
      const score = scores[row] as number;
      if (score >= least) least = Math.max(least, byWords.offer(row, score));
    }
    const proposed = byWords.rows();
    const bestWords = proposed.length === 0 ? 1 : (scores[proposed[0] as number] as number);
    const meaning = meaningsOf(query, view);
    const named = namedIn(query, view);

    const whole = named.size === 0 ? 1 : 2;
    const scoreOf = (row: number): number => {
      const fromWords = (scores[row] as number) / bestWords;
      const both = (1 - meaning.share) * fromWords + meaning.share * meaning.likenessOf(row);
      return (both + (named.has(row) ? 1 : 0)) / whole;
    };
    const best = createSelection(limit, rows.groups, rows.orderKeys);
    for (const row of new Set([...proposed, ...meaning.proposed, ...named])) best.offer(row, scoreOf(row));
    return best.rows().map((row) => ({ row, score: scoreOf(row), alike: alikeOf(row, view, scoreOf) }));
  };
}

function countOf(rows: Uint32Array, has: (row: number) => boolean): number {
  let count = 0;
  for (const row of rows) if (has(row)) count++;
  return count;
}
