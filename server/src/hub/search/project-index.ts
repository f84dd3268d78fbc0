import { createColumn } from './column.ts';
import type { SearchDocument } from './contract.ts';
import { MAX_DIMENSIONS } from './kernel.ts';
import { createPostings, type Postings, unpackPostings } from './postings.ts';
import { createRanking } from './ranking.ts';
import type { Reader } from './reading.ts';
import { createRows, type Rows, unpackRows } from './rows.ts';
import { pieceOf, readNumbers, type Snapshot, type SnapshotReader } from './snapshot.ts';
import type { VectorMemory } from './vector-memory.ts';
import { createVectors, type Vectors } from './vectors.ts';
import { createViews } from './views.ts';
import { createWordScores, keptFrequency } from './word-scores.ts';

/** Rows that were given up stay until they are this many, and half as many as the rest. */
const FEW = 1024;

export interface Placed {
  readonly slot: number;
  readonly document: SearchDocument;
}

export interface SlotQuery {
  readonly text: string;
  readonly bits: Uint8Array | null;
  readonly limit: number;
  readonly vector: Float32Array | null;
  /** Of `vector`, against words. */
  readonly weight?: number | undefined;
}

export interface SlotHit {
  readonly slot: number;
  readonly score: number;
  readonly alike: readonly number[];
}

/** One project's documents, by slots: whose they are is known outside. */
export interface ProjectIndex {
  put(documents: readonly Placed[]): void;
  remove(slots: readonly number[]): void;
  search(query: SlotQuery): SlotHit[];
  /** What `unpack` fills an empty one with; it must not change until that is written. */
  packed(): Snapshot['sections'];
  /** `false`: what was read is not what was written, and it is as empty as before. */
  unpack(from: SnapshotReader): Promise<boolean>;
  release(): void;
}

export function createProjectIndex(reader: Reader, memory: VectorMemory, dimensions: number): ProjectIndex {
  let builtIn = createVectors(memory, dimensions);
  /** Of a configured model; made when the first comes. */
  let hosted: Vectors | null = null;
  let { rows, postings, termOf, views, rank } = partsOf(createRows(), createPostings(), builtIn);

  const putHosted = (row: number, vector: Float32Array) => {
    if (hosted?.dimensions !== vector.length) {
      hosted?.release();
      hosted = createVectors(memory, vector.length);
    }
    hosted.set(row, vector);
  };
  const put = ({ slot, document }: Placed) => {
    const reading = reader.document(document);
    const row = rows.add(slot, reading);
    for (const { stem, number, times } of reading.stems)
      postings.add(termOf(stem, number), row, keptFrequency(times));
    builtIn.set(row, reading.vector);
    if (isUsable(document.vector)) putHosted(row, document.vector);
  };
  /** Leaves out what was given up. */
  const pack = () => {
    const numbers = new Uint32Array(rows.count);
    const packed = createRows();
    for (let row = 0; row < rows.count; row++) {
      const slot = rows.slotOf(row);
      if (slot !== undefined) numbers[row] = packed.add(slot, rows.keysOf(row)) + 1;
    }
    builtIn.renumber(numbers);
    hosted?.renumber(numbers);
    ({ rows, postings, termOf, views, rank } = partsOf(packed, postings.renumbered(numbers), builtIn));
  };
  const settle = () => {
    const givenUp = rows.count - rows.live;
    if (givenUp > FEW && givenUp > rows.live / 2) pack();
    views.clear();
  };

  return {
    put(documents) {
      for (const placed of documents) put(placed);
      settle();
    },
    remove(slots) {
      for (const slot of slots) rows.giveUp(slot);
      settle();
    },
    search({ text, bits, limit, vector, weight }) {
      const view = views.of(bits);
      if (view.rows.length === 0) return [];
      const asked =
        isUsable(vector) && hosted?.dimensions === vector.length ? { vector, vectors: hosted, weight } : null;
      const ranked = rank({ ...reader.query(text), hosted: asked }, view, limit);
      return ranked.map(({ row, score, alike }) => ({
        slot: rows.slotOf(row) as number,
        score,
        alike: alike.map((twin) => rows.slotOf(twin) as number),
      }));
    },
    packed() {
      if (rows.live < rows.count) pack();
      return {
        rows: rows.packed(),
        postings: postings.packed(),
        builtIn: builtIn.packed(),
        ...(hosted === null
          ? {}
          : { hosted: [pieceOf(Uint32Array.of(hosted.dimensions)), ...hosted.packed()] }),
      };
    },
    async unpack(from) {
      const read = await unpackParts(from, memory, dimensions);
      if (read === null) return false;
      builtIn.release();
      ({ builtIn, hosted } = read);
      ({ rows, postings, termOf, views, rank } = partsOf(read.rows, read.postings, builtIn));
      return true;
    },
    release() {
      builtIn.release();
      hosted?.release();
    },
  };
}

/** `null`: what was read is not what was written. */
async function unpackParts(from: SnapshotReader, memory: VectorMemory, dimensions: number) {
  const vectors: Vectors[] = [];
  const unpackVectors = async (of: number, pages: number) => {
    const unpacked = createVectors(memory, of);
    vectors.push(unpacked);
    await unpacked.unpack(from, pages);
    return unpacked;
  };
  let isWhole = false;
  try {
    const rows = await unpackRows(from);
    const postings = await unpackPostings(from);
    const builtIn = await unpackVectors(dimensions, from.lengths('builtIn').length);
    const [size, ...pages] = from.lengths('hosted');
    const [of = 0] = size === undefined ? [] : await readNumbers(from, Uint32Array, size);
    const hosted = of === 0 ? null : await unpackVectors(of, pages.length);
    isWhole = await from.isWhole();
    return isWhole ? { rows, postings, builtIn, hosted } : null;
  } finally {
    if (!isWhole) for (const each of vectors) each.release();
  }
}

/** What a model answered is kept only if it can be compared. */
function isUsable(vector: Float32Array | null | undefined): vector is Float32Array {
  return (
    vector != null && vector.length > 0 && vector.length <= MAX_DIMENSIONS && vector.every(Number.isFinite)
  );
}

function partsOf(rows: Rows, postings: Postings, builtIn: Vectors) {
  const words = createWordScores(postings, rows);
  return {
    ...{ rows, postings, views: createViews(rows) },
    termOf: termsBy(postings),
    rank: createRanking({ rows, words, builtIn }),
  };
}

/** The terms of stems; of those with a number they are looked up once. */
function termsBy(postings: Postings): (stem: string, number: number) => number {
  /** One more than the term. */
  const terms = createColumn(Uint32Array);
  return (stem, number) => {
    const known = terms.values[number] ?? 0;
    if (known > 0) return known - 1;
    const term = postings.termFor(stem);
    if (number >= 0) terms.set(number, term + 1);
    return term;
  };
}
