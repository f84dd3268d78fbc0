import type { GrantRequest, SubjectSelector } from '@sallyport/contracts';
import {
  compileGlobs,
  type Gateway,
  type GlobSet,
  type RuleTarget,
  type Subject,
  type ToolTraits,
} from '#domain';

/** Whether what an entry says of subjects, tools and gateways fits. */

/** Everybody, where nobody is named. */
export function matchesSubject(selectors: readonly SubjectSelector[] | undefined, subject: Subject): boolean {
  return selectors === undefined || selectors.some((selector) => isSubject(selector, subject));
}

function isSubject(selector: SubjectSelector, { userId, groups, claims }: Subject): boolean {
  if ('everyone' in selector) return true;
  if ('user' in selector) return selector.user === userId;
  if ('group' in selector) return groups.includes(selector.group);
  const { name, value } = selector.claim;
  if (!Object.hasOwn(claims, name)) return false;
  const held = claims[name];
  return Array.isArray(held) ? held.includes(value) : held === value;
}

/** The part of an entry that says what it is about. */
export type Where = Pick<GrantRequest, 'tools' | 'metadata' | 'gateway'>;

export interface TargetMatcher {
  readonly globs: GlobSet;
  /** The gateway is looked at, too. */
  matches(gateway: Gateway | null, target: RuleTarget): boolean;
}

export function matcherOf({ tools, metadata, gateway: slug = null }: Where): TargetMatcher {
  const globs = compileGlobs(tools);
  const hasTraits = metadata === undefined ? null : traitsMatcher(metadata);
  return {
    globs,
    matches: (gateway, target) =>
      (slug === null || gateway?.slug === slug) &&
      globs.matches(target.ruleName) &&
      (hasTraits === null || hasTraits(target.traits ?? onlyReads)),
  };
}

/** What prompts and resources do. */
export const onlyReads: ToolTraits = {
  readOnly: true,
  destructive: false,
  idempotent: true,
  openWorld: false,
  operations: [],
  serviceDomains: [],
};

export function traitsMatcher(wanted: NonNullable<Where['metadata']>): (traits: ToolTraits) => boolean {
  const operations = wanted.operations && compileGlobs(wanted.operations);
  const domains = wanted.service_domains && compileGlobs(wanted.service_domains);
  const is = (asked: boolean | undefined, said: boolean) => asked === undefined || asked === said;
  return (traits) =>
    is(wanted.read_only, traits.readOnly) &&
    is(wanted.destructive, traits.destructive) &&
    is(wanted.idempotent, traits.idempotent) &&
    is(wanted.open_world, traits.openWorld) &&
    (operations === undefined || traits.operations.some(operations.matches)) &&
    (domains === undefined || traits.serviceDomains.some(domains.matches));
}
