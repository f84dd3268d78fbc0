import { fileURLToPath } from 'node:url';
import { createTurns, Fault, type Turns } from '#foundation';
import type { Log } from '#telemetry';
import type { Hit, SearchDocument, SearchEngine, SearchIndex } from './contract.ts';
import type { SlotHit } from './project-index.ts';
import { type SearchThread, startSearchThread } from './search-thread.ts';
import { createSlots } from './slots.ts';

/** Characters that are read in one go: no search waits longer than that takes. */
const BATCH_CHARACTERS = 200_000;
const BATCH_DOCUMENTS = 500;
/** What is longer was not asked by anybody. */
const MAX_QUERY = 4000;

export interface SearchEngineDeps {
  readonly log: Log;
  /** The folder of the table of words that stands in where no model is configured. */
  readonly embedding?: string;
}

export const builtInEmbedding = fileURLToPath(new URL('../../../assets/static-embedding/', import.meta.url));

/** Searches in a thread of its own. Only one update is under way at a time, in pieces, so that searches pass in between. */
export function createSearchEngine({ log, embedding = builtInEmbedding }: SearchEngineDeps): SearchEngine {
  const thread = startSearchThread(new URL('./search-worker.ts', import.meta.url), { embedding }, log);
  const indexes = new Map<string, SearchIndex>();
  const turns = createTurns();
  let nextNumber = 0;
  return {
    index(projectId) {
      const known = indexes.get(projectId);
      if (known !== undefined) return known;
      const index = createIndex(thread, nextNumber++, turns, () => indexes.delete(projectId));
      indexes.set(projectId, index);
      return index;
    },
    close: () => thread.end(),
  };
}

function createIndex(thread: SearchThread, number: number, turns: Turns, onClose: () => void): SearchIndex {
  const slots = createSlots();

  const putBatch = async (batch: readonly SearchDocument[]) => {
    const put = batch.map((document) => ({ slot: slots.give(document.id, document.hash), document }));
    await thread.send({ kind: 'update', index: number, put, remove: [] });
  };
  const removeAll = async (ids: readonly string[]) => {
    const removed = ids.map((id) => slots.take(id)).filter((slot) => slot !== undefined);
    if (removed.length === 0) return;
    await thread.send({ kind: 'update', index: number, put: [], remove: removed });
    slots.free(removed);
  };
  const hitOf = ({ slot, score, alike }: SlotHit): Hit[] => {
    const id = slots.idOf(slot);
    if (id === undefined) return [];
    return [{ id, score, alike: alike.map((twin) => slots.idOf(twin)).filter((twin) => twin !== undefined) }];
  };

  return {
    get size() {
      return slots.size;
    },
    get generation() {
      return slots.generation;
    },
    known: () => slots.known(),
    update: async ({ put, remove }) => {
      await turns(() => removeAll(remove));
      for (const batch of batchesOf(put)) await turns(() => putBatch(batch));
    },
    permit: (ids) => slots.permit(ids),
    async search({ text, permitted, limit, vector }) {
      if (permitted !== null && permitted.generation !== slots.generation) {
        throw new Fault('The permitted documents were named before others took their places: ask again.');
      }
      const hits = await thread.send({
        kind: 'search',
        index: number,
        query: {
          text: text.slice(0, MAX_QUERY),
          bits: permitted?.bits ?? null,
          limit: Math.max(0, limit),
          vector: vector ?? null,
        },
      });
      return hits.flatMap(hitOf);
    },
    close() {
      onClose();
      thread.send({ kind: 'drop', index: number }).catch(() => undefined);
    },
  };
}

function* batchesOf(documents: readonly SearchDocument[]): Iterable<SearchDocument[]> {
  let batch: SearchDocument[] = [];
  let characters = 0;
  for (const document of documents) {
    batch.push(document);
    characters += 100 + document.description.length + document.parameters.length * 40;
    if (batch.length < BATCH_DOCUMENTS && characters < BATCH_CHARACTERS) continue;
    yield batch;
    batch = [];
    characters = 0;
  }
  if (batch.length > 0) yield batch;
}
