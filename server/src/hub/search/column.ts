type Numbers = Uint8Array | Uint32Array | Float32Array;

/** Numbers by row, in an array that grows; beyond its end is nothing. */
export interface Column<T extends Numbers> {
  readonly values: T;
  set(row: number, value: number): void;
}

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
        const wider = new Kind(Math.max(row + 1, values.length + (values.length >> 1)));
        wider.set(values);
        values = wider;
      }
      values[row] = value;
    },
  };
}

/** A copy, as bytes in a file lie where they lie. */
export function numbersOf(bytes: Uint8Array = new Uint8Array()): Uint32Array {
  return new Uint32Array(Uint8Array.from(bytes).buffer);
}
