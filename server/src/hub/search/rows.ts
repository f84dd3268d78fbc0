import { type Column, createColumn } from './column.ts';
import { createKeyedRows } from './keyed-rows.ts';
import type { DocumentKeys } from './reading.ts';
import { type Piece, pieceOf, readNumbers, type SnapshotReader } from './snapshot.ts';

export const NO_SLOT = 0xffff_ffff;

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
  /** By row; `NO_SLOT`: it was given up. */
  readonly slots: Uint32Array;
  keysOf(row: number): DocumentKeys;
  readonly lengths: Uint32Array;
  readonly orderKeys: Uint32Array;
  /** The same for rows with the same name and description. */
  readonly groups: Uint32Array;
  /** Rows with this name, alone or with its namespace; given up or not. */
  named(key: number): Iterable<number>;
  /** Those of its group, given up or not. */
  twins(row: number): Iterable<number>;
  /** What `unpackRows` makes them of again, where none was given up. */
  packed(): Piece[];
}

/** What is known of each row, in the order in which it is kept. */
const kinds = [
  'slots',
  'lengths',
  'orderKeys',
  'groups',
  'nameKeys',
  'fullNameKeys',
  'firstHalves',
  'otherHalves',
] as const;

type Table = Readonly<Record<(typeof kinds)[number], Column<Uint32Array>>>;

export function createRows(): Rows {
  return rowsOf(Object.fromEntries(kinds.map((kind) => [kind, createColumn(Uint32Array)])) as Table);
}

/** Of a table that has so many rows, none of them given up. */
function rowsOf(table: Table, given = 0): Rows {
  const { slots, lengths, orderKeys, groups, nameKeys, fullNameKeys, firstHalves, otherHalves } = table;
  /** One more than the row: 0 is none. */
  const rowOf = createColumn(Uint32Array, new Uint32Array(Math.max(given, 64)));
  const keyedBy = (keys: Column<Uint32Array>) => createKeyedRows((row) => keys.values[row] as number, given);
  const names = keyedBy(nameKeys);
  const fullNames = keyedBy(fullNameKeys);
  const firsts = keyedBy(firstHalves);
  let count = 0;
  let live = 0;

  const list = (row: number) => {
    rowOf.set(slots.values[row] as number, row + 1);
    for (const keyed of [names, fullNames, firsts]) keyed.add(row);
    count++;
    live++;
  };
  while (count < given) list(count);

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
      const row = count;
      slots.set(row, slot);
      lengths.set(row, length);
      orderKeys.set(row, orderKey);
      nameKeys.set(row, nameKey);
      fullNameKeys.set(row, fullNameKey);
      groups.set(row, groupFor(row, twinKey));
      firstHalves.set(row, twinKey[0]);
      otherHalves.set(row, twinKey[1]);
      list(row);
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
    get slots() {
      return slots.values;
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
    *named(key) {
      yield* names.of(key);
      yield* fullNames.of(key);
    },
    twins: (row) => withKey(twinKeyOf(row)),
    packed: () => kinds.map((kind) => pieceOf(table[kind].values.subarray(0, count))),
  };
}

export async function unpackRows(from: SnapshotReader): Promise<Rows> {
  const columns: [string, Column<Uint32Array>][] = [];
  const lengths = from.lengths('rows');
  for (const [at, kind] of kinds.entries())
    columns.push([kind, createColumn(Uint32Array, await readNumbers(from, Uint32Array, lengths[at] ?? 0))]);
  const table = Object.fromEntries(columns) as Table;
  return rowsOf(table, table.slots.values.length);
}
