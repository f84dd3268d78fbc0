import { fileURLToPath } from 'node:url';
import { createTurns } from '#foundation';
import type { Log } from '#telemetry';
import type { SearchEngine, SearchIndex } from './contract.ts';
import { createSearchIndex } from './search-index.ts';
import { startSearchThread } from './search-thread.ts';

export interface SearchEngineDeps {
  readonly log: Log;
  /** The folder of the table of words that stands in where no model is configured. */
  readonly embedding?: string;
}

export const builtInEmbedding = fileURLToPath(new URL('../../../assets/static-embedding/', import.meta.url));

/** Searches in a thread of its own. Updates come to it one at a time, in pieces, so that searches pass in between. */
export function createSearchEngine({ log, embedding = builtInEmbedding }: SearchEngineDeps): SearchEngine {
  const thread = startSearchThread(new URL('./search-worker.ts', import.meta.url), { embedding }, log);
  const indexes = new Map<string, SearchIndex>();
  const turns = createTurns();
  let nextNumber = 0;
  return {
    index(projectId) {
      const known = indexes.get(projectId);
      if (known !== undefined) return known;
      const onClose = () => void indexes.delete(projectId);
      const index = createSearchIndex({ thread, number: nextNumber++, turns, onClose, log });
      indexes.set(projectId, index);
      return index;
    },
    close: () => thread.end(),
  };
}
