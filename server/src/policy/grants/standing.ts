import { foldName, type RuleTarget, type Subject, type ToolTraits } from '#domain';
import { onlyReads } from '../matching.ts';
import type { GrantDecision } from './contract.ts';
import type { SubjectIndex } from './subject-index.ts';
import type { ToolMatcher } from './tool-matcher.ts';

/** What the grants say to one subject on one gateway, as long as no grant changes. */
export interface Standing {
  readonly denies: readonly ToolMatcher[];
  readonly allows: readonly ToolMatcher[];
  /** By the id of the target. */
  readonly decided: Map<string, Decided>;
}

/** What a gateway starts from. */
export type Beginning = 'nothing' | 'all';

/** What was said of a target, for as long as it is called so and says this of itself. */
interface Decided extends Readonly<Record<Beginning, GrantDecision>> {
  readonly ruleName: string;
  readonly traits: ToolTraits | undefined;
}

/** Standings that were asked for, each with what it has answered, until it is too much or a grant changes. */
export interface Standings {
  of(index: SubjectIndex, subject: Subject, gatewaySlug: string | null): Standing;
  decide(standing: Standing, beginning: Beginning, target: RuleTarget): GrantDecision;
  /** Says that something of this size, in bytes, is kept with a standing. */
  spend(bytes: number): void;
  forget(): void;
}

const maxKeptBytes = 32 * 1024 * 1024;
const standingBytes = 1000;
const decisionBytes = 500;
/** URIs may be long, and anybody may ask for any; the decision over one is not kept. */
const maxKeptNameLength = 256;

const passes: GrantDecision = { allowed: true, grantIds: [] };
const lacks: GrantDecision = { allowed: false, grantIds: [] };

export function createStandings(): Standings {
  // Subjects of whom the same grants speak stand the same.
  let kept = new WeakMap<SubjectIndex, Map<string, Map<string | null, Standing>>>();
  let keptBytes = 0;
  let last: { index: SubjectIndex; subject: Subject; slug: string | null; standing: Standing } | null = null;

  function forget(): void {
    kept = new WeakMap();
    keptBytes = 0;
    last = null;
  }

  function spend(bytes: number): void {
    keptBytes += bytes;
    if (keptBytes > maxKeptBytes) forget();
  }

  function standingOf(index: SubjectIndex, subject: Subject, slug: string | null): Standing {
    const grants = index.of(subject);
    const bySubject = getOrMake(kept, index, () => new Map<string, Map<string | null, Standing>>());
    const bySlug = getOrMake(bySubject, grants.map(({ key }) => key).join(), () => new Map());
    return getOrMake(bySlug, slug, () => {
      spend(standingBytes);
      return {
        denies: grants.flatMap((one) => one.matchers('deny', slug)),
        allows: grants.flatMap((one) => one.matchers('allow', slug)),
        decided: new Map(),
      };
    });
  }

  return {
    of(index, subject, slug) {
      if (last === null || last.index !== index || last.subject !== subject || last.slug !== slug)
        last = { index, subject, slug, standing: standingOf(index, subject, slug) };
      return last.standing;
    },
    decide(standing, beginning, target) {
      const { id, ruleName, traits } = target;
      const known = standing.decided.get(id);
      if (known !== undefined && known.ruleName === ruleName && known.traits === traits)
        return known[beginning];
      const decided = { ruleName, traits, ...decideAnew(standing, target) };
      if (ruleName.length <= maxKeptNameLength) {
        if (known === undefined) spend(decisionBytes);
        standing.decided.set(id, decided);
      }
      return decided[beginning];
    },
    spend,
    forget,
  };
}

/** Deny beats allow; a grant that allows says something only where nothing is allowed at first. */
export function decideAnew(
  { denies, allows }: Standing,
  { ruleName, traits = onlyReads }: RuleTarget,
): Readonly<Record<Beginning, GrantDecision>> {
  const name = foldName(ruleName);
  const find = (matchers: readonly ToolMatcher[]) => {
    for (const matcher of matchers) {
      const grantId = matcher.find(name, traits);
      if (grantId !== null) return grantId;
    }
    return null;
  };
  const denying = find(denies);
  if (denying !== null) {
    const denied = { allowed: false, grantIds: [denying] };
    return { nothing: denied, all: denied };
  }
  const allowing = find(allows);
  return { nothing: allowing === null ? lacks : { allowed: true, grantIds: [allowing] }, all: passes };
}

function getOrMake<Key, Value>(
  map: { get(key: Key): Value | undefined; set(key: Key, value: Value): unknown },
  key: Key,
  make: () => Value,
): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
