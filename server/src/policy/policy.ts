import type { GrantRequest, LimitRequest, RuleRequest } from '@sallyport/contracts';
import type { Gateway } from '#domain';
import type { Egress } from '#egress';
import type { Clock, Sealer } from '#foundation';
import type { Db, Redis } from '#storage';
import type { Log, Metrics } from '#telemetry';
import type { Vault } from '#vault';
import { admit } from './admit.ts';
import { createApprovals } from './approvals/approvals.ts';
import type { Policy } from './contract.ts';
import { createDecide } from './decide.ts';
import { createEntries, type Entry, type EntryList } from './entries.ts';
import { explain } from './explain.ts';
import { createGrants } from './grants/grants.ts';
import type { KeptHook, KeptPlugin } from './hooks/contract.ts';
import { createHooks } from './hooks/hooks.ts';
import { createLimits } from './limits/limits.ts';
import type { Parts } from './parts.ts';
import { overheard, passesUnread, passing, release, releaseFailure } from './release.ts';
import { checkRule, createRules, redactsOutputs } from './rules/rules.ts';
import { simulate } from './simulate.ts';
import { createStandsAlone } from './stands-alone.ts';

export interface PolicyDeps {
  readonly db: Db;
  /** Seals plugins: they hold what their servers are asked with. */
  readonly vault: Vault;
  /** Where replicas count together; `null`: each for itself. */
  readonly redis: Redis | null;
  readonly egress: Egress;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly log: Log;
  /** Its own unless told. */
  readonly metrics?: Metrics;
  /** The gateway as it is defined now. */
  readonly currentGateway: (gateway: Gateway) => Gateway | null;
}

/** Loads everything that was laid down. */
export async function createPolicy({
  db,
  vault,
  redis,
  egress,
  sealer,
  clock,
  metrics,
  currentGateway,
}: PolicyDeps): Promise<Policy> {
  const listeners: ((slug: string | null) => void)[] = [];
  const changed = (slug: string | null) => {
    for (const listener of listeners) listener(slug);
  };
  const grantEntries = await createEntries<GrantRequest>(db, 'grant', clock);
  const ruleEntries = await createEntries<RuleRequest>(db, 'rule', clock);
  const limitEntries = await createEntries<LimitRequest>(db, 'limit', clock);
  const pluginEntries = await createEntries<KeptPlugin>(db, 'plugin', clock, vault);
  const hookEntries = await createEntries<KeptHook>(db, 'hook', clock);
  const grants = createGrants({ entries: grantEntries, clock, onExpired: changed });
  const version = createVersion([grants, ruleEntries, limitEntries, pluginEntries, hookEntries]);
  const rules = createRules(ruleEntries);
  const limits = createLimits({ entries: limitEntries, clock, redis });
  const hooked = createHooks({
    plugins: pluginEntries,
    hooks: hookEntries,
    egress,
    redis,
    clock,
    ...(metrics && { metrics }),
    onAccessChanged: () => changed(null),
  });
  const hooks = hooked.asking;
  const approvals = createApprovals({ db, sealer, clock });
  grantEntries.onChange((...entries) => gatewaysOf(entries).forEach(changed));
  // Lists tell nothing of outputs that are redacted.
  ruleEntries.onChange((...entries) =>
    gatewaysOf(entries.filter((entry) => entry !== null && redactsOutputs(entry))).forEach(changed),
  );

  const knownClaims = new Map<string, { readonly version: string; readonly names: ReadonlySet<string> }>();
  const claimNames = (projectId: string) => {
    const known = knownClaims.get(projectId);
    if (known?.version === version()) return known.names;
    const names = new Set([...grants.claimNames(projectId), ...rules.claimNames(projectId)]);
    knownClaims.set(projectId, { version: version(), names });
    return names;
  };
  const parts: Parts = {
    grants,
    rules,
    limits,
    hooks,
    approvals,
    clock,
    version,
    claimNames,
    currentGateway,
  };

  const decide = createDecide(parts);
  return {
    ...decide,
    admit: (grant, request) => admit(parts, grant, request),
    release: (admission, request, returned) => release(parts, admission, request, returned),
    passesUnread: (grant) => passesUnread(parts, grant),
    releaseFailure: (grant, failure) => releaseFailure(parts, grant, failure),
    readsOutputs: (projectId) => hooks.has(projectId, 'post'),
    redactions: rules.redactions,
    standsAlone: createStandsAlone({ rules: ruleEntries, limits: limitEntries, hooks, version }),
    passing: (grant, what, value) => passing(parts, grant, what, value),
    overheard: (asking, value) => overheard(parts, asking, value),
    grants: grantEntries,
    rules: ruleEntries,
    limits: limitEntries,
    plugins: hooked.plugins,
    hooks: hooked.hooks,
    approvals,
    version,
    checkRule,
    explain: (about) => explain({ parts, rules: ruleEntries, authorize: decide.authorize }, about),
    simulate: (projectId, change, recorded) =>
      simulate({ current: grants, grants: grantEntries, clock, version }, projectId, change, recorded),
    onChange: (listener) => void listeners.push(listener),
    close() {
      grants.close();
      limits.close();
      hooks.close();
    },
  };
}

/** The slugs of the gateways that these are for; `null` for every gateway. */
function gatewaysOf(
  entries: readonly (Entry<GrantRequest | RuleRequest> | null)[],
): readonly (string | null)[] {
  const slugs = entries.flatMap((entry) => (entry === null ? [] : [entry.definition.gateway ?? null]));
  return slugs.includes(null) ? [null] : [...new Set(slugs)];
}

/** A name for the state of all of these. */
function createVersion(all: readonly Pick<EntryList<unknown>, 'revision' | 'fingerprint'>[]): () => string {
  let knownRevision = -1;
  let knownVersion = '';
  return () => {
    const revision = all.reduce((sum, entries) => sum + entries.revision(), 0);
    if (revision !== knownRevision) {
      knownVersion = all.map((entries) => entries.fingerprint().slice(0, 8)).join('');
      knownRevision = revision;
    }
    return knownVersion;
  };
}
