type Numbers = Uint8Array | Uint32Array | Int32Array | Float32Array;

/** Numbers by row, in an array that grows; beyond its end is 0. */
export interface Column<T extends Numbers> {
  readonly values: T;
  set(row: number, value: number): void;
  replace(values: T): void;
}

export function createColumn<T extends Numbers>(Kind: new (length: number) => T): Column<T> {
  let values = new Kind(64);
  return {
    get values() {
      return values;
    },
    set(row, value) {
      if (row >= values.length) {
        const wider = new Kind(Math.max(row + 1, values.length + (values.length >> 1)));
        (wider as Uint8Array).set(values as Uint8Array);
        values = wider;
      }
      values[row] = value;
    },
    replace(given) {
      values = given;
    },
  };
}
