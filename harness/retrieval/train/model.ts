import { addRow, emptyLike, multiplyAdd, type Numbers, normOf, transposed } from './matrix.ts';

/**
 * What is learned. A word's vector is `weight · (teacher's vector · projection) + own`, a text's the normalised sum of its words.
 * The projection is one for all words; `own` is what use among API operations adds to what the teacher knows of a word.
 */
export interface Model {
  readonly teacherDimensions: number;
  readonly dimensions: number;
  /** Of each word, times its weight. */
  readonly teacher: Numbers;
  readonly projection: Numbers;
  readonly own: Numbers;
}

/** Texts as numbers of words; text `i` of the one side belongs to text `i` of the other, and to no other there. */
export interface Batch {
  readonly left: readonly Int32Array[];
  readonly right: readonly Int32Array[];
}

export interface Gradients {
  /** Mean of both directions, in nats. */
  readonly loss: number;
  readonly projection: Numbers;
  /** Of each text, by what its sum is to change: the same for every word in it. */
  readonly texts: Numbers;
}

interface Encoded {
  /** Sums of the teacher's vectors. */
  readonly sums: Numbers;
  readonly norms: Numbers;
  /** Normalised. */
  readonly vectors: Numbers;
}

/** InfoNCE in both directions: of all texts of the other side, its partner should be the nearest. */
export function gradientsOf(model: Model, { left, right }: Batch, temperature: number): Gradients {
  const { dimensions, teacherDimensions, teacher } = model;
  const n = left.length;
  const { sums, norms, vectors } = encode(model, [...left, ...right]);
  const [a, b] = [vectors.subarray(0, n * dimensions), vectors.subarray(n * dimensions)];
  const similar = emptyLike(teacher, n * n);
  multiplyAdd(similar, a, transposed(b, n, dimensions), n, dimensions, n);
  const { loss, change } = contrast(similar, n, temperature);
  const back = emptyLike(teacher, 2 * n * dimensions);
  multiplyAdd(back.subarray(0, n * dimensions), change, b, n, n, dimensions);
  multiplyAdd(back.subarray(n * dimensions), transposed(change, n, n), a, n, n, dimensions);
  for (let text = 0; text < 2 * n; text++)
    throughNorm(back, vectors, norms[text] as number, text * dimensions, dimensions);
  const projection = emptyLike(teacher, teacherDimensions * dimensions);
  multiplyAdd(
    projection,
    transposed(sums, 2 * n, teacherDimensions),
    back,
    teacherDimensions,
    2 * n,
    dimensions,
  );
  return { loss, projection, texts: back };
}

/** The vectors of texts, with what they were made of. */
export function encode(
  { dimensions, teacherDimensions, teacher, projection, own }: Model,
  texts: readonly Int32Array[],
): Encoded {
  const sums = emptyLike(teacher, texts.length * teacherDimensions);
  const vectors = emptyLike(teacher, texts.length * dimensions);
  for (const [text, words] of texts.entries()) {
    for (const word of words) {
      addRow(sums, text * teacherDimensions, teacher, word * teacherDimensions, teacherDimensions);
      addRow(vectors, text * dimensions, own, word * dimensions, dimensions);
    }
  }
  multiplyAdd(vectors, sums, projection, texts.length, teacherDimensions, dimensions);
  const norms = emptyLike(teacher, texts.length);
  for (let text = 0; text < texts.length; text++) {
    const norm = Math.max(1e-6, normOf(vectors, text * dimensions, dimensions));
    norms[text] = norm;
    for (let at = text * dimensions; at < (text + 1) * dimensions; at++)
      vectors[at] = (vectors[at] as number) / norm;
  }
  return { sums, norms, vectors };
}

/** Cross entropy of rows and of columns, each of which should have its largest number on the diagonal. */
function contrast(similar: Numbers, n: number, temperature: number): { loss: number; change: Numbers } {
  const change = emptyLike(similar, n * n);
  let loss = 0;
  for (const [step, other] of [
    [1, n],
    [n, 1],
  ] as const) {
    for (let line = 0; line < n; line++) {
      const at = (one: number): number => line * other + one * step;
      let most = Number.NEGATIVE_INFINITY;
      for (let one = 0; one < n; one++) most = Math.max(most, similar[at(one)] as number);
      let total = 0;
      for (let one = 0; one < n; one++)
        total += Math.exp(((similar[at(one)] as number) - most) / temperature);
      for (let one = 0; one < n; one++) {
        const probability = Math.exp(((similar[at(one)] as number) - most) / temperature) / total;
        const wrong = probability - (one === line ? 1 : 0);
        change[at(one)] = (change[at(one)] as number) + wrong / (2 * n * temperature);
      }
      loss += Math.log(total) - ((similar[at(line)] as number) - most) / temperature;
    }
  }
  return { loss: loss / (2 * n), change };
}

/** What a normalised vector is to change, as what the vector is to change before. */
function throughNorm(back: Numbers, vectors: Numbers, norm: number, from: number, length: number): void {
  let along = 0;
  for (let at = from; at < from + length; at++) along += (back[at] as number) * (vectors[at] as number);
  for (let at = from; at < from + length; at++)
    back[at] = ((back[at] as number) - along * (vectors[at] as number)) / norm;
}
