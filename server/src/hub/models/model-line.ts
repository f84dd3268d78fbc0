import type { Egress } from '#egress';
import { type Clock, err, type Result } from '#foundation';
import type { Family, Gauge, Histogram, Log, Metrics } from '#telemetry';
import { createCircuit } from './circuit.ts';
import type { FailingModel, ModelUse } from './contract.ts';
import { createEndpoint, type ModelFailure, type ModelQuestion } from './endpoint.ts';

export interface LineDeps {
  readonly egress: Egress;
  readonly clock: Clock;
  readonly log: Log;
  readonly observed: ObservedModels;
}

/** A model, asked for one thing. It is left alone while it does not answer; how it does is seen by whoever runs the server. */
export interface ModelLine {
  ask<Answer>(question: ModelQuestion<Answer>): Promise<Result<Answer, ModelFailure>>;
  /** For how long it will not be asked; 0: it may be. */
  restsMs(): number;
  close(): void;
}

export interface ObservedModels {
  readonly durations: Family<Histogram>;
  readonly up: Family<Gauge>;
  readonly failing: Map<ModelUse, FailingModel>;
}

export function observeModels(metrics: Metrics): ObservedModels {
  return {
    failing: new Map(),
    durations: metrics.histogram({
      name: 'sallyport_model_duration_seconds',
      help: 'What models that search uses took to answer.',
      labels: ['use', 'outcome'],
    }),
    up: metrics.gauge({
      name: 'sallyport_model_up',
      help: '0 while a model that search uses does not answer as it should, and is done without.',
      labels: ['use'],
      together: 'min',
    }),
  };
}

export function createModelLine(
  use: ModelUse,
  settings: { readonly url: string; readonly key?: string | undefined; readonly model: string },
  { egress, clock, log, observed }: LineDeps,
): ModelLine {
  const endpoint = createEndpoint(settings, { egress, clock });
  const { model } = settings;
  const up = observed.up.of(use);
  up.set(1);
  let isClosed = false;
  const circuit = createCircuit({
    clock,
    onChange(reason) {
      up.set(reason === null ? 1 : 0);
      if (reason === null) {
        observed.failing.delete(use);
        log.info({ use, model }, 'a model that search uses answers again');
        return;
      }
      const failing = { use, model, error: reason };
      observed.failing.set(use, { ...failing, since: clock.iso() });
      log.warn(failing, 'a model that search uses does not answer as it should; search does without it');
    },
  });

  function told(failure: ModelFailure): void {
    // Those that were under way when it was replaced tell nothing.
    if (isClosed || failure.outcome === 'aborted') circuit.abandoned();
    else circuit.failed(failure.reason, failure.restMs);
  }

  return {
    async ask(question) {
      if (!circuit.admits()) {
        observed.durations.of(use, 'resting').observe(0);
        return err({
          outcome: 'resting',
          reason: 'it is left alone for a while',
          restMs: circuit.restsMs(),
          isOurs: false,
        });
      }
      const startedAt = clock.monotonic();
      const answer = await endpoint.ask(question);
      const outcome = answer.ok ? 'answered' : answer.error.outcome;
      observed.durations.of(use, outcome).observe(clock.monotonic() - startedAt);
      if (answer.ok) circuit.answered();
      else told(answer.error);
      return answer;
    },
    restsMs: circuit.restsMs,
    close() {
      isClosed = true;
      observed.up.forget(use);
      observed.failing.delete(use);
      endpoint.close();
    },
  };
}
