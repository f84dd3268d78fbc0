import { silentLog } from '#telemetry';
import type { SearchDocument, SearchEngine } from './contract.ts';
import { createLexicon } from './lexicon.ts';
import { createReader } from './reading.ts';
import { builtInEmbedding, createSearchEngine } from './search-engine.ts';
import { openStaticEmbedding } from './static-embedding.ts';
import { createTextVectors } from './text-vectors.ts';
import { createVectorMemory } from './vector-memory.ts';

/** The door by which the harness measures search, and makes its table of words, in its own process. No room comes this way. */

export type { Hit, Permitted, SearchDocument, SearchEngine, SearchIndex } from './contract.ts';
export { builtInEmbedding } from './search-engine.ts';
export { fnv1a, openStaticEmbedding, piecesOf } from './static-embedding.ts';
export { eachWord } from './words.ts';

/** `embedding`: the folder of a table. */
export function openEngine(embedding = builtInEmbedding): SearchEngine {
  return createSearchEngine({ log: silentLog, embedding });
}

/** Meaning as a table has it: what search compares, without what it makes of words. */
export interface Meaning {
  document(document: SearchDocument): Float32Array;
  /** `null`: nothing that means anything. */
  query(text: string): Float32Array | null;
}

export function openMeaning(folder: string): Meaning {
  const embedding = openStaticEmbedding(folder);
  const lexicon = createLexicon(embedding.rowsOf, () => []);
  const reader = createReader(lexicon, createTextVectors(embedding, createVectorMemory()));
  return {
    document: (document) => reader.document(document).vector,
    query: (text) => reader.query(text).vector,
  };
}
