/** `GET /v1/status`: what is wrong now, and the facts that say so. */

export const statusProblems = [
  'process.stopping',
  'process.missing',
  'database.unreachable',
  'audit.unwritable',
  'audit.behind',
  'vault.cannot_seal',
  'vault.root_key_beside_data',
  'source.unhealthy',
  'config.mistakes',
  'redis.unreachable',
  'telemetry.exporter_failing',
  'hook.failing',
  'user_source.failing',
  'auth_provider.failing',
  'hub.model_failing',
] as const;
export type StatusProblemCode = (typeof statusProblems)[number];

export interface StatusProblem {
  code: StatusProblemCode;
  /** `down`: nothing is served; `degraded`: something is not; `notice`: everything is, and it should be looked at. */
  severity: 'down' | 'degraded' | 'notice';
  what: string;
  /** ISO 8601; `null` where it is not known. */
  since: string | null;
  /** What to do about it. */
  advice: string;
  /** The page of the documentation that tells more. */
  docs: string;
}

export interface StatusResponse {
  status: 'ok' | 'degraded' | 'down';
  /** The heaviest first. */
  problems: StatusProblem[];
  version: string;
  checked_at: string;
  project_id: string;
  sources: StatusSources;
  /** What was called in the last minutes, through this replica. */
  traffic: StatusTraffic;
  /** Hook servers that do not say that they are well; left out for who may not look at policies. */
  hooks?: { count: number; failing: { plugin_id: string; name: string; health: string }[] };
  /** Left out for who may decide none. */
  approvals?: { pending_count: number | null };
  /** For whoever administers the installation. */
  installation?: StatusInstallation;
}

export interface StatusSources {
  count: number;
  healthy_count: number;
  disabled_count: number;
  /** Not looked at yet. */
  unknown_count: number;
  unhealthy: {
    id: string;
    /** The step of every call that fails; `null` where none was taken. */
    failed_step: string | null;
    message: string;
    since: string | null;
    checked_at: string | null;
  }[];
}

export interface StatusTraffic {
  window_seconds: number;
  allowed: number;
  refused: number;
  failed: number;
  /** By error code, the most frequent first. */
  refusals: { code: string; count: number }[];
}

export interface StatusInstallation {
  started_at: string;
  uptime_seconds: number;
  stopping: boolean;
  /** Of this replica. */
  processes: { wanted: number; serving: number };
  database: { kind: string; ok: boolean; survives: string; error: string | null };
  audit: {
    durability: 'relaxed' | 'strict';
    writable: boolean;
    /** Journalled, and not yet in the database. */
    behind_bytes: number;
    survives: string;
    error: string | null;
  };
  vault: {
    root_key: string;
    /** Where the root key lies beside what it seals. */
    beside_data: 'file' | 'database' | null;
    /** Keys that records still move away from. */
    retired_keys: number;
    seals: boolean;
  };
  /** `null` where there is none. */
  redis: { ok: boolean } | null;
  config: { mistakes: string[] };
  telemetry: {
    exporters: {
      signal: 'traces' | 'metrics' | 'logs';
      ok: boolean;
      endpoint: string;
      error: string | null;
      failing_since: string | null;
    }[];
  };
  /** Of all projects. */
  sources: { count: number; unhealthy_count: number };
}
