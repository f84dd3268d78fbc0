import type { Models } from '#hub';
import type { ExporterStatus } from '#telemetry';

/** What is known of this process and of what it needs, of all projects. */
export interface InstallationFacts {
  /** Milliseconds since the Unix epoch. */
  readonly startedAtMs: number;
  readonly stopping: boolean;
  readonly processes: { readonly wanted: number; readonly serving: number };
  /** `error`: why it does not answer; `null` where it does. */
  readonly database: { readonly kind: string; readonly survives: string; readonly error: string | null };
  readonly audit: {
    readonly durability: 'relaxed' | 'strict';
    readonly survives: string;
    readonly writable: boolean;
    readonly behindBytes: number;
    readonly error: string | null;
  };
  readonly vault: {
    readonly rootKeyId: string;
    readonly besideData: 'file' | 'database' | null;
    readonly retired: number;
    readonly seals: boolean;
  };
  /** `null` where there is none. */
  readonly redis: { readonly isWell: boolean } | null;
  readonly configMistakes: readonly string[];
  readonly exporters: readonly ExporterStatus[];
  /** Models of the hub that do not answer as they should. */
  readonly failingModels: ReturnType<Models['failing']>;
  readonly sources: { readonly count: number; readonly unhealthyCount: number };
}

/** What the audit recorded of one project in the last minutes. */
export interface Traffic {
  readonly windowMs: number;
  readonly allowed: number;
  readonly refused: number;
  readonly failed: number;
  readonly byCode: ReadonlyMap<string, number>;
}

/** What compose says to the status page. */
export interface StatusFacts {
  installation(): Promise<InstallationFacts>;
  traffic(projectId: string): Promise<Traffic>;
}
