import { createColumn } from './column.ts';
import { createKeyedRows } from './keyed-rows.ts';
import type { DocumentKeys } from './reading.ts';

const NO_SLOT = 0xffff_ffff;

/**
 * Documents in the order in which they came. A slot is a document's place for its whole life; its row is another after each change
 * of it, as postings only grow at their end. Rows that were given up stay until all are packed.
 */
export interface Rows {
  /** How many there are, with those given up. */
  readonly count: number;
  readonly live: number;
  /** The row of a slot's document from now on. */
  add(slot: number, keys: DocumentKeys): number;
  giveUp(slot: number): void;
  /** `undefined`: it was given up. */
  slotOf(row: number): number | undefined;
  keysOf(row: number): DocumentKeys;
  readonly lengths: Uint32Array;
  readonly orderKeys: Uint32Array;
  /** The same for rows with the same name and description. */
  readonly groups: Uint32Array;
  /** Rows with this name, alone or with its namespace; given up or not. */
  named(key: number): Iterable<number>;
  /** Those of its group, given up or not. */
  twins(row: number): Iterable<number>;
}

export function createRows(): Rows {
  const slots = createColumn(Uint32Array);
  /** One more than the row: 0 is none. */
  const rowOf = createColumn(Uint32Array);
  const lengths = createColumn(Uint32Array);
  const orderKeys = createColumn(Uint32Array);
  const groups = createColumn(Uint32Array);
  const nameKeys = createColumn(Uint32Array);
  const fullNameKeys = createColumn(Uint32Array);
  const firstHalves = createColumn(Uint32Array);
  const otherHalves = createColumn(Uint32Array);
  const names = createKeyedRows();
  const firsts = createKeyedRows();
  let count = 0;
  let live = 0;

  const giveUp = (slot: number) => {
    const row = (rowOf.values[slot] ?? 0) - 1;
    if (row < 0) return;
    slots.set(row, NO_SLOT);
    rowOf.set(slot, 0);
    live--;
  };
  function* withKey([first, other]: DocumentKeys['twinKey']): Iterable<number> {
    for (const row of firsts.of(first)) if (otherHalves.values[row] === other) yield row;
  }
  const twinKeyOf = (row: number) =>
    [firstHalves.values[row] as number, otherHalves.values[row] as number] as const;
  const groupFor = (row: number, key: DocumentKeys['twinKey']): number => {
    for (const twin of withKey(key)) return groups.values[twin] as number;
    return row;
  };

  return {
    get count() {
      return count;
    },
    get live() {
      return live;
    },
    add(slot, { length, nameKey, fullNameKey, twinKey, orderKey }) {
      giveUp(slot);
      const row = count++;
      live++;
      slots.set(row, slot);
      rowOf.set(slot, row + 1);
      lengths.set(row, length);
      orderKeys.set(row, orderKey);
      nameKeys.set(row, nameKey);
      fullNameKeys.set(row, fullNameKey);
      groups.set(row, groupFor(row, twinKey));
      firstHalves.set(row, twinKey[0]);
      otherHalves.set(row, twinKey[1]);
      firsts.add(twinKey[0], row);
      names.add(nameKey, row);
      names.add(fullNameKey, row);
      return row;
    },
    giveUp,
    slotOf(row) {
      const slot = slots.values[row];
      return slot === NO_SLOT ? undefined : slot;
    },
    keysOf: (row) => ({
      length: lengths.values[row] as number,
      nameKey: nameKeys.values[row] as number,
      fullNameKey: fullNameKeys.values[row] as number,
      twinKey: twinKeyOf(row),
      orderKey: orderKeys.values[row] as number,
    }),
    get lengths() {
      return lengths.values;
    },
    get orderKeys() {
      return orderKeys.values;
    },
    get groups() {
      return groups.values;
    },
    named: (key) => names.of(key),
    twins: (row) => withKey(twinKeyOf(row)),
  };
}

/** Numbers of a row in a table of `packedRows`. */
const PACKED = 7;

/** All rows in one table of numbers; `rows` has none that was given up. */
export function packedRows(rows: Rows): Uint32Array {
  const table = new Uint32Array(rows.count * PACKED);
  for (let row = 0; row < rows.count; row++) {
    const { length, nameKey, fullNameKey, twinKey, orderKey } = rows.keysOf(row);
    table.set(
      [rows.slotOf(row) ?? NO_SLOT, length, nameKey, fullNameKey, ...twinKey, orderKey],
      row * PACKED,
    );
  }
  return table;
}

export function unpackRows(table: Uint32Array): Rows {
  const rows = createRows();
  for (let at = 0; at + PACKED <= table.length; at += PACKED) {
    const [slot, length, nameKey, fullNameKey, first, other, orderKey] = table.subarray(
      at,
      at + PACKED,
    ) as unknown as [...[number, number, number, number, number, number, number]];
    rows.add(slot, { length, nameKey, fullNameKey, twinKey: [first, other], orderKey });
  }
  return rows;
}
