import type { Permitted } from './contract.ts';

/** Documents of which one part tells, when whose the slots are is written down. */
const PART = 10_000;

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
  permit(ids: Iterable<string>): Permitted;
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
      const slot = slotOf.get(id) ?? nextSlot();
      slotOf.set(id, slot);
      hashes.set(id, hash);
      ids[slot] = id;
      return slot;
    },
    take(id) {
      const slot = slotOf.get(id);
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
    permit(wanted) {
      const bits = new Uint8Array((ids.length + 7) >> 3);
      let count = 0;
      for (const id of wanted) {
        const slot = slotOf.get(id);
        if (slot === undefined) continue;
        const bit = 1 << (slot & 7);
        const byte = bits[slot >> 3] as number;
        if ((byte & bit) !== 0) continue;
        bits[slot >> 3] = byte | bit;
        count++;
      }
      return { bits, generation, count };
    },
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
        }
      }
    },
  };
}
