import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fnv1a, piecesOf } from '@sallyport/gateway/search';
import { addRow, type Numbers } from './matrix.ts';

/**
 * Rows for pieces of words, so that a word which nobody knew is the sum of its pieces: those sums are brought ever nearer to the
 * vectors of the words that are known.
 */
export function fitPieces(
  words: readonly string[],
  rows: Numbers,
  width: number,
  buckets: number,
  rounds = 8,
): Float32Array {
  const pieces = new Float32Array(buckets * width);
  const missing = new Float32Array(width);
  const own = words.map((word) => piecesOf(word).map((piece) => fnv1a(piece) % buckets));
  for (let round = 0; round < rounds; round++) {
    // Ever smaller steps, as words that share a piece want different things of it.
    const rate = 0.5 / (1 + round);
    for (const [word, ownBuckets] of own.entries()) {
      if (ownBuckets.length === 0) continue;
      missing.fill(0);
      addRow(missing, 0, rows, word * width, width);
      for (const bucket of ownBuckets) addRow(missing, 0, pieces, bucket * width, width, -1);
      for (const bucket of ownBuckets)
        addRow(pieces, bucket * width, missing, 0, width, rate / ownBuckets.length);
    }
  }
  return pieces;
}

export interface Packed {
  readonly scales: Float32Array;
  readonly values: Int8Array;
}

/** Each row in whole numbers up to 127, and what to multiply them by. */
export function packRows(rows: Numbers, width: number): Packed {
  const count = rows.length / width;
  const scales = new Float32Array(count);
  const values = new Int8Array(rows.length);
  for (let row = 0; row < count; row++) {
    const own = rows.subarray(row * width, (row + 1) * width);
    let most = 1e-12;
    for (const one of own) most = Math.max(most, Math.abs(one));
    const scale = most / 127;
    scales[row] = scale;
    for (const [at, one] of own.entries()) values[row * width + at] = Math.round(one / scale);
  }
  return { scales, values };
}

/** The files that the built-in embedding of search is read from. */
export function writeTable(
  folder: string,
  words: readonly string[],
  wordRows: Numbers,
  pieceRows: Numbers,
  width: number,
): void {
  const parts = [wordRows, pieceRows].map((rows) => packRows(rows, width));
  mkdirSync(folder, { recursive: true });
  const bytes = [...parts.map(({ scales }) => scales), ...parts.map(({ values }) => values)].map((part) =>
    Buffer.from(part.buffer, part.byteOffset, part.byteLength),
  );
  writeFileSync(join(folder, `static${width}.i8.bin`), Buffer.concat(bytes));
  const vocabulary = { dim: width, words, buckets: pieceRows.length / width };
  writeFileSync(join(folder, 'vocab.json'), JSON.stringify(vocabulary));
}
