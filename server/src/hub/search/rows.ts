import { createColumn } from './column.ts';
import { createKeyedRows } from './keyed-rows.ts';
import type { Reading } from './reading.ts';

const NO_SLOT = 0xffff_ffff;

/**
 * Documents in the order in which they came. A slot is a document's place for its whole life; its row is another after each change
 * of it, as postings only grow at their end. Rows that were given up stay until the index is made anew.
 */
export interface Rows {
  /** How many there are, with those given up. */
  readonly count: number;
  readonly live: number;
  add(slot: number, reading: Reading): number;
  giveUp(slot: number): void;
  /** `undefined`: it was given up. */
  slotOf(row: number): number | undefined;
  readonly lengths: Uint32Array;
  readonly orderKeys: Uint32Array;
  /** The same for rows with the same name and description. */
  readonly groups: Uint32Array;
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
  const otherHalves = createColumn(Uint32Array);
  const firstHalves = createColumn(Uint32Array);
  const names = createKeyedRows();
  const twins = createKeyedRows();
  let count = 0;
  let live = 0;

  const giveUp = (slot: number) => {
    const row = (rowOf.values[slot] ?? 0) - 1;
    if (row < 0) return;
    slots.set(row, NO_SLOT);
    rowOf.set(slot, 0);
    live--;
  };
  function* twinsOf(first: number, other: number): Iterable<number> {
    for (const row of twins.of(first)) if (otherHalves.values[row] === other) yield row;
  }
  const groupFor = (row: number, first: number, other: number): number => {
    for (const twin of twinsOf(first, other)) return groups.values[twin] as number;
    return row;
  };

  return {
    get count() {
      return count;
    },
    get live() {
      return live;
    },
    add(slot, { length, nameKeys, twinKey: [first, other], orderKey }) {
      giveUp(slot);
      const row = count++;
      slots.set(row, slot);
      rowOf.set(slot, row + 1);
      live++;
      lengths.set(row, Math.round(length));
      orderKeys.set(row, orderKey);
      groups.set(row, groupFor(row, first, other));
      firstHalves.set(row, first);
      otherHalves.set(row, other);
      twins.add(first, row);
      for (const key of new Set(nameKeys)) names.add(key, row);
      return row;
    },
    giveUp,
    slotOf(row) {
      const slot = slots.values[row];
      return slot === NO_SLOT ? undefined : slot;
    },
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
    twins: (row) => twinsOf(firstHalves.values[row] as number, otherHalves.values[row] as number),
  };
}
