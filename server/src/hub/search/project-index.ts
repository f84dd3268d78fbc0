import { numbersOf } from './column.ts';
import type { SearchDocument } from './contract.ts';
import { MAX_DIMENSIONS } from './kernel.ts';
import { createPostings, type Postings, unpackPostings } from './postings.ts';
import { createRanking } from './ranking.ts';
import type { Reader } from './reading.ts';
import { createRows, packedRows, type Rows, unpackRows } from './rows.ts';
import { type Piece, pieceOf, type Snapshot } from './snapshot.ts';
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
  packed(): Snapshot<Piece>['sections'];
  unpack(sections: Snapshot<Uint8Array>['sections']): void;
  release(): void;
}

export function createProjectIndex(reader: Reader, memory: VectorMemory, dimensions: number): ProjectIndex {
  const builtIn = createVectors(memory, dimensions);
  /** Of a configured model; made when the first comes. */
  let hosted: Vectors | null = null;
  let { rows, postings, views, rank } = partsOf(createRows(), createPostings(), builtIn);

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
    for (const [stem, times] of reading.stems)
      postings.add(postings.termFor(stem), row, keptFrequency(times));
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
    ({ rows, postings, views, rank } = partsOf(packed, postings.renumbered(numbers), builtIn));
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
        rows: [pieceOf(packedRows(rows))],
        postings: postings.packed(),
        builtIn: builtIn.packed(),
        ...(hosted === null
          ? {}
          : { hosted: [pieceOf(Uint32Array.of(hosted.dimensions)), ...hosted.packed()] }),
      };
    },
    unpack(sections) {
      const [table] = sections.rows ?? [];
      const [size, ...vectors] = sections.hosted ?? [];
      builtIn.unpack(sections.builtIn ?? []);
      if (size !== undefined) {
        hosted = createVectors(memory, numbersOf(size)[0] as number);
        hosted.unpack(vectors);
      }
      const unpacked = unpackRows(numbersOf(table));
      ({ rows, postings, views, rank } = partsOf(unpacked, unpackPostings(sections.postings ?? []), builtIn));
    },
    release() {
      builtIn.release();
      hosted?.release();
    },
  };
}

/** What a model answered is kept only if it can be compared. */
function isUsable(vector: Float32Array | null | undefined): vector is Float32Array {
  return (
    vector != null && vector.length > 0 && vector.length <= MAX_DIMENSIONS && vector.every(Number.isFinite)
  );
}

function partsOf(rows: Rows, postings: Postings, builtIn: Vectors) {
  const words = createWordScores(postings, rows);
  return { rows, postings, views: createViews(rows), rank: createRanking({ rows, words, builtIn }) };
}
