/** Where one signal is sent, and how. */
export interface SignalSettings {
  /** The address that is posted to; without user information. */
  readonly endpoint: string;
  /** Secret. */
  readonly headers: Readonly<Record<string, string>>;
  readonly protocol: 'http/protobuf' | 'http/json';
  readonly compression: 'gzip' | 'none';
  /** For each request. */
  readonly timeoutMs: number;
  /** Certificates in PEM; `null`: those that the system trusts. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | null;
}

/** How what happened is gathered. */
export interface BatchSettings {
  readonly delayMs: number;
  readonly maxQueue: number;
  readonly maxBatch: number;
  /** For a batch with all that it is sent again. */
  readonly exportTimeoutMs: number;
}

export type SamplerSettings = {
  readonly root: 'always_on' | 'always_off' | 'traceidratio';
  /** Of `traceidratio`: 0 to 1. */
  readonly ratio: number;
  /** Whether a trace that began elsewhere is kept as its sender decided. */
  readonly parentBased: boolean;
};

/** What is sent to an OpenTelemetry collector; a signal that is `null` is sent nowhere. */
export interface OtlpSettings {
  /** Says of whom it is; `service.name` among it. */
  readonly resource: Readonly<Record<string, string>>;
  readonly propagation: { readonly tracecontext: boolean; readonly baggage: boolean };
  readonly traces:
    | (SignalSettings & { readonly batch: BatchSettings; readonly sampler: SamplerSettings })
    | null;
  readonly metrics:
    | (SignalSettings & { readonly intervalMs: number; readonly exportTimeoutMs: number })
    | null;
  readonly logs: (SignalSettings & { readonly batch: BatchSettings }) | null;
}

export type Signal = 'traces' | 'metrics' | 'logs';
