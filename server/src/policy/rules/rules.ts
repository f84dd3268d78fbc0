import type { RuleRequest } from '@sallyport/contracts';
import type { Gateway, RuleTarget } from '#domain';
import type { Entry, EntryList } from '../entries.ts';
import { matcherOf, type TargetMatcher } from '../matching.ts';
import { compiledRule, forgetCompiled } from './compiled-rule.ts';
import type { RulePlan, Rules } from './contract.ts';
import { createRedactedOutputs } from './redacted-outputs.ts';
import { createPlan } from './screening.ts';

export { checkRule } from './compiled-rule.ts';
export { redactsOutputs } from './redacted-outputs.ts';

/** Plans of so many targets are kept; then all are made anew. Of those that clients name, only what is short. */
const maxKept = 50_000;
const maxKeptName = 512;
/** Each remembers megabytes at most. */
const maxPlans = 200;

/** A plan, and what of the target it was made for. */
interface Kept {
  readonly projectId: string;
  readonly ruleName: string;
  readonly traits: RuleTarget['traits'];
  readonly plan: RulePlan | null;
}

type Direction = RuleRequest['direction'];

export function createRules(entries: EntryList<RuleRequest>): Rules {
  const matchers = new WeakMap<Entry<RuleRequest>, TargetMatcher>();
  let revision = -1;
  /** By gateway, then by target. */
  const kept = { input: new Map<string, Map<string, Kept>>(), output: new Map<string, Map<string, Kept>>() };
  let keptCount = 0;
  // Many targets have the same rules, and so one plan.
  let plans = new Map<string, RulePlan>();
  let claims = new Map<string, ReadonlySet<string>>();

  const forget = (): void => {
    kept.input.clear();
    kept.output.clear();
    keptCount = 0;
    plans = new Map();
    claims = new Map();
  };
  const refresh = (): void => {
    if (revision === entries.revision()) return;
    revision = entries.revision();
    forget();
  };
  const matcher = (entry: Entry<RuleRequest>): TargetMatcher => {
    const made = matchers.get(entry) ?? matcherOf(entry.definition);
    matchers.set(entry, made);
    return made;
  };

  function make(direction: Direction, gateway: Gateway | null, target: RuleTarget): RulePlan | null {
    const fitting = entries
      .list(target.projectId)
      .filter(
        (entry) =>
          entry.definition.enabled !== false &&
          entry.definition.direction === direction &&
          matcher(entry).matches(gateway, target),
      );
    if (fitting.length === 0) return null;
    const ids = fitting.map(({ id }) => id).join();
    const key = `${target.projectId}\n${ids}`;
    const known = plans.get(key);
    if (known !== undefined) return known;
    if (plans.size >= maxPlans) forget();
    const made = createPlan(fitting.map(compiledRule), () => {
      forgetCompiled();
      forget();
    });
    plans.set(key, made);
    return made;
  }

  return {
    plan(direction, gateway, target) {
      refresh();
      const slug = gateway?.slug ?? '';
      const before = kept[direction].get(slug)?.get(target.id);
      const { projectId, ruleName, traits } = target;
      if (before?.ruleName === ruleName && before.traits === traits && before.projectId === projectId)
        return before.plan;
      const plan = make(direction, gateway, target);
      if (ruleName.length > maxKeptName) return plan;
      if (keptCount++ >= maxKept) forget();
      const ofGateway = kept[direction].get(slug) ?? new Map<string, Kept>();
      kept[direction].set(slug, ofGateway);
      ofGateway.set(target.id, { projectId, ruleName, traits, plan });
      return plan;
    },
    redactions: createRedactedOutputs(entries),
    claimNames(projectId) {
      refresh();
      const named = claims.get(projectId) ?? new Set(entries.list(projectId).flatMap(claimsOf));
      claims.set(projectId, named);
      return named;
    },
  };
}

function claimsOf(entry: Entry<RuleRequest>): readonly string[] {
  const { enabled, subjects = [] } = entry.definition;
  if (enabled === false) return [];
  const ofSubjects = subjects.flatMap((subject) => ('claim' in subject ? [subject.claim.name] : []));
  return [...ofSubjects, ...(compiledRule(entry).condition?.claimNames ?? [])];
}
