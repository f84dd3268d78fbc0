import { createColumn } from './column.ts';

/** Entries of a segment of the pool; only the first is smaller, until it is full. */
const SEGMENT = 1 << 19;
const FIRST_SEGMENT = 1024;
/** Chunks hold 2, 4, 8 … postings, and from there on so many. */
const LARGEST_CHUNK = 4096;
/** How many postings of a term are in chunks that are smaller. */
const IN_SMALLER_CHUNKS = LARGEST_CHUNK - 2;

/** Which rows a term is in, and how often; rows come in ascending order. */
export interface Postings {
  readonly terms: number;
  termOf(stem: string): number | undefined;
  add(stem: string, row: number, frequency: number): void;
  /** Copies those of a term whose row is marked (1); the number of them. */
  collect(term: number, marked: Uint8Array, rows: Uint32Array, frequencies: Uint8Array): number;
}

interface Segment {
  readonly rows: Uint32Array;
  readonly frequencies: Uint8Array;
}

/**
 * A term's postings are a chain of chunks, each twice as long as the one before; the first entry of a chunk is the place of the
 * next. Chunks live in a pool of segments: nothing is copied as it grows, and no posting is an object.
 */
export function createPostings(): Postings {
  const termOf = new Map<string, number>();
  const heads = createColumn(Uint32Array);
  const tails = createColumn(Uint32Array);
  const counts = createColumn(Uint32Array);
  const segments = [createSegment(FIRST_SEGMENT)];
  let used = 0;

  const segmentOf = (place: number): Segment => segments[Math.floor(place / SEGMENT)] as Segment;

  /** The place of so many free entries in a row. */
  const allot = (entries: number): number => {
    const rest = SEGMENT - (used % SEGMENT);
    if (entries > rest) used += rest;
    const place = used;
    used += entries;
    const number = Math.floor(place / SEGMENT);
    const end = (place % SEGMENT) + entries;
    const segment = segments[number];
    if (segment === undefined) segments.push(createSegment(SEGMENT));
    else if (end > segment.rows.length) {
      const wider = createSegment(Math.min(SEGMENT, Math.max(end, segment.rows.length * 2)));
      wider.rows.set(segment.rows);
      wider.frequencies.set(segment.frequencies);
      segments[number] = wider;
    }
    return place;
  };

  const termAt = (stem: string): number => {
    const found = termOf.get(stem);
    if (found !== undefined) return found;
    termOf.set(stem, termOf.size);
    return termOf.size - 1;
  };

  return {
    get terms() {
      return termOf.size;
    },
    termOf: (stem) => termOf.get(stem),
    add(stem, row, frequency) {
      const term = termAt(stem);
      const count = counts.values[term] ?? 0;
      const within = count - chunkStart(count);
      if (within === 0) {
        const place = allot(chunkLength(count) + 1);
        if (count === 0) heads.set(term, place);
        else {
          const tail = tails.values[term] ?? 0;
          segmentOf(tail).rows[tail % SEGMENT] = place;
        }
        tails.set(term, place);
      }
      const tail = tails.values[term] ?? 0;
      const segment = segmentOf(tail);
      const at = (tail % SEGMENT) + 1 + within;
      segment.rows[at] = row;
      segment.frequencies[at] = frequency;
      counts.set(term, count + 1);
    },
    collect(term, marked, rows, frequencies) {
      const count = counts.values[term] ?? 0;
      let place = heads.values[term] ?? 0;
      let taken = 0;
      for (let seen = 0; seen < count; ) {
        const segment = segmentOf(place);
        const from = place % SEGMENT;
        const length = Math.min(count - seen, chunkLength(seen));
        for (let at = from + 1; at <= from + length; at++) {
          const row = segment.rows[at] as number;
          if (marked[row] === 1) {
            rows[taken] = row;
            frequencies[taken++] = segment.frequencies[at] as number;
          }
        }
        seen += length;
        place = segment.rows[from] as number;
      }
      return taken;
    },
  };
}

const createSegment = (length: number): Segment => ({
  rows: new Uint32Array(length),
  frequencies: new Uint8Array(length),
});

/** The length of the chunk that posting `n` of a term is in. */
function chunkLength(n: number): number {
  return n < IN_SMALLER_CHUNKS ? 1 << (31 - Math.clz32(n + 2)) : LARGEST_CHUNK;
}

/** The first posting of the chunk that posting `n` of a term is in. */
function chunkStart(n: number): number {
  if (n < IN_SMALLER_CHUNKS) return chunkLength(n) - 2;
  return n - ((n - IN_SMALLER_CHUNKS) % LARGEST_CHUNK);
}
