import type { LimitRequest } from '@sallyport/contracts';
import type { RuleTarget } from '#domain';
import type { Entry, EntryList } from '../entries.ts';
import { matchesSubject } from '../matching.ts';
import type { LimitedCall } from './contract.ts';
import { compileLimit, type Limit } from './limit.ts';

interface Plan {
  readonly limits: readonly Limit[];
  readonly isForAll: boolean;
}

/** Which limits concern a call. Worked out once for each target on each gateway, and anew when a limit changes. */
export function createPlans(
  entries: EntryList<LimitRequest>,
  onChange: (before: Limit, after: Limit | null) => void,
): (call: LimitedCall) => readonly Limit[] {
  const compiled = new Map<string, Limit>();
  // What a target's name and traits are never changes; a target that is gone takes its plans along.
  let plans = new WeakMap<RuleTarget, Map<string | null, Plan>>();

  function limitOf(entry: Entry<LimitRequest>): Limit {
    const known = compiled.get(entry.id);
    if (known !== undefined) return known;
    const limit = compileLimit(entry);
    compiled.set(entry.id, limit);
    return limit;
  }

  entries.onChange((before, after) => {
    plans = new WeakMap();
    const known = before === null ? undefined : compiled.get(before.id);
    if (known === undefined) return;
    compiled.delete(known.entry.id);
    onChange(known, after === null ? null : limitOf(after));
  });

  function planOf({ gateway, target }: LimitedCall): Plan {
    let ofTarget = plans.get(target);
    if (ofTarget === undefined) {
      ofTarget = new Map();
      plans.set(target, ofTarget);
    }
    const slug = gateway?.slug ?? null;
    const known = ofTarget.get(slug);
    if (known !== undefined) return known;
    const limits = entries
      .list(target.projectId)
      .filter(({ definition }) => definition.enabled !== false)
      .map(limitOf)
      .filter(({ matches }) => matches(gateway, target));
    const plan = { limits, isForAll: limits.every(({ entry }) => entry.definition.subjects === undefined) };
    ofTarget.set(slug, plan);
    return plan;
  }

  return (call) => {
    const { limits, isForAll } = planOf(call);
    if (isForAll) return limits;
    return limits.filter(({ entry }) => matchesSubject(entry.definition.subjects, call.caller));
  };
}
