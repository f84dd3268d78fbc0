import type { GrantRequest, LimitRequest, RuleRequest } from '@sallyport/contracts';
import type { Gateway } from '#domain';
import type { Egress } from '#egress';
import type { Clock, Sealer } from '#foundation';
import type { Changes, Db, Redis } from '#storage';
import type { Log, Metrics } from '#telemetry';
import type { Vault } from '#vault';
import { admit } from './admit.ts';
import { createApprovals } from './approvals/approvals.ts';
import type { Policy } from './contract.ts';
import { createDecide } from './decide.ts';
import { createEntries, type Entry, type EntryList } from './entries.ts';
import { explain } from './explain.ts';
import { createForeseen } from './foreseen.ts';
import { gatewaysOf } from './gateways-of.ts';
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
  readonly changes: Changes;
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
export async function createPolicy(deps: PolicyDeps): Promise<Policy> {
  const { redis, egress, clock, metrics, currentGateway } = deps;
  const listeners: Parameters<Policy['onChange']>[0][] = [];
  const changed = (projectId: string, slug: string | null) => {
    for (const listener of listeners) listener(projectId, slug);
  };
  const changedFor = (these: readonly (Entry<GrantRequest | RuleRequest> | null)[]) => {
    for (const [projectId, slug] of gatewaysOf(these)) changed(projectId, slug);
  };
  const entries = await loadEntries(deps);
  const grants = createGrants({ entries: entries.grants, clock, onExpired: changedFor });
  const version = createVersion([grants, entries.rules, entries.limits, entries.plugins, entries.hooks]);
  const rules = createRules(entries.rules);
  const limits = createLimits({ entries: entries.limits, clock, redis });
  const hooked = createHooks({
    plugins: entries.plugins,
    hooks: entries.hooks,
    egress,
    redis,
    clock,
    ...(metrics && { metrics }),
    onAccessChanged: (projectId) => changed(projectId, null),
  });
  const hooks = hooked.asking;
  const approvals = createApprovals(deps);
  entries.grants.onChange((...both) => changedFor(both));
  // Lists tell nothing of outputs that are redacted.
  entries.rules.onChange((...both) =>
    changedFor(both.filter((entry) => entry !== null && redactsOutputs(entry))),
  );

  const parts: Parts = {
    grants,
    rules,
    limits,
    hooks,
    approvals,
    clock,
    version,
    claimNames: createClaimNames([grants, rules], version),
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
    standsAlone: createStandsAlone({ rules: entries.rules, limits: entries.limits, hooks, version }),
    passing: (grant, what, value) => passing(parts, grant, what, value),
    overheard: (asking, value) => overheard(parts, asking, value),
    foreseen: createForeseen(entries),
    grants: entries.grants,
    rules: entries.rules,
    limits: entries.limits,
    plugins: hooked.plugins,
    hooks: hooked.hooks,
    approvals,
    version,
    checkRule,
    explain: (about) => explain({ parts, rules: entries.rules, authorize: decide.authorize }, about),
    simulate: (projectId, change, recorded) =>
      simulate({ current: grants, grants: entries.grants, clock, version }, projectId, change, recorded),
    onChange: (listener) => void listeners.push(listener),
    close() {
      grants.close();
      limits.close();
      hooks.close();
    },
  };
}

type ClaimNames = (projectId: string) => ReadonlySet<string>;

/** What all of these say, remembered as long as their version is the same. */
function createClaimNames(
  all: readonly { readonly claimNames: (projectId: string) => Iterable<string> }[],
  version: () => string,
): ClaimNames {
  const known = new Map<string, { readonly version: string; readonly names: ReadonlySet<string> }>();
  return (projectId) => {
    const before = known.get(projectId);
    if (before?.version === version()) return before.names;
    const names = new Set(all.flatMap((one) => [...one.claimNames(projectId)]));
    known.set(projectId, { version: version(), names });
    return names;
  };
}

async function loadEntries(deps: PolicyDeps) {
  return {
    grants: await createEntries<GrantRequest>(deps, 'grant'),
    rules: await createEntries<RuleRequest>(deps, 'rule'),
    limits: await createEntries<LimitRequest>(deps, 'limit'),
    plugins: await createEntries<KeptPlugin>(deps, 'plugin', deps.vault),
    hooks: await createEntries<KeptHook>(deps, 'hook'),
  };
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
