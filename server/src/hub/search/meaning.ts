import type { Rows } from './rows.ts';
import { createSelection } from './selection.ts';
import type { Vectors } from './vectors.ts';
import type { View } from './views.ts';

const PROPOSED = 40;

/** How like a query documents are, by one kind of vector. */
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
  return (vectors, query, view, leastLike) => {
    const best = createSelection(PROPOSED, rows.groups, rows.orderKeys);
    vectors.each(query, view.rows, leastLike, (row, like) => Math.max(leastLike, best.offer(row, like)));
    const proposed = best.rows();
    const [first] = proposed;
    const most = first === undefined ? 1 : vectors.like(query, first);
    return { proposed, likenessOf: (row) => Math.max(0, vectors.like(query, row)) / most };
  };
}
