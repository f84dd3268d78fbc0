import type { Piece, SnapshotReader } from './snapshot.ts';
import { PAGE, type VectorMemory } from './vector-memory.ts';

/** Vectors by row, a byte for each number, each vector with a scale of its own. */
export interface Vectors {
  readonly dimensions: number;
  set(row: number, vector: Float32Array): void;
  has(row: number): boolean;
  /** How like the query a row is: cosine, of normalised vectors. */
  like(query: Float32Array, row: number): number;
  /**
   * Of these rows, which ascend, calls `take` with each that is at least so like the query; it says how like others must be from then
   * on to be of interest.
   */
  each(
    query: Float32Array,
    rows: Uint32Array,
    least: number,
    take: (row: number, like: number) => number,
  ): void;
  /** Moves rows to others (one more than the row; 0: it is forgotten), which ascend as these do and are none before them. */
  renumber(rows: Uint32Array): void;
  /** What `unpack` fills an empty one with. */
  packed(): Piece[];
  unpack(from: SnapshotReader, pages: number): Promise<void>;
  release(): void;
}

/** Pages hold vectors, and behind them their scales. */
export function createVectors(memory: VectorMemory, dimensions: number): Vectors {
  const stride = Math.ceil(dimensions / 16) * 16;
  const perPage = Math.floor(PAGE / (stride + 4));
  const pages: number[] = [];
  const one = new Uint32Array(1);

  const addressOf = (row: number): number =>
    (pages[Math.floor(row / perPage)] as number) + (row % perPage) * stride;
  const scaleAt = (row: number): Float32Array =>
    memory.floats((pages[Math.floor(row / perPage)] as number) + perPage * stride + (row % perPage) * 4, 1);
  const scaleOf = (row: number): number => (row < pages.length * perPage ? (scaleAt(row)[0] as number) : 0);
  const makeRoom = (count: number) => {
    while (pages.length * perPage < count) {
      const page = memory.allot();
      memory.bytes(page, PAGE).fill(0);
      pages.push(page);
    }
    while (pages.length > Math.ceil(count / perPage)) memory.free(pages.pop() as number);
  };
  const place = (page: number) => {
    const address = pages[page] as number;
    return { page: address, scales: address + perPage * stride, first: page * perPage };
  };
  return {
    dimensions,
    set(row, vector) {
      if (row >= pages.length * perPage) makeRoom(row + 1);
      scaleAt(row)[0] = quantise(vector, memory.bytes(addressOf(row), stride));
    },
    has: (row) => scaleOf(row) !== 0,
    like(query, row) {
      const by = memory.ask(query);
      let found = 0;
      one[0] = row;
      if (row < pages.length * perPage)
        memory.scan(one, place(Math.floor(row / perPage)), by, Number.NEGATIVE_INFINITY, (_, like) => {
          found = like;
          return like;
        });
      return found;
    },
    each(query, rows, least, take) {
      const by = memory.ask(query);
      const end = Math.min(rows.length, firstAtLeast(rows, 0, pages.length * perPage));
      let wanted = least;
      for (let from = 0; from < end; ) {
        const at = place(Math.floor((rows[from] as number) / perPage));
        const to = firstAtLeast(rows, from, at.first + perPage);
        wanted = memory.scan(rows.subarray(from, to), at, by, wanted, take);
        from = to;
      }
    },
    renumber(rows) {
      let count = 0;
      for (let row = 0; row < rows.length; row++) {
        const to = (rows[row] as number) - 1;
        const scale = to < 0 ? 0 : scaleOf(row);
        if (to < 0 || row >= pages.length * perPage) continue;
        memory.bytes(addressOf(to), stride).set(memory.bytes(addressOf(row), stride));
        scaleAt(to)[0] = scale;
        if (scale !== 0) count = to + 1;
      }
      makeRoom(count);
      for (let row = count; row < pages.length * perPage; row++) scaleAt(row)[0] = 0;
    },
    // The memory may grow, and so be elsewhere, before a page is written.
    packed: () => pages.map((page) => ({ length: PAGE, bytes: () => memory.bytes(page, PAGE) })),
    async unpack(from, count) {
      const page = new Uint8Array(PAGE);
      for (let at = 0; at < count; at++) {
        await from.next(page);
        makeRoom((at + 1) * perPage);
        memory.bytes(pages[at] as number, PAGE).set(page);
      }
    },
    release() {
      for (const page of pages.splice(0)) memory.free(page);
    },
  };
}

/** The place of the first row, from `from` on, that is `row` or above. */
function firstAtLeast(rows: Uint32Array, from: number, row: number): number {
  let [low, high] = [from, Math.min(rows.length, from + Math.max(0, row - (rows[from] ?? row)))];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rows[middle] as number) < row) low = middle + 1;
    else high = middle;
  }
  return low;
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
