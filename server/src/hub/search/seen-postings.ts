import { LARGEST_CHUNK, type Postings, type TakePostings } from './postings.ts';
import type { Rows } from './rows.ts';
import type { View } from './views.ts';

/** Of a view with less than one in so many rows, few postings are. */
const SPARSE = 20;

/** Postings as a view has them. */
export interface SeenPostings {
  /** In how many documents of the view a term is. */
  countOf(term: number, view: View): number;
  /** As `Postings.each`: those that are of the view. */
  each(term: number, view: View, take: TakePostings): void;
}

export function createSeenPostings(postings: Postings, rows: Rows): SeenPostings {
  const matches = new Uint16Array(LARGEST_CHUNK);
  const frequencies = new Uint8Array(LARGEST_CHUNK);

  const countOf = (term: number, view: View): number => {
    if (view.isWhole) return postings.countOf(term);
    const known = view.counts.get(term);
    if (known !== undefined) return known;
    const { marked } = view;
    let count = 0;
    postings.each(term, (lows, _, from, to, base) => {
      for (let at = from; at < to; at++) count += marked[base + (lows[at] as number)] as number;
    });
    view.counts.set(term, count);
    return count;
  };
  const each = (term: number, { isWhole, marked, rows: view }: View, take: TakePostings) => {
    if (isWhole) return postings.each(term, take);
    const isSparse = view.length < rows.count / SPARSE;
    postings.each(term, (lows, times, from, to, base) => {
      let taken = 0;
      if (isSparse) {
        for (let at = from; at < to; at++) {
          const low = lows[at] as number;
          if (marked[base + low] === 0) continue;
          matches[taken] = low;
          frequencies[taken++] = times[at] as number;
        }
      } else {
        // What nobody can foresee is better done than decided.
        for (let at = from; at < to; at++) {
          const low = lows[at] as number;
          matches[taken] = low;
          frequencies[taken] = times[at] as number;
          taken += marked[base + low] as number;
        }
      }
      if (taken > 0) take(matches, frequencies, 0, taken, base);
    });
  };
  return { countOf, each };
}
