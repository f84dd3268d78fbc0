import type { Rows } from './rows.ts';
import { createSelection } from './selection.ts';
import type { Vectors } from './vectors.ts';
import type { View } from './views.ts';

const PROPOSED = 40;
/** Less like than this is not like at all. */
const LEAST_LIKE = 0.2;

/** How like a query documents are, by one kind of vector. */
export interface Meaning {
  /** The best rows of the view. */
  readonly proposed: readonly number[];
  /** 0 to 1, against the best of the view. */
  likenessOf(row: number): number;
}

export const nothingMeant: Meaning = { proposed: [], likenessOf: () => 0 };

export type MeaningOf = (vectors: Vectors, query: Float32Array, view: View) => Meaning;

export function createMeaning(rows: Rows): MeaningOf {
  return (vectors, query, view) => {
    const likeness = new Float64Array(rows.count);
    vectors.compare(query, view.rows, likeness);
    const best = createSelection(PROPOSED, rows.groups, rows.orderKeys);
    for (const row of view.rows) {
      const like = likeness[row] as number;
      if (like >= LEAST_LIKE) best.offer(row, like);
    }
    const proposed = best.rows();
    const most = proposed.length === 0 ? 1 : (likeness[proposed[0] as number] as number);
    return { proposed, likenessOf: (row) => Math.max(0, likeness[row] as number) / most };
  };
}
