import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/** Words that the table does not know are made of their four-letter pieces, `<` and `>` at the ends. */
const PIECE = 4;

export interface StaticEmbedding {
  readonly dimensions: number;
  readonly rows: number;
  /** In the order of their rows. */
  readonly words: readonly string[];
  /** Tells this table from any other. */
  readonly fingerprint: number;
  rowOf(word: string): number | undefined;
  /** A word's own row, or those of its pieces. */
  rowsOf(word: string): readonly number[];
  /** A row is its bytes times its scale. */
  bytesOf(row: number): Int8Array;
  scaleOf(row: number): number;
  /** Rows are the same there: from now on they are read from there, and are in memory once. */
  keptAt(bytesOf: (row: number) => Int8Array): void;
  /** Adds a row to a sum, so many times. */
  add(sum: Float64Array, row: number, times: number): void;
}

/**
 * The built-in embedding: a vector for each of many words, and for pieces of words; a text is the sum of its words. `vocab.json`
 * names the words in the order of their rows. `static256.i8.bin` has a scale for each row (float32, little-endian), then the rows
 * (int8): of the words, then of the pieces, by the hash of a piece. Rare words have longer vectors, and so weigh more.
 */
export function openStaticEmbedding(directory: string): StaticEmbedding {
  const { dim, buckets, words } = JSON.parse(readFileSync(join(directory, 'vocab.json'), 'utf8')) as {
    readonly dim: number;
    readonly buckets: number;
    readonly words: readonly string[];
  };
  const file = readFileSync(join(directory, `static${dim}.i8.bin`));
  const count = words.length + buckets;
  if (file.length !== count * (4 + dim)) {
    throw new Error(
      `The built-in embedding in ${directory} is damaged: ${file.length} bytes are not ${count} rows`,
    );
  }
  const scales = new Float32Array(count);
  for (let row = 0; row < count; row++) scales[row] = file.readFloatLE(row * 4);
  const fingerprint = crc32(words.join(' '), crc32(file));
  let bytesOf = rowsIn(file.subarray(count * 4), dim);
  const rowOf = new Map(words.map((word, row) => [word, row]));

  return {
    dimensions: dim,
    rows: count,
    words,
    fingerprint,
    rowOf: (word) => rowOf.get(word),
    rowsOf(word) {
      const row = rowOf.get(word);
      if (row !== undefined) return [row];
      return piecesOf(word).map((piece) => words.length + (fnv1a(piece) % buckets));
    },
    bytesOf: (row) => bytesOf(row),
    keptAt(read) {
      bytesOf = read;
    },
    scaleOf: (row) => scales[row] as number,
    add(sum, row, times) {
      const weight = (scales[row] as number) * times;
      const values = bytesOf(row);
      for (let at = 0; at < dim; at++) sum[at] = (sum[at] as number) + (values[at] as number) * weight;
    },
  };
}

/** A scope of its own: what it holds goes with it. */
function rowsIn({ buffer, byteOffset, length }: Buffer, dim: number): (row: number) => Int8Array {
  const values = new Int8Array(buffer, byteOffset, length);
  return (row) => values.subarray(row * dim, (row + 1) * dim);
}

export function wordVector(embedding: StaticEmbedding, row: number): Float32Array {
  const sum = new Float64Array(embedding.dimensions);
  embedding.add(sum, row, 1);
  return normalised(sum);
}

export function normalised(sum: Float64Array | Float32Array): Float32Array {
  const vector = new Float32Array(sum.length);
  let squares = 0;
  for (let at = 0; at < sum.length; at++) squares += (sum[at] as number) ** 2;
  if (squares === 0) return vector;
  const by = 1 / Math.sqrt(squares);
  for (let at = 0; at < sum.length; at++) vector[at] = (sum[at] as number) * by;
  return vector;
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
