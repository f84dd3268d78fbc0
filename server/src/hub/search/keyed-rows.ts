import { createColumn } from './column.ts';

/** Rows by a key that several may have. */
export interface KeyedRows {
  add(key: number, row: number): void;
  /** The rows with this key, latest first. */
  of(key: number): Iterable<number>;
}

/** A hash table of chains, in arrays of numbers. */
export function createKeyedRows(): KeyedRows {
  const keys = createColumn(Uint32Array);
  const rows = createColumn(Uint32Array);
  /** The entry before in the same chain, and one more: 0 ends it. */
  const before = createColumn(Uint32Array);
  let heads = new Uint32Array(64);
  let count = 0;

  const chain = (entry: number) => {
    const head = (keys.values[entry] as number) & (heads.length - 1);
    before.set(entry, heads[head] as number);
    heads[head] = entry + 1;
  };
  return {
    add(key, row) {
      if (count === heads.length) {
        heads = new Uint32Array(count * 2);
        for (let entry = 0; entry < count; entry++) chain(entry);
      }
      keys.set(count, key);
      rows.set(count, row);
      chain(count++);
    },
    *of(key) {
      for (let next = heads[key & (heads.length - 1)] as number; next > 0; ) {
        const entry = next - 1;
        if (keys.values[entry] === key) yield rows.values[entry] as number;
        next = before.values[entry] as number;
      }
    },
  };
}
