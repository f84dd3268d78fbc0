import { setImmediate } from 'node:timers/promises';
import type { GrantRequest, RuleRequest, SimulatedDifference, SimulateResponse } from '@sallyport/contracts';
import type { Gateway } from '#domain';
import type { Clock } from '#foundation';
import type { PolicyChange, RecordedCall } from './contract.ts';
import { type Entry, type EntryList, fixedEntries } from './entries.ts';
import type { Grants } from './grants/contract.ts';
import { createGrants } from './grants/grants.ts';
import { matcherOf, matchesSubject } from './matching.ts';

export interface SimulateDeps {
  /** As they decide now. */
  readonly current: Grants;
  readonly grants: EntryList<GrantRequest>;
  readonly clock: Clock;
  readonly version: () => string;
}

/** Others are served between so many records and the next. */
const callsAtOnce = 100;

type Verdict = SimulatedDifference['simulated'];

/** Recorded calls decided again under a changed policy: what would differ from what was decided then. */
export async function simulate(
  { current, grants: entries, clock, version }: SimulateDeps,
  projectId: string,
  change: PolicyChange,
  recorded: readonly RecordedCall[],
): Promise<SimulateResponse> {
  const changed = fixedEntries(changedEntries(projectId, entries.list(projectId), change));
  const grants = createGrants({ entries: changed, clock, onExpired() {} });
  const added = (change.add_rules ?? []).map((rule) => ({ rule, matcher: matcherOf(rule) }));
  const removed = new Set(change.remove_rules);
  const { add_grants, remove_grants, add_rules, remove_rules, access } = change;
  const parts = [add_grants, remove_grants, add_rules, remove_rules, access];
  const isNothing = parts.every((part) => Object.keys(part ?? {}).length === 0);
  const differences: SimulatedDifference[] = [];
  let skipped = 0;
  for (const [index, call] of recorded.entries()) {
    if (index % callsAtOnce === 0) await setImmediate();
    if (call.target === null || (call.gatewaySlug !== null && call.gateway === null)) {
      skipped++;
      continue;
    }
    const gateway = withAccess(call.gateway, change);
    const simulated =
      grantVerdict(grants, call, gateway, isNothing ? null : current) ??
      addedRuleVerdict(added, call, gateway) ??
      removedRuleVerdict(removed, call);
    if (simulated !== null) differences.push(difference(call, simulated));
  }
  grants.close();
  return {
    policy_version: version(),
    checked: recorded.length,
    skipped,
    unchanged: recorded.length - skipped - differences.length,
    differences,
  };
}

function changedEntries(
  projectId: string,
  entries: readonly Entry<GrantRequest>[],
  { add_grants = [], remove_grants = [] }: PolicyChange,
): Entry<GrantRequest>[] {
  const removed = new Set(remove_grants);
  const dates = { createdAt: '', updatedAt: '' };
  const added = add_grants.map(
    (definition, index): Entry<GrantRequest> => ({
      id: `add_grants[${index}]`,
      projectId,
      origin: 'api',
      definition,
      ...dates,
    }),
  );
  return [...entries.filter(({ id }) => !removed.has(id)), ...added];
}

function withAccess(gateway: Gateway | null, { access = {} }: PolicyChange): Gateway | null {
  if (gateway === null || !Object.hasOwn(access, gateway.slug)) return gateway;
  return { ...gateway, access: access[gateway.slug] ?? gateway.access };
}

/**
 * Whether the grants would decide otherwise than they do now; with no `current`, otherwise than was recorded. `null`: they would
 * not. So a change is told from what has changed since, and from what a key or a hook refused.
 */
function grantVerdict(
  grants: Grants,
  call: RecordedCall,
  gateway: Gateway | null,
  current: Grants | null,
): Verdict | null {
  if (call.target === null) return null;
  const was =
    current === null
      ? call.code !== 'policy.not_granted'
      : current.decide(call.subject, call.gateway, call.target).allowed;
  const { allowed, grantIds } = grants.decide(call.subject, gateway, call.target);
  if (allowed === was) return null;
  const by = grantIds.length === 0 ? 'no grant' : `grant ${grantIds[0]}`;
  if (!allowed) return { decision: 'refused', code: 'policy.not_granted', reason: `${by} allows it` };
  const reason = grantIds.length === 0 ? 'the gateway is open' : `${by} allows it`;
  return { decision: 'allowed', code: null, reason };
}

/** Arguments and results are not recorded, so that a new rule would look at them is all that can be known. */
function addedRuleVerdict(
  added: readonly { readonly rule: RuleRequest; readonly matcher: ReturnType<typeof matcherOf> }[],
  call: RecordedCall,
  gateway: Gateway | null,
): Verdict | null {
  const { target, subject } = call;
  if (target === null || call.decision === 'refused') return null;
  const looking = added.find(
    ({ rule, matcher }) =>
      rule.enabled !== false &&
      rule.mode !== 'log_only' &&
      matcher.matches(gateway, target) &&
      matchesSubject(rule.subjects, subject),
  );
  if (looking === undefined) return null;
  const { name, direction, action } = looking.rule;
  const what = direction === 'input' ? 'the arguments' : 'the result';
  const reason = `rule ${JSON.stringify(name)} would look at ${what} and might ${action}; these are not recorded`;
  return { decision: 'undetermined', code: null, reason };
}

function removedRuleVerdict(removed: ReadonlySet<string>, { policy }: RecordedCall): Verdict | null {
  const acted = policy?.rules.filter(({ outcome }) => !outcome.startsWith('would_')) ?? [];
  const gone = acted.filter(({ id }) => removed.has(id));
  const [first] = gone;
  if (first === undefined) return null;
  const others = acted.some(({ id, outcome }) => !removed.has(id) && outcome === first.outcome);
  if (others) return null;
  return first.outcome === 'redacted'
    ? { decision: 'allowed', code: null, reason: `rule ${first.id} would not redact anything` }
    : { decision: 'undetermined', code: null, reason: `rule ${first.id} would not have ${first.outcome} it` };
}

function difference(call: RecordedCall, simulated: Verdict): SimulatedDifference {
  return {
    event_id: call.eventId,
    time: call.time,
    user_id: call.subject.userId,
    gateway: call.gatewaySlug,
    tool: call.toolName,
    recorded: { decision: call.decision, code: call.code },
    simulated,
  };
}
