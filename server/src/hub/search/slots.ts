import type { Named, Permitted } from './contract.ts';
import { bitsOf, isIn, together } from './slot-bits.ts';

/** Documents of which one part tells, when whose the slots are is written down. */
const PART = 10_000;
/** So many slots that were given up last are remembered; what was named before them is named again. */
const REMEMBERED = 65_536;

/** Which document has which slot. A slot that was given up is another's only when the thread has let go of it. */
export interface Slots {
  readonly size: number;
  readonly generation: number;
  /** Ids with their hashes, as they are at any moment. */
  known(): ReadonlyMap<string, string>;
  /** The document's slot; a free one if it had none. */
  give(id: string, hash: string): number;
  /** Its slot, which nobody has from now on; `undefined`: it had none. */
  take(id: string): number | undefined;
  free(slots: readonly number[]): void;
  idOf(slot: number): string | undefined;
  named(ids: Iterable<string>): Named;
  isCurrent(named: Named): boolean;
  permitted(named: readonly Named[]): Permitted;
  /** Whose the slots are, in parts, as texts; and from them again, one by one. */
  packed(): Iterable<string>;
  unpack(part: string): void;
}

export function createSlots(): Slots {
  const slotOf = new Map<string, number>();
  const hashes = new Map<string, string>();
  const ids: (string | undefined)[] = [];
  const unused: number[] = [];
  let generation = 0;
  /** How many ids were given a slot, and how many gave theirs up: the last of those slots. */
  let came = 0;
  let went = 0;
  const givenUp = new Uint32Array(REMEMBERED);

  const nextSlot = (): number => {
    const slot = unused.pop();
    if (slot === undefined) return ids.length;
    generation++;
    return slot;
  };
  return {
    get size() {
      return slotOf.size;
    },
    get generation() {
      return generation;
    },
    known: () => hashes,
    give(id, hash) {
      let slot = slotOf.get(id);
      if (slot === undefined) {
        slot = nextSlot();
        slotOf.set(id, slot);
        came++;
      }
      hashes.set(id, hash);
      ids[slot] = id;
      return slot;
    },
    take(id) {
      const slot = slotOf.get(id);
      if (slot !== undefined) givenUp[went++ % REMEMBERED] = slot;
      slotOf.delete(id);
      hashes.delete(id);
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
      let count = 0;
      for (const id of wanted) {
        count++;
        const slot = slotOf.get(id);
        if (slot !== undefined) slots.push(slot);
      }
      return { ...bitsOf(slots), came, went, isWhole: slots.length === count };
    },
    isCurrent(named) {
      if ((!named.isWhole && named.came !== came) || went - named.went > REMEMBERED) return false;
      for (let at = named.went; at < went; at++)
        if (isIn(named, givenUp[at % REMEMBERED] as number)) return false;
      return true;
    },
    permitted: (named) => ({ ...together(named, ids.length), generation }),
    *packed() {
      for (let from = 0; from < ids.length; from += PART) {
        const part = ids.slice(from, from + PART);
        yield JSON.stringify(part.map((id) => (id === undefined ? null : [id, hashes.get(id)])));
      }
    },
    unpack(part) {
      for (const entry of JSON.parse(part) as readonly ([string, string] | null)[]) {
        const slot = ids.length;
        ids.push(entry?.[0]);
        if (entry === null) unused.push(slot);
        else {
          slotOf.set(entry[0], slot);
          hashes.set(entry[0], entry[1]);
          came++;
        }
      }
    },
  };
}
