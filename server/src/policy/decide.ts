import { type Caller, type GlobSet, type RuleTarget, refusal, type Tool } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { Asking, Grant, Policy, PolicyRefusal } from './contract.ts';
import type { Parts } from './parts.ts';
import { newTrace } from './trace.ts';

/** The one decision: who may see and use what. The brand of a `Grant` exists only in types; this is the one place that gives it. */
export function createDecide(parts: Parts): Pick<Policy, 'permits' | 'visible' | 'authorize'> {
  const { grants, hooks, version, claimNames } = parts;

  function decide(asking: Asking): Result<Grant, PolicyRefusal> {
    const { caller, gateway, target } = asking;
    const { allowed, grantIds } = grants.decide(caller, gateway, target);
    const trace = newTrace(asking, version(), grantIds, claimNames(target.projectId));
    if (!mayByKey(caller, target)) {
      return notGranted(target, `API key ${caller.principal.id} is restricted to other tools`, trace);
    }
    if (!allowed) {
      const reason =
        grantIds.length > 0
          ? `grant ${grantIds[0]} denies it`
          : 'the gateway takes grants, and none allows it';
      return notGranted(target, reason, trace);
    }
    return ok({ caller, gateway, target, trace, sent: { args: {}, approved: nobody } } as unknown as Grant);
  }

  return {
    permits: ({ caller, gateway, target }) =>
      mayByKey(caller, target) && grants.decide(caller, gateway, target).allowed,

    visible(caller, gateway, items, targetOf) {
      const granted = grants.filter(caller, gateway, items, targetOf);
      const { tools, projectId } = caller.principal;
      const permitted = tools === null ? granted : permittedByKey(granted, tools, targetOf);
      if (!hooks.has(projectId, 'access')) return permitted;
      const asked = permitted.map(targetOf).filter(isTool);
      if (asked.length === 0) return permitted;
      return hooks.access(projectId, caller, asked, null).then((answer) =>
        permitted.filter((item) => {
          const target = targetOf(item);
          return !isTool(target) || answer.allows(target);
        }),
      );
    },

    authorize(asking) {
      const decided = decide(asking);
      const { caller, target } = asking;
      if (!decided.ok || !isTool(target) || !hooks.has(target.projectId, 'access')) return decided;
      const { trace } = decided.value;
      return hooks.access(target.projectId, caller, [target], null).then((answer) => {
        trace.hooks.push(...answer.traces);
        return answer.allows(target)
          ? decided
          : notGranted(target, 'an access hook does not let this user have it', trace);
      });
    },
  };
}

const byKeys = new WeakMap<readonly unknown[], WeakMap<GlobSet, readonly unknown[]>>();

/** The same list for the same list, as the list before it is: many are long. */
function permittedByKey<Item>(
  items: readonly Item[],
  tools: GlobSet,
  targetOf: (item: Item) => RuleTarget | Tool,
): readonly Item[] {
  const known = byKeys.get(items) ?? new WeakMap<GlobSet, readonly unknown[]>();
  byKeys.set(items, known);
  let permitted = known.get(tools) as readonly Item[] | undefined;
  if (permitted === undefined) {
    permitted = items.filter((item) => tools.matches(targetOf(item).ruleName));
    known.set(tools, permitted);
  }
  return permitted;
}

function mayByKey({ principal }: Caller, { ruleName }: RuleTarget): boolean {
  return principal.tools === null || principal.tools.matches(ruleName);
}

function notGranted({ ruleName }: RuleTarget, reason: string, policy: Grant['trace']) {
  return err({ ...refusal('policy.not_granted', `there is no ${ruleName}`, { reason }), policy });
}

function isTool(target: RuleTarget | Tool): target is Tool {
  return 'toolkit' in target;
}

const nobody: ReadonlySet<string> = new Set();

/** Whether a grant still stands, after a change of the policy. */
export function stillGranted(parts: Parts, { caller, gateway, target, trace }: Grant): boolean {
  const now = gateway === null ? null : parts.currentGateway(gateway);
  if (trace.version === parts.version() && now === gateway) return true;
  // A gateway that is gone lets nobody have anything.
  if (gateway !== null && now === null) return false;
  return parts.grants.decide(caller, now, target).allowed;
}
