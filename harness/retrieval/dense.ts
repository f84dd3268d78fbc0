import { openMeaning } from '@sallyport/gateway/search';
import { documentOf, type EvalTool } from './data-sets.ts';
import type { Ranker } from './measure.ts';

/** Ranks by meaning alone, as the table in this folder has it: what it is worth without words. */
export function createDense(folder: string, tools: readonly EvalTool[]): Ranker {
  const meaning = openMeaning(folder);
  const documents = tools.map((tool) => ({ id: tool.id, vector: meaning.document(documentOf(tool)) }));
  return async (queries) =>
    queries.map((query) => {
      const vector = meaning.query(query);
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
