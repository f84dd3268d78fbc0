import { createColumn } from './column.ts';

/** Rows by a key that several may have. */
export interface KeyedRows {
  /** Each row after the one before it. */
  add(row: number): void;
  /** The rows with this key, latest first. */
  of(key: number): Iterable<number>;
}

const least = 64;

/** A hash table of chains, in arrays of numbers. `keyOf`: the key that a row was added with; `expected`: how many are to come at once. */
export function createKeyedRows(keyOf: (row: number) => number, expected = 0): KeyedRows {
  const room = Math.max(expected, least);
  /** The row before in the same chain, and one more: 0 ends it. */
  const before = createColumn(Uint32Array, new Uint32Array(room));
  let heads = new Uint32Array(2 ** Math.ceil(Math.log2(room)));
  let count = 0;

  const chain = (row: number) => {
    const head = keyOf(row) & (heads.length - 1);
    before.set(row, heads[head] as number);
    heads[head] = row + 1;
  };
  return {
    add(row) {
      if (count === heads.length) {
        heads = new Uint32Array(count * 2);
        for (let known = 0; known < count; known++) chain(known);
      }
      chain(row);
      count = row + 1;
    },
    *of(key) {
      for (let next = heads[key & (heads.length - 1)] as number; next > 0; ) {
        const row = next - 1;
        if (keyOf(row) === key) yield row;
        next = before.values[row] as number;
      }
    },
  };
}
