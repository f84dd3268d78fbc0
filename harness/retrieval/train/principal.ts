import { randomOf } from './batches.ts';
import { addRow, emptyLike, multiplyAdd, type Numbers, normOf, transposed } from './matrix.ts';

/** Takes the mean of all rows from each, then makes each of length 1. */
export function centre(rows: Numbers, width: number): void {
  const count = rows.length / width;
  const mean = emptyLike(rows, width);
  for (let row = 0; row < count; row++) addRow(mean, 0, rows, row * width, width, 1 / count);
  for (let row = 0; row < count; row++) {
    addRow(rows, row * width, mean, 0, width, -1);
    const norm = Math.max(1e-9, normOf(rows, row * width, width));
    for (let at = row * width; at < (row + 1) * width; at++) rows[at] = (rows[at] as number) / norm;
  }
}

/** `width` × `kept`: the directions in which rows differ most, by orthogonal iteration. Where learning begins. */
export function principalDirections(rows: Numbers, width: number, kept: number, rounds = 20): Numbers {
  const count = rows.length / width;
  const covariance = emptyLike(rows, width * width);
  multiplyAdd(covariance, transposed(rows, count, width), rows, width, count, width);
  const random = randomOf(1);
  // A direction is a row here.
  let directions = emptyLike(rows, kept * width);
  for (let at = 0; at < directions.length; at++) directions[at] = random() - 0.5;
  orthonormalise(directions, width, kept);
  for (let round = 0; round < rounds; round++) {
    const next = emptyLike(rows, kept * width);
    multiplyAdd(next, directions, covariance, kept, width, width);
    orthonormalise(next, width, kept);
    directions = next;
  }
  return transposed(directions, kept, width);
}

/** Gram-Schmidt. */
function orthonormalise(rows: Numbers, width: number, count: number): void {
  for (let row = 0; row < count; row++) {
    for (let earlier = 0; earlier < row; earlier++) {
      let along = 0;
      for (let at = 0; at < width; at++)
        along += (rows[row * width + at] as number) * (rows[earlier * width + at] as number);
      addRow(rows, row * width, rows, earlier * width, width, -along);
    }
    const norm = Math.max(1e-12, normOf(rows, row * width, width));
    for (let at = row * width; at < (row + 1) * width; at++) rows[at] = (rows[at] as number) / norm;
  }
}
