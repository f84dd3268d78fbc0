/** Two numbers of a hash are kept. */
const HALVES = 2;
const FIRST = 0x01000193;
const OTHER = 0x5bd1e995;

/** The hashes of documents, by their slots. */
export interface SlotHashes {
  set(slot: number, hash: string): void;
  is(slot: number, hash: string): boolean;
  /** Those of some slots, as `unpack` puts them there. */
  packed(from: number, to: number): Uint32Array;
  unpack(from: number, hashes: Uint32Array): void;
}

export function createSlotHashes(): SlotHashes {
  let hashes = new Uint32Array(64);
  const makeRoom = (slots: number) => {
    if (slots * HALVES <= hashes.length) return;
    const wider = new Uint32Array(Math.max(slots * HALVES, hashes.length + (hashes.length >> 2)));
    wider.set(hashes);
    hashes = wider;
  };
  return {
    set(slot, hash) {
      makeRoom(slot + 1);
      hashes[slot * HALVES] = foldOf(hash, FIRST);
      hashes[slot * HALVES + 1] = foldOf(hash, OTHER);
    },
    is: (slot, hash) =>
      hashes[slot * HALVES] === foldOf(hash, FIRST) && hashes[slot * HALVES + 1] === foldOf(hash, OTHER),
    packed: (from, to) => hashes.slice(from * HALVES, to * HALVES),
    unpack(from, given) {
      makeRoom(from + given.length / HALVES);
      hashes.set(given, from * HALVES);
    },
  };
}

/** Half of what a text comes to: by one multiplier or the other. */
function foldOf(text: string, multiplier: number): number {
  let fold = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) fold = Math.imul(fold ^ text.charCodeAt(at), multiplier);
  fold = Math.imul(fold ^ (fold >>> 15), 0x85ebca6b);
  return (fold ^ (fold >>> 13)) >>> 0;
}
