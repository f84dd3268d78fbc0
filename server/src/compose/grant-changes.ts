import type { Catalog, ListKind } from '#catalog';
import type { Policy } from '#policy';

const everyList: ReadonlySet<ListKind> = new Set(['tools', 'prompts', 'resources']);

/** Policy is a part of what lists hold. However much of them changes at a time, those who listen are told once. */
export function onGrantsChanged(
  { policy, catalog }: { policy: Policy; catalog: Catalog },
  tell: (slug: string, lists: ReadonlySet<ListKind>) => void,
): void {
  const slugs = new Set<string>();
  policy.onChange((projectId, only) => {
    if (slugs.size === 0) queueMicrotask(tellAll);
    for (const { slug } of catalog.gateways(projectId)) if (only === null || only === slug) slugs.add(slug);
  });

  function tellAll(): void {
    const told = [...slugs];
    slugs.clear();
    for (const slug of told) tell(slug, everyList);
  }
}
