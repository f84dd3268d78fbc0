import type { Named, Permitted } from './contract.ts';
import { createIdTable } from './id-table.ts';
import { createNamings } from './namings.ts';
import { together } from './slot-bits.ts';
import { createSlotHashes } from './slot-hashes.ts';

/** Which document has which slot. A slot that was given up is another's only when the thread has let go of it. */
export interface Slots {
  readonly size: number;
  readonly generation: number;
  /** Whether a document with this id has a slot, and this hash. */
  has(id: string, hash: string): boolean;
  ids(): Iterable<string>;
  /** The document's slot; a free one if it had none. */
  give(id: string, hash: string): number;
  /** Its slot, which nobody has from now on; `undefined`: it had none. */
  take(id: string): number | undefined;
  free(slots: readonly number[]): void;
  idOf(slot: number): string | undefined;
  named(ids: Iterable<string>): Named;
  isCurrent(named: Named): boolean;
  isTrue(named: Named): boolean;
  permitted(named: readonly Named[]): Permitted;
  /** Whose the slots are, a piece at a time, and from it again into those that are empty. */
  packed(): Iterable<PackedSlots>;
  unpack(part: PackedSlots): void;
}

/** Ids of slots that follow each other, a line each; an empty one is nobody's. */
export interface PackedSlots {
  readonly ids: Uint8Array;
  readonly hashes: Uint32Array;
}

/** Slots of which one piece tells. */
const PIECE = 5000;
/** No id has it. */
const BETWEEN = '\n';

export function createSlots(): Slots {
  const ids: (string | undefined)[] = [];
  const slotOf = createIdTable((slot) => ids[slot]);
  const hashes = createSlotHashes();
  const unused: number[] = [];
  let generation = 0;
  const namings = createNamings();

  const nextSlot = (): number => {
    if (unused.length > 0) generation++;
    return unused.pop() ?? ids.length;
  };
  return {
    get size() {
      return slotOf.size;
    },
    get generation() {
      return generation;
    },
    has(id, hash) {
      const slot = slotOf.find(id);
      if (slot === undefined) return false;
      // The caller's text of it is in memory anyway: one of another's need not be.
      ids[slot] = id;
      return hashes.is(slot, hash);
    },
    *ids() {
      for (const [slot, id] of ids.entries()) if (id !== undefined && slotOf.find(id) === slot) yield id;
    },
    give(id, hash) {
      let slot = slotOf.find(id);
      if (slot === undefined) {
        slot = nextSlot();
        ids[slot] = id;
        slotOf.add(id, slot);
        namings.came();
      }
      ids[slot] = id;
      hashes.set(slot, hash);
      return slot;
    },
    take(id) {
      const slot = slotOf.remove(id);
      if (slot !== undefined) namings.went(slot);
      return slot;
    },
    free(slots) {
      for (const slot of slots) {
        ids[slot] = undefined;
        unused.push(slot);
      }
    },
    idOf: (slot) => ids[slot],
    named(wanted) {
      const slots: number[] = [];
      let missing = 0;
      for (const id of wanted) {
        const slot = slotOf.find(id) ?? -1;
        if (slot >= 0) slots.push(slot);
        else missing++;
      }
      return namings.of(slots, missing);
    },
    isCurrent: namings.isCurrent,
    isTrue: namings.isTrue,
    permitted: (named) => ({
      ...together(named, ids.length),
      generation,
      missing: named.reduce((sum, { missing }) => sum + missing, 0),
    }),
    *packed() {
      for (let from = 0; from < ids.length; from += PIECE) {
        const part = ids.slice(from, from + PIECE);
        yield {
          ids: Buffer.from(part.map((id) => id ?? '').join(BETWEEN)),
          hashes: hashes.packed(from, from + part.length),
        };
      }
    },
    unpack(part) {
      const given = new TextDecoder().decode(part.ids).split(BETWEEN);
      const first = ids.length;
      hashes.unpack(first, part.hashes);
      for (const [at, id] of given.entries()) {
        ids.push(id === '' ? undefined : id);
        if (id === '') unused.push(first + at);
        else {
          slotOf.add(id, first + at);
          namings.came();
        }
      }
    },
  };
}
