import { type Column, createColumn, numbersOf } from './column.ts';
import { type Piece, pieceOf } from './snapshot.ts';

/** Entries of a segment of the pool; only the first is smaller, until it is full. */
const SEGMENT = 1 << 19;
const FIRST_SEGMENT = 1024;
/** Chunks hold 2, 4, 8 … postings, and from there on so many. */
const LARGEST_CHUNK = 4096;
/** How many postings of a term are in chunks that are smaller. */
const IN_SMALLER_CHUNKS = LARGEST_CHUNK - 2;

/** Which rows a term is in, and how often; rows come in ascending order. */
export interface Postings {
  termOf(stem: string): number | undefined;
  /** Its number from now on. */
  termFor(stem: string): number;
  add(term: number, row: number, frequency: number): void;
  /** Copies those of a term whose row is marked (1); the number of them. */
  collect(term: number, marked: Uint8Array, rows: Uint32Array, frequencies: Uint8Array): number;
  /** The same with other rows (one more than the row; 0: it is left out), which ascend as these do. */
  renumbered(rows: Uint32Array): Postings;
  /** What `unpackPostings` makes it of again. */
  packed(): Piece[];
}

interface Segment {
  readonly rows: Uint32Array;
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
      if (segment === undefined) segments.push(createSegment(SEGMENT));
      else if (end > segment.rows.length) {
        const wider = createSegment(Math.min(SEGMENT, Math.max(end, segment.rows.length * 2)));
        wider.rows.set(segment.rows);
        wider.frequencies.set(segment.frequencies);
        segments[number] = wider;
      }
      return place;
    },
  };
}

/**
 * A term's postings are a chain of chunks, each twice as long as the one before; the first entry of a chunk is the place of the
 * next. Chunks live in a pool of segments: nothing is copied as it grows, and no posting is an object.
 */
export function createPostings(): Postings {
  return postingsOf({
    termOf: new Map(),
    heads: createColumn(Uint32Array),
    tails: createColumn(Uint32Array),
    counts: createColumn(Uint32Array),
    pool: createPool([createSegment(FIRST_SEGMENT)], 0),
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

  const each = (term: number, take: (row: number, frequency: number) => void) => {
    const count = counts.values[term] ?? 0;
    let place = heads.values[term] ?? 0;
    for (let seen = 0; seen < count; ) {
      const { rows, frequencies } = segmentOf(place);
      const from = place % SEGMENT;
      const length = Math.min(count - seen, chunkLength(seen));
      for (let at = from + 1; at <= from + length; at++) take(rows[at] as number, frequencies[at] as number);
      seen += length;
      place = rows[from] as number;
    }
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
      const count = counts.values[term] ?? 0;
      const within = count - chunkStart(count);
      if (within === 0) {
        const place = pool.allot(chunkLength(count) + 1);
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
    renumbered(rows) {
      const others = createPostings();
      for (const [stem, term] of termOf) {
        each(term, (row, frequency) => {
          const other = rows[row] as number;
          if (other > 0) others.add(others.termFor(stem), other - 1, frequency);
        });
      }
      return others;
    },
    packed: () => [
      pieceOf(Buffer.from(JSON.stringify({ used: pool.used, terms: [...termOf.keys()] }))),
      ...[heads, tails, counts].map(({ values }) => pieceOf(values.subarray(0, termOf.size))),
      ...pool.segments.flatMap(({ rows, frequencies }) => [pieceOf(rows), pieceOf(frequencies)]),
    ],
  };
}

export function unpackPostings(pieces: readonly Uint8Array[]): Postings {
  const [facts, heads, tails, counts, ...rest] = pieces as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  const { used, terms } = JSON.parse(Buffer.from(facts).toString()) as { used: number; terms: string[] };
  const segments: Segment[] = [];
  for (let at = 0; at + 1 < rest.length; at += 2) {
    segments.push({ rows: numbersOf(rest[at]), frequencies: Uint8Array.from(rest[at + 1] ?? []) });
  }
  return postingsOf({
    termOf: new Map(terms.map((stem, term) => [stem, term])),
    heads: createColumn(Uint32Array, numbersOf(heads)),
    tails: createColumn(Uint32Array, numbersOf(tails)),
    counts: createColumn(Uint32Array, numbersOf(counts)),
    pool: createPool(segments, used),
  });
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
