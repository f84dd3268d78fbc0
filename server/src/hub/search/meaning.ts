import type { Rows } from './rows.ts';
import { createSelection } from './selection.ts';
import type { Vectors } from './vectors.ts';
import type { View } from './views.ts';

const PROPOSED = 40;

/** How like a query documents are, by one kind of vector; good until the next is asked of the same. */
export interface Meaning {
  /** The best rows of the view. */
  readonly proposed: readonly number[];
  /** 0 to 1, against the best of the view. */
  likenessOf(row: number): number;
}

export const nothingMeant: Meaning = { proposed: [], likenessOf: () => 0 };

/** What is less like than `leastLike` is not proposed. */
export type MeaningOf = (vectors: Vectors, query: Float32Array, view: View, leastLike: number) => Meaning;

export function createMeaning(rows: Rows): MeaningOf {
  const buffers = new WeakMap<Vectors, Float64Array>();
  const bufferFor = (vectors: Vectors): Float64Array => {
    const known = buffers.get(vectors);
    if (known !== undefined && known.length >= rows.count) return known;
    const buffer = new Float64Array(rows.count + (rows.count >> 2));
    buffers.set(vectors, buffer);
    return buffer;
  };
  return (vectors, query, view, leastLike) => {
    const likeness = bufferFor(vectors);
    vectors.compare(query, view.rows, likeness);
    const best = createSelection(PROPOSED, rows.groups, rows.orderKeys);
    let least = leastLike;
    for (let at = 0; at < view.rows.length; at++) {
      const row = view.rows[at] as number;
      const like = likeness[row] as number;
      if (like >= least) least = Math.max(least, best.offer(row, like));
    }
    const proposed = best.rows();
    const most = proposed.length === 0 ? 1 : (likeness[proposed[0] as number] as number);
    return { proposed, likenessOf: (row) => Math.max(0, likeness[row] as number) / most };
  };
}
