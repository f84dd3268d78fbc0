import type { GrantRequest } from '@sallyport/contracts';
import { createToolMatcher, type ToolMatcher } from './tool-matcher.ts';

type Effect = GrantRequest['effect'];

/** The grants of one subject: a user, a group, a claim of one value, everybody. */
export interface SubjectGrants {
  /** Unique among all subjects. */
  readonly key: number;
  add(grantId: string, definition: GrantRequest): void;
  remove(grantId: string, definition: GrantRequest): void;
  isEmpty(): boolean;
  /** What they say on one gateway, and on every gateway; nothing that is empty. */
  matchers(effect: Effect, gatewaySlug: string | null): readonly ToolMatcher[];
}

type Matchers = Readonly<Record<Effect, Map<string | null, ToolMatcher>>>;

/** Compiled when somebody first asks, and from then on kept as they change. */
export function createSubjectGrants(key: number): SubjectGrants {
  const grants = new Map<string, GrantRequest>();
  let compiled: Matchers | null = null;

  return {
    key,
    add(grantId, definition) {
      grants.set(grantId, definition);
      if (compiled !== null) include(compiled, grantId, definition);
    },
    remove(grantId, definition) {
      grants.delete(grantId);
      if (compiled !== null) exclude(compiled, grantId, definition);
    },
    isEmpty: () => grants.size === 0,
    matchers(effect, gatewaySlug) {
      compiled ??= compile(grants);
      const bySlug = compiled[effect];
      const slugs = gatewaySlug === null ? [null] : [gatewaySlug, null];
      return slugs.map((slug) => bySlug.get(slug)).filter((matcher) => matcher !== undefined);
    },
  };
}

function compile(grants: ReadonlyMap<string, GrantRequest>): Matchers {
  const matchers = { allow: new Map(), deny: new Map() };
  for (const [grantId, definition] of grants) include(matchers, grantId, definition);
  return matchers;
}

function include(matchers: Matchers, grantId: string, grant: GrantRequest): void {
  const { effect, gateway = null, tools, metadata } = grant;
  const matcher = matchers[effect].get(gateway) ?? createToolMatcher();
  matchers[effect].set(gateway, matcher);
  matcher.add(grantId, tools, metadata);
}

function exclude(matchers: Matchers, grantId: string, grant: GrantRequest): void {
  const { effect, gateway = null, tools, metadata } = grant;
  const matcher = matchers[effect].get(gateway);
  matcher?.remove(grantId, tools, metadata);
  if (matcher?.isEmpty() === true) matchers[effect].delete(gateway);
}
