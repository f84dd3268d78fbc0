import type { Audit } from '#audit';
import { messageOf } from '#foundation';
import type { Identity } from '#identity';
import type { Sources } from '#sources';
import type { Db, Redis } from '#storage';
import type { Vault } from '#vault';
import type { Readiness } from '#wire';
import { projectId as firstProjectId } from './declared.ts';
import { projectIds } from './project-ids.ts';

export interface ReadinessParts {
  readonly db: Db;
  readonly redis: Redis | null;
  readonly audit: Audit;
  readonly sources: Sources;
  readonly identity: Identity;
  readonly vault: Vault;
  readonly durability: 'relaxed' | 'strict';
  /** What is wrong with the config file as it stands now, and what of the one that acts has no effect. */
  readonly configMistakes: () => readonly string[];
  readonly stopping: () => boolean;
}

/**
 * One entry for each thing this process needs. Sources, Redis and the vault are told but do not make it unready: the calls of a source
 * say so themselves, limits are counted without Redis, and what was sealed before goes on opening.
 */
export async function checkReadiness(
  parts: ReadinessParts,
): Promise<Readiness & { readonly missing: string | null }> {
  const database = await parts.db.ping().then(
    () => null,
    (error: unknown) => messageOf(error),
  );
  const lag = parts.audit.lag();
  const sources = projectIds(parts.identity.people)
    .flatMap((project) => parts.sources.list(project))
    .filter(({ enabled }) => enabled);
  const unhealthy = sources.filter(
    ({ projectId, id }) => parts.sources.status(projectId, id).state === 'unhealthy',
  );
  const mistakes = parts.configMistakes();
  const checks = {
    process: { ok: !parts.stopping(), ...(parts.stopping() ? { error: 'stopping' } : {}) },
    database: {
      ok: database === null,
      kind: parts.db.kind,
      survives:
        parts.db.kind === 'pglite'
          ? 'a crash of the process, not a power cut'
          : 'what the PostgreSQL server promises',
      ...(database === null ? {} : { error: database }),
    },
    audit: {
      ok: lag.writable && lag.error === null,
      survives:
        parts.durability === 'strict'
          ? 'a power cut'
          : 'a crash of the process; a power cut but for the last 5 ms',
      behind_bytes: lag.bytes,
      ...(lag.error === null ? {} : { error: lag.error }),
    },
    sources: {
      ok: unhealthy.length === 0,
      count: sources.length,
      // Anybody may ask here; addresses and reasons, and the names of other projects', are told to who may read workers.
      unhealthy: unhealthy.flatMap(({ projectId, id }) => (projectId === firstProjectId ? [id] : [])),
      unhealthy_count: unhealthy.length,
    },
    ...redisCheck(parts.redis),
    vault: vaultCheck(parts.vault),
    config: { ok: mistakes.length === 0, mistakes },
  };
  const needed = { process: checks.process.ok, database: checks.database.ok, audit: lag.writable };
  const missing = Object.entries(needed).find(([, isThere]) => !isThere)?.[0] ?? null;
  return { ready: missing === null, missing, checks };
}

const lies = {
  file: 'in the data directory, beside what it seals',
  database: 'in the database, beside what it seals',
};

function vaultCheck(vault: Vault) {
  const { besideData, retired, seals } = vault.status();
  const rootKey = besideData === null ? 'apart from what it seals' : lies[besideData];
  const error = 'a vault key of another replica cannot be had, so nothing can be sealed; the log says why';
  return { ok: seals, root_key: rootKey, moving: retired > 0, ...(seals ? {} : { error }) };
}

/** Why it does not answer is in the log: anybody may ask here. */
function redisCheck(redis: Redis | null) {
  if (redis === null) return {};
  const error = 'does not answer as it should; this replica counts for itself';
  return { redis: redis.isWell() ? { ok: true } : { ok: false, error } };
}
