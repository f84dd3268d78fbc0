import { createKernel, createMemory, MAX_DIMENSIONS, QUERY_SCALE } from './kernel.ts';

/** Memory comes in pages of this many bytes, and vectors are kept in pages. */
export const PAGE = 65_536;
/** Four gigabytes: more has no address of 32 bits. */
const MOST_PAGES = 65_536;
/** Pages that are asked for at once. */
const PAGES_MORE = 16;
/** The first page is where the kernel is told what to do, and answers. */
const LIST = MAX_DIMENSIONS * 2;
const ANSWERS = LIST * 2;
const MOST_AT_ONCE = (ANSWERS - LIST) / 4;
const SUM = ANSWERS + MOST_AT_ONCE * 4;

/** One memory for the vectors of all indexes, as the kernel sees only one. */
export interface VectorMemory {
  /** The address of a page that nobody has. */
  allot(): number;
  free(page: number): void;
  bytes(address: number, length: number): Int8Array;
  /** The query that products are with from now on; it has a multiple of 16 numbers. What products are to be multiplied by. */
  ask(query: Float32Array): number;
  /** Where addresses of vectors are put, at most this many, for `products`. */
  list(): Uint32Array;
  /** Of the query and each of so many vectors of the list; good until the next. */
  products(count: number): Int32Array;
  /** The sum that `add` adds to, from nothing; good until the next, or until the memory grows. */
  sum(length: number): Float32Array;
  add(address: number, length: number, times: number): void;
}

export function createVectorMemory(): VectorMemory {
  const memory = createMemory(MOST_PAGES);
  const kernel = createKernel(memory);
  const free: number[] = [];
  let numbers = 0;

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
    ask(query) {
      let largest = 0;
      for (const value of query) largest = Math.max(largest, Math.abs(value));
      numbers = query.length;
      const by = largest === 0 ? 0 : QUERY_SCALE / largest;
      const kept = new Int16Array(memory.buffer, 0, numbers);
      for (let at = 0; at < numbers; at++) kept[at] = Math.round((query[at] as number) * by);
      return by === 0 ? 0 : 1 / by;
    },
    list: () => new Uint32Array(memory.buffer, LIST, MOST_AT_ONCE),
    products(count) {
      kernel.products(LIST, count, 0, numbers, ANSWERS);
      return new Int32Array(memory.buffer, ANSWERS, count);
    },
    sum: (length) => new Float32Array(memory.buffer, SUM, length).fill(0),
    add: (address, length, times) => kernel.add(address, length, times, SUM),
  };
}
