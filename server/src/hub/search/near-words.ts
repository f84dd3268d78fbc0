import { type StaticEmbedding, wordVector } from './static-embedding.ts';
import type { VectorMemory } from './vector-memory.ts';
import { createVectors } from './vectors.ts';

export interface NearWord {
  readonly word: string;
  /** Cosine. */
  readonly like: number;
}

/** Words that mean nearly the same, by the built-in embedding; nearest first. `null`: it does not have the word. */
export type NearWords = (word: string) => readonly NearWord[] | null;

/** Only the words that are frequent where tools are described: the rest are names of people and places. */
const LOOKED_AT = 12_000;
const MOST = 12;
const LEAST_LIKE = 0.4;

export function createNearWords(embedding: StaticEmbedding, memory: VectorMemory): NearWords {
  const words = embedding.words.slice(0, LOOKED_AT);
  const vectors = createVectors(memory, embedding.dimensions);
  for (const row of words.keys()) vectors.set(row, wordVector(embedding, row));
  const rows = Uint32Array.from(words.keys());

  return (word) => {
    const own = embedding.rowOf(word);
    if (own === undefined) return null;
    const near: NearWord[] = [];
    vectors.each(wordVector(embedding, own), rows, LEAST_LIKE, (row, like) => {
      if (row !== own) near.push({ word: words[row] as string, like });
      return LEAST_LIKE;
    });
    return near.sort((one, other) => other.like - one.like).slice(0, MOST);
  };
}
