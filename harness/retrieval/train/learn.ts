import { epochOf, type Random } from './batches.ts';
import type { Pair } from './corpus.ts';
import { addRow, emptyLike, type Numbers } from './matrix.ts';
import { type Batch, gradientsOf, type Model } from './model.ts';

export interface Learning {
  readonly batchSize: number;
  readonly epochs: number;
  /** Stops earlier after so many. */
  readonly mostSteps: number;
  readonly temperature: number;
  readonly projectionRate: number;
  readonly wordRate: number;
  readonly random: Random;
  told(step: number, loss: number): void;
}

/** Changes the projection and what is own to words of the model, step by step. */
export function learn(model: Model, pairs: readonly Pair[], settings: Learning): void {
  const { batchSize, epochs, mostSteps, temperature, random } = settings;
  const steps = Math.min(mostSteps, epochs * Math.floor(pairs.length / batchSize));
  const projection = createAdam(model.projection);
  const words = createSparseAdagrad(model.own, model.dimensions);
  let step = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const batch of epochOf(pairs, batchSize, random)) {
      if (step === steps) return;
      const gradients = gradientsOf(model, batch, temperature);
      // Ever smaller steps: the last ones only settle.
      const share = 1 - step / steps;
      projection(gradients.projection, settings.projectionRate * share);
      words(batch, gradients.texts, settings.wordRate * share);
      step += 1;
      settings.told(step, gradients.loss);
    }
  }
}

type Step = (gradient: Numbers, rate: number) => void;

export function createAdam(parameters: Numbers): Step {
  const [keepMean, keepSquare] = [0.9, 0.999];
  const mean = emptyLike(parameters, parameters.length);
  const square = emptyLike(parameters, parameters.length);
  let step = 0;
  return (gradient, rate) => {
    step += 1;
    const scale = (rate * Math.sqrt(1 - keepSquare ** step)) / (1 - keepMean ** step);
    for (let at = 0; at < parameters.length; at++) {
      const slope = gradient[at] as number;
      mean[at] = keepMean * (mean[at] as number) + (1 - keepMean) * slope;
      square[at] = keepSquare * (square[at] as number) + (1 - keepSquare) * slope * slope;
      parameters[at] =
        (parameters[at] as number) -
        (scale * (mean[at] as number)) / (Math.sqrt(square[at] as number) + 1e-8);
    }
  };
}

/** Of words only those in the batch change, each number the less the more it has changed before. */
function createSparseAdagrad(own: Numbers, width: number) {
  const square = emptyLike(own, own.length);
  const slopes = emptyLike(own, own.length);
  return (batch: Batch, texts: Numbers, rate: number): void => {
    const changed = new Set<number>();
    for (const [text, words] of [...batch.left, ...batch.right].entries()) {
      for (const word of words) {
        addRow(slopes, word * width, texts, text * width, width);
        changed.add(word);
      }
    }
    for (const word of changed) {
      for (let at = word * width; at < (word + 1) * width; at++) {
        const slope = slopes[at] as number;
        if (slope === 0) continue;
        const seen = (square[at] as number) + slope * slope;
        square[at] = seen;
        own[at] = (own[at] as number) - (rate * slope) / (Math.sqrt(seen) + 1e-10);
        slopes[at] = 0;
      }
    }
  };
}
