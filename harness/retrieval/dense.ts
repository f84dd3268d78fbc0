import { createLexicon } from '../../server/src/hub/search/lexicon.ts';
import { createReader } from '../../server/src/hub/search/reading.ts';
import { openStaticEmbedding } from '../../server/src/hub/search/static-embedding.ts';
import { createTextVectors } from '../../server/src/hub/search/text-vectors.ts';
import { createVectorMemory } from '../../server/src/hub/search/vector-memory.ts';
import { documentOf, type EvalTool } from './data-sets.ts';
import type { Ranker } from './measure.ts';

/** Ranks by meaning alone, as the embedding in this folder has it: what a table is worth without words. */
export function createDense(folder: string, tools: readonly EvalTool[]): Ranker {
  const embedding = openStaticEmbedding(folder);
  const noNeighbours = (): readonly never[] => [];
  const lexicon = createLexicon(embedding.rowsOf, noNeighbours);
  const reader = createReader(lexicon, createTextVectors(lexicon, embedding, createVectorMemory()));
  const documents = tools.map((tool) => ({ id: tool.id, vector: reader.document(documentOf(tool)).vector }));
  return async (queries) =>
    queries.map((query) => {
      const { vector } = reader.query(query);
      if (vector === null) return [];
      return documents
        .map(({ id, vector: other }) => ({ id, like: dot(vector, other) }))
        .sort((left, right) => right.like - left.like)
        .slice(0, 10)
        .map(({ id }) => id);
    });
}

function dot(left: Float32Array, right: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < left.length; at++) sum += (left[at] as number) * (right[at] as number);
  return sum;
}
