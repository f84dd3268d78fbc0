/** A number that only grows. */
export interface Counter {
  add(count?: number): void;
}

export interface Gauge {
  set(value: number): void;
}

/** Durations in milliseconds, told in seconds. */
export interface Histogram {
  observe(ms: number): void;
}

/**
 * A metric with labels. `of` finds the series of these values, in the order of the labels' names; keep what it returns
 * where it is used on every call. Values come from closed sets, or from what an administrator named: never a user, a key,
 * or text that anybody may choose.
 */
export interface Family<Instrument> {
  of(...values: readonly string[]): Instrument;
  /** Forgets the series whose first values are these, all where none is named: what they told of is gone. */
  forget(...values: readonly string[]): void;
}

export interface MetricName {
  /** As Prometheus spells it, `sallyport_calls_total`, with its unit; it stands in `docs/metrics.md`. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

export interface GaugeName extends MetricName {
  /** What the gauges of several processes make together; their sum unless told. */
  readonly together?: Together;
}
export type Together = 'sum' | 'max' | 'min';

/**
 * Every metric of this process. Metrics are made once, when a room is built. Each keeps so many series and no more; what comes
 * then is added to one whose labels all say `other`.
 */
export interface Metrics {
  counter(metric: MetricName): Family<Counter>;
  gauge(metric: GaugeName): Family<Gauge>;
  histogram(metric: MetricName): Family<Histogram>;
  /** Called before the metrics are read: for what is looked up only then. */
  beforeRead(collect: () => void | Promise<void>): void;
  read(): Promise<readonly MetricSnapshot[]>;
}

/** One metric as it stands: plain data, so that those of several processes can be added up. */
export interface MetricSnapshot {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly together: Together;
  readonly labels: readonly string[];
  readonly series: readonly SeriesSnapshot[];
}

export interface SeriesSnapshot {
  readonly values: readonly string[];
  /** Of a counter or a gauge. */
  readonly value: number;
  /** Of a histogram: how many in each bucket (not added up), the last one for what is above all bounds, and their sum in seconds. */
  readonly counts?: readonly number[];
  readonly sum?: number;
}
