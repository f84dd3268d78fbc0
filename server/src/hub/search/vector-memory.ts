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

/** One memory for the vectors of all indexes, as the kernel sees only one. */
export interface VectorMemory {
  /** The address of a page that nobody has. */
  allot(): number;
  free(page: number): void;
  bytes(address: number, length: number): Int8Array;
  /** The query that comparisons are with from now on; it has a multiple of 16 numbers. */
  ask(query: Float32Array): void;
  /** The likeness of the query to each vector at these addresses, before the vector's own scale. */
  compare(addresses: Uint32Array, count: number, into: Float64Array): void;
}

export function createVectorMemory(): VectorMemory {
  const memory = createMemory(MOST_PAGES);
  const kernel = createKernel(memory);
  const free: number[] = [];
  let numbers = 0;
  let scale = 0;

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
      scale = largest / QUERY_SCALE;
      const kept = new Int16Array(memory.buffer, 0, numbers);
      for (let at = 0; at < numbers; at++)
        kept[at] = scale === 0 ? 0 : Math.round((query[at] as number) / scale);
    },
    compare(addresses, count, into) {
      const list = new Uint32Array(memory.buffer, LIST, MOST_AT_ONCE);
      const answers = new Int32Array(memory.buffer, ANSWERS, MOST_AT_ONCE);
      for (let from = 0; from < count; from += MOST_AT_ONCE) {
        const part = Math.min(MOST_AT_ONCE, count - from);
        list.set(addresses.subarray(from, from + part));
        kernel.products(LIST, part, 0, numbers, ANSWERS);
        for (let at = 0; at < part; at++) into[from + at] = (answers[at] as number) * scale;
      }
    },
  };
}
