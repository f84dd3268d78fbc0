import fc from 'fast-check';
import type { SearchDocument } from './contract.ts';
import { createLexicon } from './lexicon.ts';
import { createNearWords } from './near-words.ts';
import { createProjectIndex, type ProjectIndex, type SlotHit } from './project-index.ts';
import { createReader } from './reading.ts';
import { builtInEmbedding } from './search-engine.ts';
import type { Piece, Snapshot, SnapshotReader } from './snapshot.ts';
import { openStaticEmbedding } from './static-embedding.ts';
import { createTextVectors } from './text-vectors.ts';
import { createVectorMemory } from './vector-memory.ts';

const embedding = openStaticEmbedding(builtInEmbedding);
const memory = createVectorMemory();
const lexicon = createLexicon(embedding.rowsOf, createNearWords(embedding, memory));
const reader = createReader(lexicon, createTextVectors(embedding, memory));

/** An index as the thread has it, without the thread. */
export const sampleIndex = (): ProjectIndex => createProjectIndex(reader, memory, embedding.dimensions);

const words =
  'create delete list issue mail message repository weather forecast city calendar event user file the of'.split(
    ' ',
  );
const word = fc.constantFrom(...words);
const text = fc.array(word, { minLength: 1, maxLength: 8 }).map((parts) => parts.join(' '));
const vector = fc
  .array(fc.integer({ min: -3, max: 3 }), { minLength: 4, maxLength: 4 })
  .map((values) => Float32Array.from(values, (value) => value / (Math.hypot(...values) || 1)));

/** Documents that have words, names and whole texts in common. */
export function documentWith(id: string): fc.Arbitrary<SearchDocument> {
  return fc
    .record({
      name: fc.array(word, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('_')),
      namespace: fc.constantFrom('mcp://github', 'worker://mail', 'mcp://weather'),
      title: fc.option(text),
      description: text,
      parameters: fc.array(fc.record({ name: word, description: text }), { maxLength: 2 }),
      enrichment: fc.array(text, { maxLength: 1 }),
      learned: fc.array(fc.record({ query: text, weight: fc.constantFrom(0.25, 0.5, 1) }), { maxLength: 2 }),
      vector: fc.option(vector, { nil: undefined }),
    })
    .map(({ vector: given, ...searched }) => ({
      id,
      hash: id,
      ...searched,
      ...(given === undefined ? {} : { vector: given }),
    }));
}

/** So many of them; their slots are their places. */
export function documents(most: number): fc.Arbitrary<SearchDocument[]> {
  return fc
    .integer({ min: 1, max: most })
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, at) => documentWith(`id-${at}`))));
}

export const query = fc.record({
  text: fc.oneof(
    text,
    word,
    fc.constantFrom('create_issue', 'github delete_file', 'report a fault', 'the of'),
  ),
  vector: fc.option(vector, { nil: null }),
});

/** Reads pieces as if they had come from a file. */
export function readerOf(sections: Snapshot['sections']): SnapshotReader {
  const pieces = Object.values(sections).flat();
  return {
    stamp: '',
    lengths: (section) => (sections[section] ?? []).map(({ length }) => length),
    async next(into) {
      const { buffer, byteOffset, byteLength } = (pieces.shift() as Piece).bytes();
      into.set(new Uint8Array(buffer, byteOffset, byteLength));
    },
    isWhole: async () => pieces.length === 0,
    close: async () => undefined,
  };
}

/** Hits by ids, as slots are other numbers in another index. */
export function told(hits: readonly SlotHit[], idOf: (slot: number) => string) {
  return hits.map(({ slot, score, alike }) => ({ id: idOf(slot), score, alike: alike.map(idOf) }));
}
