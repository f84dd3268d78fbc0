import type { Audit } from '#audit';
import { messageOf } from '#foundation';
import type { Identity } from '#identity';
import type { Sources } from '#sources';
import type { Db, Redis } from '#storage';
import type { MetricSnapshot, Telemetry } from '#telemetry';
import type { Vault } from '#vault';
import type { InstallationFacts, Readiness } from '#wire';
import { projectId as firstProjectId } from './declared.ts';
import type { OpenHub } from './open-hub.ts';
import { projectIds } from './project-ids.ts';

export interface ReadinessParts {
  readonly db: Db;
  readonly redis: Redis | null;
  readonly audit: Audit;
  readonly sources: Sources;
  readonly identity: Identity;
  readonly vault: Vault;
  readonly durability: 'relaxed' | 'strict';
  readonly telemetry: Pick<Telemetry, 'exporters'>;
  readonly hub: Pick<OpenHub, 'failingModels'> | null;
  /** What is wrong with the config file as it stands now, and what of the one that acts has no effect. */
  readonly configMistakes: () => readonly string[];
  readonly stopping: () => boolean;
  readonly processes: () => InstallationFacts['processes'];
  readonly startedAtMs: number;
}

export interface Facts extends InstallationFacts {
  /** Of the first project. */
  readonly unhealthySources: readonly string[];
}

/** What this process knows of itself and of what it needs; asked anew each time. */
export async function gatherFacts(parts: ReadinessParts): Promise<Facts> {
  const { db, redis, audit, vault, durability, telemetry } = parts;
  const error = await db.ping().then(
    () => null,
    (thrown: unknown) => messageOf(thrown),
  );
  const { bytes, ...lag } = audit.lag();
  const sources = projectIds(parts.identity.people)
    .flatMap((project) => parts.sources.list(project))
    .filter(({ enabled }) => enabled);
  const unhealthy = sources.filter(
    ({ projectId, id }) => parts.sources.status(projectId, id).state === 'unhealthy',
  );
  return {
    startedAtMs: parts.startedAtMs,
    stopping: parts.stopping(),
    processes: parts.processes(),
    database: {
      kind: db.kind,
      survives:
        db.kind === 'postgres'
          ? 'what the PostgreSQL server promises'
          : 'a crash of the process, not a power cut',
      error,
    },
    audit: {
      ...lag,
      durability,
      behindBytes: bytes,
      survives:
        durability === 'strict'
          ? 'a power cut'
          : 'a crash of the process; a power cut but for the last 10 ms',
    },
    vault: vault.status(),
    redis: redis === null ? null : { isWell: redis.isWell() },
    configMistakes: parts.configMistakes(),
    exporters: telemetry.exporters(),
    failingModels: parts.hub?.failingModels() ?? [],
    sources: { count: sources.length, unhealthyCount: unhealthy.length },
    unhealthySources: unhealthy.flatMap(({ projectId, id }) => (projectId === firstProjectId ? [id] : [])),
  };
}

/** The same, of all processes: each has a journal of its own, and sends traces and logs itself. */
export async function gatherAll(
  parts: ReadinessParts,
  metrics: () => Promise<readonly MetricSnapshot[]>,
): Promise<InstallationFacts> {
  const [{ audit, ...facts }, read] = await Promise.all([gatherFacts(parts), metrics()]);
  const series = (name: string) => read.find((metric) => metric.name === name)?.series ?? [];
  const gauge = (name: string) => series(name)[0]?.value;
  const writable = audit.writable && gauge('sallyport_audit_writable') !== 0;
  const behindBytes = gauge('sallyport_audit_behind_bytes') ?? audit.behindBytes;
  const failing = series('sallyport_telemetry_exporter_up').filter(({ value }) => value === 0);
  const exporters = facts.exporters.map((own) => {
    if (!own.ok || !failing.some(({ values }) => values[0] === own.signal)) return own;
    return { ...own, ok: false, error: 'what another process sends is not taken; the log says why' };
  });
  return { ...facts, audit: { ...audit, writable, behindBytes }, exporters };
}

/**
 * One entry for each thing this process needs. Sources, Redis, the vault and telemetry are told but do not make it unready: the
 * calls of a source say so themselves, limits are counted without Redis, and what was sealed before goes on opening.
 */
export async function checkReadiness(
  parts: ReadinessParts,
): Promise<Readiness & { readonly missing: string | null }> {
  const facts = await gatherFacts(parts);
  const { database, audit, configMistakes: mistakes, exporters } = facts;
  const checks = {
    process: { ok: !facts.stopping, ...(facts.stopping ? { error: 'stopping' } : {}) },
    database: {
      ok: database.error === null,
      kind: database.kind,
      survives: database.survives,
      ...(database.error === null ? {} : { error: 'does not answer' }),
    },
    audit: {
      ok: audit.writable && audit.error === null,
      survives: audit.survives,
      behind_bytes: audit.behindBytes,
      ...auditError(audit),
    },
    sources: {
      ok: facts.sources.unhealthyCount === 0,
      count: facts.sources.count,
      // Anybody may ask here; addresses and reasons, and the names of other projects', are told to who may read workers.
      unhealthy: facts.unhealthySources,
      unhealthy_count: facts.sources.unhealthyCount,
    },
    ...redisCheck(facts.redis),
    vault: vaultCheck(facts.vault),
    ...telemetryCheck(exporters),
    config: { ok: mistakes.length === 0, mistakes },
  };
  const needed = { process: checks.process.ok, database: checks.database.ok, audit: audit.writable };
  const missing = Object.entries(needed).find(([, isThere]) => !isThere)?.[0] ?? null;
  return { ready: missing === null, missing, checks };
}

const lies = {
  file: 'in the data directory, beside what it seals',
  database: 'in the database, beside what it seals',
};

function vaultCheck({ besideData, retired, seals }: Facts['vault']) {
  const rootKey = besideData === null ? 'apart from what it seals' : lies[besideData];
  const error = 'a vault key of another replica cannot be had, so nothing can be sealed; the log says why';
  return { ok: seals, root_key: rootKey, moving: retired > 0, ...(seals ? {} : { error }) };
}

/** Why, with addresses and paths, is told to who administers the installation (`/v1/status`): anybody may ask here. */
function auditError({ writable, error }: Facts['audit']) {
  if (error === null) return {};
  return { error: writable ? 'cannot be moved into the database' : 'cannot be written' };
}

/** Why it does not answer is in the log: anybody may ask here. */
function redisCheck(redis: Facts['redis']) {
  if (redis === null) return {};
  const error = 'does not answer as it should; this replica counts for itself';
  return { redis: redis.isWell ? { ok: true } : { ok: false, error } };
}

/** Where to, and why not, is told to who administers the installation (`/v1/status`). */
function telemetryCheck(exporters: Facts['exporters']) {
  if (exporters.length === 0) return {};
  const signals = exporters.map(({ signal, ok, failingSince }) => {
    const failing = { ok, error: 'does not arrive', failing_since: failingSince };
    return [signal, ok ? { ok } : failing] as const;
  });
  return { telemetry: { ok: exporters.every(({ ok }) => ok), ...Object.fromEntries(signals) } };
}
