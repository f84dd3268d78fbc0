import { type Column, createColumn } from './column.ts';
import { type Piece, pieceOf, readNumbers, type SnapshotReader } from './snapshot.ts';

/** Entries of a segment of the pool; only the first and the last may be smaller, until they are full. */
const SEGMENT = 1 << 19;
const FIRST_SEGMENT = 1024;
/** Chunks hold a power of two of postings, as many as half of those before them, but at least and at most so many. */
const SMALLEST_CHUNK = 2;
export const LARGEST_CHUNK = 1024;
/** Before the postings of a chunk: the place of the next in two halves, its block, and how many it has; the logarithm of its room. */
const HEAD = 4;
const [NEXT, NEXT_HIGH, BLOCK, USED] = [0, 1, 2, 3] as const;
/** Rows of a block differ in their lower half alone. */
const BLOCK_BITS = 16;

/**
 * Postings from one place to before another: the lower half of each row, to which `base` is to be added, and how often it is there. They
 * are other ones when it returns.
 */
export type TakePostings = (
  lows: Uint16Array,
  frequencies: Uint8Array,
  from: number,
  to: number,
  base: number,
) => void;

/** Which rows a term is in, and how often; rows come in ascending order. */
export interface Postings {
  termOf(stem: string): number | undefined;
  /** Its number from now on. */
  termFor(stem: string): number;
  add(term: number, row: number, frequency: number): void;
  countOf(term: number): number;
  /** Calls `take` with those of a term in pieces, of at most `LARGEST_CHUNK`. */
  each(term: number, take: TakePostings): void;
  /** The same with other rows (one more than the row; 0: it is left out), which ascend as these do. */
  renumbered(rows: Uint32Array): Postings;
  /** What `unpackPostings` makes it of again. */
  packed(): Piece[];
}

interface Segment {
  readonly lows: Uint16Array;
  readonly frequencies: Uint8Array;
}

/** Places for entries, which are never given back; a place is a number over all segments. */
interface Pool {
  readonly segments: readonly Segment[];
  readonly used: number;
  /** The place of so many free entries in a row. */
  allot(entries: number): number;
  segmentOf(place: number): Segment;
}

function createPool(segments: Segment[], usedBefore: number): Pool {
  let used = usedBefore;
  return {
    segments,
    get used() {
      return used;
    },
    segmentOf: (place) => segments[Math.floor(place / SEGMENT)] as Segment,
    allot(entries) {
      const rest = SEGMENT - (used % SEGMENT);
      if (entries > rest) used += rest;
      const place = used;
      used += entries;
      const number = Math.floor(place / SEGMENT);
      const end = (place % SEGMENT) + entries;
      const segment = segments[number];
      if (segment === undefined) segments.push(createSegment(number === 0 ? FIRST_SEGMENT : SEGMENT));
      else if (end > segment.lows.length) segments[number] = widened(segment, end);
      return place;
    },
  };
}

function widened({ lows, frequencies }: Segment, end: number): Segment {
  const wider = createSegment(Math.min(SEGMENT, Math.max(end, lows.length + (lows.length >> 1))));
  wider.lows.set(lows);
  wider.frequencies.set(frequencies);
  return wider;
}

/**
 * A term's postings are a chain of chunks, each as long as half of what is before it. Chunks live in a pool of segments: nothing is
 * copied as it grows, and no posting is an object.
 */
export function createPostings(): Postings {
  return postingsOf({
    termOf: new Map(),
    heads: createColumn(Uint32Array),
    tails: createColumn(Uint32Array),
    counts: createColumn(Uint32Array),
    pool: createPool([], 0),
  });
}

interface Kept {
  readonly termOf: Map<string, number>;
  /** By term: its first chunk, its last one, and how many postings it has. */
  readonly heads: Column<Uint32Array>;
  readonly tails: Column<Uint32Array>;
  readonly counts: Column<Uint32Array>;
  readonly pool: Pool;
}

function postingsOf(kept: Kept): Postings {
  const { termOf, heads, tails, counts, pool } = kept;
  const { segmentOf } = pool;

  const each = (term: number, take: TakePostings) => {
    const count = counts.values[term] ?? 0;
    let place = heads.values[term] ?? 0;
    for (let seen = 0; seen < count; ) {
      const { lows, frequencies } = segmentOf(place);
      const at = place % SEGMENT;
      const used = lows[at + USED] as number;
      take(lows, frequencies, at + HEAD, at + HEAD + used, (lows[at + BLOCK] as number) << BLOCK_BITS);
      seen += used;
      place = ((lows[at + NEXT] as number) | ((lows[at + NEXT_HIGH] as number) << 16)) >>> 0;
    }
  };
  /** Where the next posting of a term is to be written: in its last chunk, or in one that follows it. */
  const chunkFor = (term: number, block: number): number => {
    const count = counts.values[term] ?? 0;
    const tail = tails.values[term] ?? 0;
    if (count > 0) {
      const { lows, frequencies } = segmentOf(tail);
      const at = tail % SEGMENT;
      const hasRoom = (lows[at + USED] as number) < 1 << (frequencies[at] as number);
      if (hasRoom && lows[at + BLOCK] === block) return tail;
    }
    const bits = roomAfter(count);
    const place = pool.allot(HEAD + (1 << bits));
    if (count === 0) heads.set(term, place);
    else {
      const { lows } = segmentOf(tail);
      const at = tail % SEGMENT;
      lows[at + NEXT] = place & 0xffff;
      lows[at + NEXT_HIGH] = place >>> 16;
    }
    tails.set(term, place);
    const { lows, frequencies } = segmentOf(place);
    lows[(place % SEGMENT) + BLOCK] = block;
    frequencies[place % SEGMENT] = bits;
    return place;
  };

  return {
    termOf: (stem) => termOf.get(stem),
    termFor(stem) {
      const found = termOf.get(stem);
      if (found !== undefined) return found;
      termOf.set(stem, termOf.size);
      return termOf.size - 1;
    },
    add(term, row, frequency) {
      const chunk = chunkFor(term, row >>> BLOCK_BITS);
      const { lows, frequencies } = segmentOf(chunk);
      const at = chunk % SEGMENT;
      const used = lows[at + USED] as number;
      lows[at + HEAD + used] = row & 0xffff;
      frequencies[at + HEAD + used] = frequency;
      lows[at + USED] = used + 1;
      counts.set(term, (counts.values[term] ?? 0) + 1);
    },
    countOf: (term) => counts.values[term] ?? 0,
    each,
    renumbered(rows) {
      const others = createPostings();
      for (const [stem, term] of termOf) {
        each(term, (lows, frequencies, from, to, base) => {
          for (let at = from; at < to; at++) {
            const other = rows[base + (lows[at] as number)] as number;
            if (other > 0) others.add(others.termFor(stem), other - 1, frequencies[at] as number);
          }
        });
      }
      return others;
    },
    packed: () => [
      pieceOf(Buffer.from(JSON.stringify({ used: pool.used, terms: [...termOf.keys()] }))),
      ...[heads, tails, counts].map(({ values }) => pieceOf(values.subarray(0, termOf.size))),
      ...pool.segments.flatMap(({ lows, frequencies }, number) => {
        const used = Math.min(lows.length, pool.used - number * SEGMENT);
        return [pieceOf(lows.subarray(0, used)), pieceOf(frequencies.subarray(0, used))];
      }),
    ],
  };
}

export async function unpackPostings(from: SnapshotReader): Promise<Postings> {
  const [facts = 0, ...lengths] = from.lengths('postings');
  const said = await readNumbers(from, Uint8Array, facts);
  const { used, terms } = JSON.parse(Buffer.from(said).toString()) as { used: number; terms: string[] };
  const columns: Uint32Array[] = [];
  for (const length of lengths.splice(0, 3)) columns.push(await readNumbers(from, Uint32Array, length));
  const [heads, tails, counts] = columns;
  const segments: Segment[] = [];
  for (let at = 0; at + 1 < lengths.length; at += 2) {
    segments.push({
      lows: await readNumbers(from, Uint16Array, lengths[at] as number),
      frequencies: await readNumbers(from, Uint8Array, lengths[at + 1] as number),
    });
  }
  return postingsOf({
    termOf: new Map(terms.map((stem, term) => [stem, term])),
    heads: createColumn(Uint32Array, heads),
    tails: createColumn(Uint32Array, tails),
    counts: createColumn(Uint32Array, counts),
    pool: createPool(segments, used),
  });
}

const createSegment = (length: number): Segment => ({
  lows: new Uint16Array(length),
  frequencies: new Uint8Array(length),
});

/** The logarithm of the room of the chunk that follows so many postings. */
function roomAfter(count: number): number {
  const half = Math.min(LARGEST_CHUNK, Math.max(SMALLEST_CHUNK, count >> 1));
  return 31 - Math.clz32(half);
}
