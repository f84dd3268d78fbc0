import { type Column, createColumn, numbersOf } from './column.ts';
import { type Piece, pieceOf } from './snapshot.ts';
import { PAGE, type VectorMemory } from './vector-memory.ts';

/** Vectors by row, a byte for each number, each vector with a scale of its own. */
export interface Vectors {
  readonly dimensions: number;
  set(row: number, vector: Float32Array): void;
  has(row: number): boolean;
  /** How like the query each of these rows is (cosine, of normalised vectors), at the row's place in `into`. */
  compare(query: Float32Array, rows: Uint32Array, into: Float64Array): void;
  /** Moves rows to others (one more than the row; 0: it is forgotten), which ascend as these do and are none before them. */
  renumber(rows: Uint32Array): void;
  /** What `unpack` fills an empty one with. */
  packed(): Piece[];
  unpack(pieces: readonly Uint8Array[]): void;
  release(): void;
}

export function createVectors(memory: VectorMemory, dimensions: number): Vectors {
  const stride = Math.ceil(dimensions / 16) * 16;
  const perPage = Math.floor(PAGE / stride);
  const pages: number[] = [];
  let scales: Column<Float32Array> = createColumn(Float32Array);

  const addressOf = (row: number): number =>
    (pages[Math.floor(row / perPage)] as number) + (row % perPage) * stride;
  /** Of rows that ascend, for the most part: a page is looked up when another begins. */
  const addresses = (rows: Uint32Array, into: Uint32Array) => {
    let [first, end, page] = [0, 0, 0];
    for (let at = 0; at < rows.length; at++) {
      const row = rows[at] as number;
      if (row < first || row >= end) {
        first = row - (row % perPage);
        end = first + perPage;
        page = pages[first / perPage] ?? 0;
      }
      into[at] = page + (row - first) * stride;
    }
  };
  const makeRoom = (count: number) => {
    while (pages.length * perPage < count) pages.push(memory.allot());
    while (pages.length > Math.ceil(count / perPage)) memory.free(pages.pop() as number);
  };
  return {
    dimensions,
    set(row, vector) {
      if (row >= pages.length * perPage) makeRoom(row + 1);
      scales.set(row, quantise(vector, memory.bytes(addressOf(row), stride)));
    },
    has: (row) => (scales.values[row] ?? 0) !== 0,
    compare(query, rows, into) {
      const asked = new Float32Array(stride);
      asked.set(query);
      const by = memory.ask(asked);
      const list = memory.list();
      for (let from = 0; from < rows.length; from += list.length) {
        const part = rows.subarray(from, from + list.length);
        addresses(part, list);
        const products = memory.products(part.length);
        for (let at = 0; at < part.length; at++) {
          const row = part[at] as number;
          into[row] = (products[at] as number) * by * (scales.values[row] ?? 0);
        }
      }
    },
    renumber(rows) {
      const moved = createColumn(Float32Array);
      let count = 0;
      for (let row = 0; row < rows.length; row++) {
        const to = (rows[row] as number) - 1;
        if (to < 0 || (scales.values[row] ?? 0) === 0) continue;
        memory.bytes(addressOf(to), stride).set(memory.bytes(addressOf(row), stride));
        moved.set(to, scales.values[row] as number);
        count = to + 1;
      }
      scales = moved;
      makeRoom(count);
    },
    packed: () => [
      pieceOf(scales.values),
      // The memory may grow, and so be elsewhere, before a page is written.
      ...pages.map((page) => ({ length: PAGE, bytes: () => memory.bytes(page, PAGE) })),
    ],
    unpack([known, ...given]) {
      scales = createColumn(Float32Array, new Float32Array(numbersOf(known).buffer));
      makeRoom(given.length * perPage);
      for (const [at, bytes] of given.entries()) memory.bytes(pages[at] as number, PAGE).set(bytes);
    },
    release() {
      for (const page of pages.splice(0)) memory.free(page);
    },
  };
}

function quantise(vector: Float32Array, into: Int8Array): number {
  let largest = 0;
  for (const value of vector) largest = Math.max(largest, Math.abs(value));
  into.fill(0);
  if (largest === 0) return 0;
  const by = 127 / largest;
  for (let at = 0; at < vector.length; at++) into[at] = Math.round((vector[at] as number) * by);
  return 1 / by;
}
