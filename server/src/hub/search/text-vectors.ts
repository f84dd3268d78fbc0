import type { Word } from './lexicon.ts';
import { normalised, type StaticEmbedding } from './static-embedding.ts';
import { PAGE, type VectorMemory } from './vector-memory.ts';

/** What texts mean, by the built-in embedding. */
export interface TextVectors {
  /** Of all these together, each as if it were said so many times; normalised. */
  of(texts: readonly { readonly words: readonly Word[]; readonly times: number }[]): Float32Array;
}

/** Keeps the table where the kernel adds up rows of it: a text has dozens of words, and there are many texts. */
export function createTextVectors(embedding: StaticEmbedding, memory: VectorMemory): TextVectors {
  const { dimensions } = embedding;
  const stride = Math.ceil(dimensions / 16) * 16;
  const perPage = Math.floor(PAGE / stride);
  const pages: number[] = [];
  const addressOf = (row: number): number =>
    (pages[Math.floor(row / perPage)] as number) + (row % perPage) * stride;
  for (let row = 0; row < embedding.rows; row++) {
    if (row % perPage === 0) pages.push(memory.allot());
    memory.bytes(addressOf(row), stride).fill(0).set(embedding.bytesOf(row));
  }
  embedding.keptAt((row) => memory.bytes(addressOf(row), dimensions));
  return {
    of(texts) {
      const sum = memory.sum(stride);
      for (const { words, times } of texts)
        for (const { rows } of words)
          for (const row of rows) memory.add(addressOf(row), stride, embedding.scaleOf(row) * times);
      return normalised(sum.subarray(0, dimensions));
    },
  };
}
