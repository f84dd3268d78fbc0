/** Slots as bits, from byte `from` on: slot `n` is bit `n & 7` of byte `n >> 3`. */
export interface SlotBits {
  readonly from: number;
  readonly bits: Uint8Array;
}

export function bitsOf(slots: readonly number[]): SlotBits {
  let [first, last] = [Number.POSITIVE_INFINITY, -1];
  for (const slot of slots) {
    first = Math.min(first, slot);
    last = Math.max(last, slot);
  }
  const from = slots.length === 0 ? 0 : first >> 3;
  const bits = new Uint8Array((last >> 3) + 1 - from);
  for (const slot of slots) bits[(slot >> 3) - from] = byteOf(bits, (slot >> 3) - from) | (1 << (slot & 7));
  return { from, bits };
}

export function isIn({ from, bits }: SlotBits, slot: number): boolean {
  return (byteOf(bits, (slot >> 3) - from) & (1 << (slot & 7))) !== 0;
}

/** All of these, from the first byte on, where there are so many slots. */
export function together(parts: readonly SlotBits[], slots: number): { bits: Uint8Array; count: number } {
  const all = new Uint8Array((slots + 7) >> 3);
  for (const { from, bits } of parts)
    for (let at = 0; at < bits.length; at++) all[from + at] = byteOf(all, from + at) | byteOf(bits, at);
  let count = 0;
  for (const byte of all) count += ones[byte] as number;
  return { bits: all, count };
}

const byteOf = (bits: Uint8Array, at: number): number => bits[at] ?? 0;

const ones = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length);
