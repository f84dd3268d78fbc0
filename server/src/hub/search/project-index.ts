import type { SearchDocument } from './contract.ts';
import { createPostings } from './postings.ts';
import { createRanking } from './ranking.ts';
import { keptFrequency, type Reader } from './reading.ts';
import { createRows } from './rows.ts';
import { createVectors } from './vectors.ts';
import { createViews } from './views.ts';

export interface Placed {
  readonly slot: number;
  readonly document: SearchDocument;
}

export interface SlotQuery {
  readonly text: string;
  readonly bits: Uint8Array | null;
  readonly limit: number;
  readonly vector: Float32Array | null;
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
}

export function createProjectIndex(reader: Reader, dimensions: number): ProjectIndex {
  const rows = createRows();
  const postings = createPostings();
  const builtIn = createVectors(dimensions);
  const views = createViews(rows);
  const ranking = createRanking({ rows, postings, builtIn, hosted: () => null });

  return {
    put(documents) {
      for (const { slot, document } of documents) {
        const reading = reader.document(document);
        const row = rows.add(slot, reading);
        for (const [stem, times] of reading.stems) postings.add(stem, row, keptFrequency(times));
        builtIn.set(row, reading.vector);
      }
      views.clear();
    },
    remove(slots) {
      for (const slot of slots) rows.giveUp(slot);
      views.clear();
    },
    search({ text, bits, limit, vector }) {
      const view = views.of(bits);
      if (view.rows.length === 0) return [];
      return ranking.rank(reader.query(text), vector, view, limit).map(({ row, score, alike }) => ({
        slot: rows.slotOf(row) as number,
        score,
        alike: alike.map((twin) => rows.slotOf(twin) as number),
      }));
    },
  };
}
