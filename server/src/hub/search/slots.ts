import type { Permitted } from './contract.ts';

interface Entry {
  readonly slot: number;
  readonly hash: string;
}

/** Which document has which slot. A slot that was given up is another's only when the thread has let go of it. */
export interface Slots {
  readonly size: number;
  readonly generation: number;
  known(): ReadonlyMap<string, string>;
  /** The document's slot; a free one if it had none. */
  give(id: string, hash: string): number;
  /** Its slot, which nobody has from now on; `undefined`: it had none. */
  take(id: string): number | undefined;
  free(slots: readonly number[]): void;
  idOf(slot: number): string | undefined;
  permit(ids: Iterable<string>): Permitted;
}

export function createSlots(): Slots {
  const entries = new Map<string, Entry>();
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
      return entries.size;
    },
    get generation() {
      return generation;
    },
    known: () => new Map([...entries].map(([id, { hash }]) => [id, hash])),
    give(id, hash) {
      const slot = entries.get(id)?.slot ?? nextSlot();
      entries.set(id, { slot, hash });
      ids[slot] = id;
      return slot;
    },
    take(id) {
      const entry = entries.get(id);
      if (entry === undefined) return undefined;
      entries.delete(id);
      return entry.slot;
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
        const slot = entries.get(id)?.slot;
        if (slot === undefined) continue;
        const bit = 1 << (slot & 7);
        if (((bits[slot >> 3] as number) & bit) !== 0) continue;
        bits[slot >> 3] = (bits[slot >> 3] as number) | bit;
        count++;
      }
      return { bits, generation, count };
    },
  };
}
