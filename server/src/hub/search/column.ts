type Numbers = Uint8Array | Uint16Array | Uint32Array | Float32Array;

/** Numbers by row, in an array that grows; beyond its end is nothing. */
export interface Column<T extends Numbers> {
  readonly values: T;
  set(row: number, value: number): void;
}

/** Longer ones grow by smaller steps: little of them is empty. */
const MANY = 65_536;

export function createColumn<T extends Numbers>(
  Kind: new (length: number) => T,
  given = new Kind(64),
): Column<T> {
  let values = given;
  return {
    get values() {
      return values;
    },
    set(row, value) {
      if (row >= values.length) {
        const step = values.length >> (values.length < MANY ? 1 : 3);
        const wider = new Kind(Math.max(row + 1, values.length + step));
        wider.set(values);
        values = wider;
      }
      values[row] = value;
    },
  };
}
