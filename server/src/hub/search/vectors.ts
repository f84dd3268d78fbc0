import { createColumn } from './column.ts';

/** Bytes of vectors that are kept in one piece. */
const PAGE = 65_536;

/** Vectors by row, as bytes, each with a scale of its own. */
export interface Vectors {
  readonly dimensions: number;
  set(row: number, vector: Float32Array): void;
  /** How like the query (cosine, of normalised vectors) the first `count` of these rows are, in their order. */
  compare(query: Float32Array, rows: Uint32Array, count: number, into: Float64Array): void;
}

export function createVectors(dimensions: number): Vectors {
  const perPage = Math.floor(PAGE / dimensions);
  const pages: Int8Array[] = [];
  const scales = createColumn(Float32Array);
  return {
    dimensions,
    set(row, vector) {
      const page = Math.floor(row / perPage);
      while (pages.length <= page) pages.push(new Int8Array(PAGE));
      scales.set(row, quantise(vector, pages[page] as Int8Array, (row % perPage) * dimensions));
    },
    compare(query, rows, count, into) {
      for (let at = 0; at < count; at++) {
        const row = rows[at] as number;
        const page = pages[Math.floor(row / perPage)] as Int8Array;
        const from = (row % perPage) * dimensions;
        let dot = 0;
        for (let d = 0; d < dimensions; d++) dot += (page[from + d] as number) * (query[d] as number);
        into[at] = dot * (scales.values[row] as number);
      }
    },
  };
}

function quantise(vector: Float32Array, into: Int8Array, from: number): number {
  let largest = 0;
  for (const value of vector) largest = Math.max(largest, Math.abs(value));
  if (largest === 0) return 0;
  const by = 127 / largest;
  for (let d = 0; d < vector.length; d++) into[from + d] = Math.round((vector[d] as number) * by);
  return 1 / by;
}
