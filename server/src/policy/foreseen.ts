import type { LimitRequest, RuleRequest } from '@sallyport/contracts';
import type { Asking, Foreseen } from './contract.ts';
import type { EntryList } from './entries.ts';
import { matcherOf, matchesSubject, type TargetMatcher, type Where } from './matching.ts';

interface Laid extends Where {
  readonly subjects?: Parameters<typeof matchesSubject>[0];
  readonly enabled?: boolean | undefined;
}

/** What can be told of a call before anybody knows its arguments. */
export function createForeseen({
  rules,
  limits,
}: {
  readonly rules: EntryList<RuleRequest>;
  readonly limits: EntryList<LimitRequest>;
}) {
  const matchers = new WeakMap<object, TargetMatcher>();

  function matcherFor(definition: Laid): TargetMatcher {
    let matcher = matchers.get(definition);
    if (matcher === undefined) {
      matcher = matcherOf(definition);
      matchers.set(definition, matcher);
    }
    return matcher;
  }

  return ({ caller, gateway, target }: Asking): Foreseen => {
    const concerns = (definition: Laid) =>
      definition.enabled !== false &&
      matchesSubject(definition.subjects, caller) &&
      matcherFor(definition).matches(gateway, target);
    const definitions = limits.list(target.projectId).map(({ definition }) => definition);
    return {
      limits: definitions.filter(concerns),
      mayWaitForApproval: rules
        .list(target.projectId)
        .some(
          ({ definition }) =>
            definition.action === 'approve' && definition.direction === 'input' && concerns(definition),
        ),
    };
  };
}
