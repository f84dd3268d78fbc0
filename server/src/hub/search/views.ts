import { NO_SLOT, type Rows } from './rows.ts';

/** How many callers' views are kept; what is not is worked out again in less than a millisecond. */
const KEPT = 8;

/** The index as somebody may see it. */
export interface View {
  /** 1 for each row that may be found. */
  readonly marked: Uint8Array;
  /** Those rows, ascending. */
  readonly rows: Uint32Array;
  /** Whether that is every row there is. */
  readonly isWhole: boolean;
  readonly averageLength: number;
  /** In how many of them terms are, as far as that was counted. */
  readonly counts: Map<number, number>;
}

/** Views by permission bits, until the index changes. */
export interface Views {
  of(bits: Uint8Array | null): View;
  clear(): void;
}

export function createViews(rows: Rows): Views {
  let kept: { readonly bits: Uint8Array | null; readonly view: View }[] = [];
  return {
    of(bits) {
      const found = kept.find((entry) => isSame(entry.bits, bits));
      const entry = found ?? { bits, view: viewOf(rows, bits) };
      kept = [entry, ...kept.filter((other) => other !== entry)].slice(0, KEPT);
      return entry.view;
    },
    clear() {
      kept = [];
    },
  };
}

function isSame(one: Uint8Array | null, other: Uint8Array | null): boolean {
  if (one === null || other === null) return one === other;
  return one.length === other.length && Buffer.compare(one, other) === 0;
}

function viewOf(rows: Rows, bits: Uint8Array | null): View {
  const { count, lengths, slots } = rows;
  const marked = new Uint8Array(count);
  let seen = 0;
  let length = 0;
  for (let row = 0; row < count; row++) {
    const slot = slots[row] as number;
    if (slot === NO_SLOT || (bits !== null && (((bits[slot >> 3] ?? 0) >> (slot & 7)) & 1) === 0)) continue;
    marked[row] = 1;
    seen++;
    length += lengths[row] as number;
  }
  const listed = new Uint32Array(seen);
  for (let row = 0, at = 0; at < seen; row++) if (marked[row] === 1) listed[at++] = row;
  return {
    marked,
    rows: listed,
    isWhole: seen === count,
    averageLength: seen === 0 ? 0 : length / seen,
    counts: new Map(),
  };
}
