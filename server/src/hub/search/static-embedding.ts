import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Words that the table does not know are made of their four-letter pieces, `<` and `>` at the ends. */
const PIECE = 4;

export interface StaticEmbedding {
  readonly dimensions: number;
  /** A word's own row, or those of its pieces. */
  rowsOf(word: string): readonly number[];
  /** Adds a row to a sum, so many times. */
  add(sum: Float32Array, row: number, times: number): void;
}

/**
 * The built-in embedding: a vector for each of many words, and for pieces of words; a text is the sum of its words. `vocab.json`
 * names the words in the order of their rows. `static256.i8.bin` has a scale for each row (float32, little-endian), then the rows
 * (int8): of the words, then of the pieces, by the hash of a piece. Rare words have longer vectors, and so weigh more.
 */
export function openStaticEmbedding(directory: string): StaticEmbedding {
  const vocabulary = JSON.parse(readFileSync(join(directory, 'vocab.json'), 'utf8')) as {
    readonly dim: number;
    readonly buckets: number;
    readonly words: readonly string[];
  };
  const { dim, buckets, words } = vocabulary;
  const file = readFileSync(join(directory, `static${dim}.i8.bin`));
  const count = words.length + buckets;
  if (file.length !== count * (4 + dim)) {
    throw new Error(
      `The built-in embedding in ${directory} is damaged: ${file.length} bytes are not ${count} rows`,
    );
  }
  const scales = new Float32Array(count);
  for (let row = 0; row < count; row++) scales[row] = file.readFloatLE(row * 4);
  const values = new Int8Array(file.buffer, file.byteOffset + count * 4, count * dim);
  const rowOf = new Map(words.map((word, row) => [word, row]));

  return {
    dimensions: dim,
    rowsOf(word) {
      const row = rowOf.get(word);
      if (row !== undefined) return [row];
      return piecesOf(word).map((piece) => words.length + (fnv1a(piece) % buckets));
    },
    add(sum, row, times) {
      const weight = (scales[row] ?? 0) * times;
      const from = row * dim;
      for (let at = 0; at < dim; at++) sum[at] = (sum[at] ?? 0) + (values[from + at] ?? 0) * weight;
    },
  };
}

export function piecesOf(word: string): string[] {
  const marked = `<${word}>`;
  const pieces: string[] = [];
  for (let at = 0; at + PIECE <= marked.length; at++) pieces.push(marked.slice(at, at + PIECE));
  return pieces;
}

export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
