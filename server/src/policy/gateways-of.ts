import type { GrantRequest, RuleRequest } from '@sallyport/contracts';
import type { Entry } from './entries.ts';

/** The gateways that these are for, each once: its slug, or `null` for every one of the project. */
export function gatewaysOf(
  entries: readonly (Entry<GrantRequest | RuleRequest> | null)[],
): readonly (readonly [projectId: string, slug: string | null])[] {
  const slugs = new Map<string, Set<string | null>>();
  for (const entry of entries) {
    if (entry === null) continue;
    const ofProject = slugs.get(entry.projectId) ?? new Set();
    slugs.set(entry.projectId, ofProject.add(entry.definition.gateway ?? null));
  }
  return [...slugs].flatMap(([projectId, ofProject]) =>
    (ofProject.has(null) ? [null] : [...ofProject]).map((slug) => [projectId, slug] as const),
  );
}
