import type { Clock } from '#foundation';
import type { Histogram, Metrics, Span } from '#telemetry';

/** What a call goes through, in its order; the first of it happened at the door. */
export const stageNames = [
  'authenticate',
  'resolve',
  'authorize',
  'consent',
  'screen_input',
  'attach_credential',
  'dispatch',
  'screen_output',
  'record',
] as const;
export type Stage = (typeof stageNames)[number];

/** How long each stage of one call takes; and where it is sampled, a span for each. */
export interface Stages {
  /** Of the stage under way: what is asked of others meanwhile is below it. */
  readonly span: Span;
  /** Ends the stage before; `error`: the code of what it failed with. */
  enter(stage: Stage, error?: string | null): void;
  end(): void;
}

/** Begins with the stage at the door. */
export type BeginStages = (call: { readonly startedAt: number; readonly span: Span }) => Stages;

export function createStages(clock: Clock, metrics: Metrics): BeginStages {
  const family = metrics.histogram({
    name: 'sallyport_stage_duration_seconds',
    help: 'What each stage of a call took.',
    labels: ['stage'],
  });
  const times = Object.fromEntries(stageNames.map((stage) => [stage, family.of(stage)])) as Times;
  return ({ startedAt, span }) => new StagesOfCall(clock, times, startedAt, span);
}

type Times = Readonly<Record<Stage, Histogram>>;

/** One for each call: a stage of a call that is not sampled costs the time of day and an addition. */
class StagesOfCall implements Stages {
  span: Span;
  readonly #clock: Clock;
  readonly #times: Times;
  readonly #whole: Span;
  #stage: Stage = 'authenticate';
  #since: number;

  constructor(clock: Clock, times: Times, startedAt: number, whole: Span) {
    this.#clock = clock;
    this.#times = times;
    this.#whole = whole;
    this.#since = startedAt;
    this.span = whole.sampled ? whole.child('authenticate', { startedAt }) : whole;
  }

  enter(stage: Stage, error: string | null = null): void {
    const now = this.#over(error);
    this.#stage = stage;
    this.#since = now;
    if (this.#whole.sampled) this.span = this.#whole.child(stage, { startedAt: now });
  }

  end(): void {
    this.#over(null);
  }

  #over(error: string | null): number {
    const now = this.#clock.monotonic();
    this.#times[this.#stage].observe(now - this.#since);
    if (this.#whole.sampled) this.span.end(error);
    return now;
  }
}
