import type { LimitRequest, RuleRequest } from '@sallyport/contracts';
import type { Gateway, RuleTarget } from '#domain';
import type { Policy } from './contract.ts';
import type { EntryList } from './entries.ts';
import type { Hooks } from './hooks/contract.ts';
import { matcherOf } from './matching.ts';

export interface LaidDown {
  readonly rules: EntryList<RuleRequest>;
  readonly limits: EntryList<LimitRequest>;
  readonly hooks: Hooks;
  readonly version: () => string;
}

/** Worked out once for each target on each gateway, until anything changes. */
export function createStandsAlone({ rules, limits, hooks, version }: LaidDown): Policy['standsAlone'] {
  let known = new WeakMap<RuleTarget, Map<string, boolean>>();
  let knownVersion = '';

  function concerns(gateway: Gateway | null, target: RuleTarget): boolean {
    const counted = limits.list(target.projectId).filter(({ definition }) => definition.enabled !== false);
    const approved = rules
      .list(target.projectId)
      .filter(({ definition: { enabled, action } }) => enabled !== false && action === 'approve');
    return [...counted, ...approved].some(({ definition }) => matcherOf(definition).matches(gateway, target));
  }

  return (projectId, gateway, target) => {
    const points = ['access', 'pre', 'post'] as const;
    if (points.some((point) => hooks.has(projectId, point))) return false;
    if (target === null) return true;
    if (knownVersion !== version()) {
      knownVersion = version();
      known = new WeakMap();
    }
    const slug = gateway?.slug ?? '';
    const ofTarget = known.get(target) ?? new Map<string, boolean>();
    known.set(target, ofTarget);
    const alone = ofTarget.get(slug) ?? !concerns(gateway, target);
    ofTarget.set(slug, alone);
    return alone;
  };
}
