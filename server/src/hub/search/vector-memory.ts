import { createKernel, createMemory, MAX_DIMENSIONS, QUERY_SCALE } from './kernel.ts';

/** Memory comes in pages of this many bytes, and vectors are kept in pages. */
export const PAGE = 65_536;
/** Four gigabytes: more has no address of 32 bits. */
const MOST_PAGES = 65_536;
/** Pages that are asked for at once. */
const PAGES_MORE = 16;
/** The first page is where the kernel is told what to do, and answers. */
const ROWS = MAX_DIMENSIONS * 2;
const MOST_AT_ONCE = 2048;
const FOUND = ROWS + MOST_AT_ONCE * 4;
const LIKES = FOUND + MOST_AT_ONCE * 4;
/** Sums are made when nothing is looked for. */
const SUM = ROWS;

/** Rows of one page: where its vectors and their scales begin, and which row is the first. */
export interface PageRows {
  readonly page: number;
  readonly scales: number;
  readonly first: number;
}

/** One memory for the vectors of all indexes, as the kernel sees only one. */
export interface VectorMemory {
  /** The address of a page that nobody has. */
  allot(): number;
  free(page: number): void;
  bytes(address: number, length: number): Int8Array;
  floats(address: number, count: number): Float32Array;
  /** The query that `scan` looks for from now on; its numbers must not change. What products with it are to be multiplied by. */
  ask(query: Float32Array): number;
  /** Calls `take` with each of the page's rows that is at least so like the query; it says what is wanted of the rest. */
  scan(
    rows: Uint32Array,
    at: PageRows,
    by: number,
    least: number,
    take: (row: number, like: number) => number,
  ): number;
  /** The sum that `add` adds to, from nothing; good until the next, or until the memory grows. */
  sum(length: number): Float32Array;
  add(address: number, length: number, times: number): void;
}

export function createVectorMemory(): VectorMemory {
  const memory = createMemory(MOST_PAGES);
  const kernel = createKernel(memory);
  const free: number[] = [];
  let numbers = 0;
  let asked: { readonly query: Float32Array; readonly by: number } | null = null;
  let [buffer, list, found, likes] = [
    memory.buffer,
    new Uint32Array(),
    new Uint32Array(),
    new Float64Array(),
  ];

  /** They are elsewhere when the memory has grown. */
  const places = () => {
    if (buffer === memory.buffer && list.length > 0) return;
    buffer = memory.buffer;
    list = new Uint32Array(buffer, ROWS, MOST_AT_ONCE);
    found = new Uint32Array(buffer, FOUND, MOST_AT_ONCE);
    likes = new Float64Array(buffer, LIKES, MOST_AT_ONCE);
  };

  return {
    allot() {
      if (free.length === 0) {
        const first = memory.grow(PAGES_MORE);
        for (let page = first + PAGES_MORE - 1; page >= first; page--) free.push(page * PAGE);
      }
      return free.pop() as number;
    },
    free: (page) => void free.push(page),
    bytes: (address, length) => new Int8Array(memory.buffer, address, length),
    floats: (address, count) => new Float32Array(memory.buffer, address, count),
    ask(query) {
      if (asked?.query === query) return asked.by;
      let largest = 0;
      for (const value of query) largest = Math.max(largest, Math.abs(value));
      numbers = Math.ceil(query.length / 16) * 16;
      const scale = largest === 0 ? 0 : QUERY_SCALE / largest;
      const kept = new Int16Array(memory.buffer, 0, numbers).fill(0);
      for (let at = 0; at < query.length; at++) kept[at] = Math.round((query[at] as number) * scale);
      asked = { query, by: scale === 0 ? 0 : 1 / scale };
      return asked.by;
    },
    scan(rows, { page, scales, first }, by, least, take) {
      places();
      let wanted = least;
      for (let from = 0; from < rows.length; from += MOST_AT_ONCE) {
        const count = Math.min(rows.length - from, MOST_AT_ONCE);
        list.set(count === rows.length ? rows : rows.subarray(from, from + count));
        // The last fill up what is looked at four at a time.
        const whole = Math.ceil(count / 4) * 4;
        list.fill(list[count - 1] as number, count, whole);
        const many = kernel.scan(ROWS, whole, page, scales, first, 0, numbers, by, wanted, FOUND, LIKES);
        for (let at = 0; at < many; at++) {
          const row = found[at] as number;
          if (at > 0 && row === found[at - 1]) continue;
          const like = likes[at] as number;
          if (like >= wanted) wanted = take(row, like);
        }
      }
      return wanted;
    },
    sum: (length) => new Float32Array(memory.buffer, SUM, length).fill(0),
    add: (address, length, times) => kernel.add(address, length, times, SUM),
  };
}
