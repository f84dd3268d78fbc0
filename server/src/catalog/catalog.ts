import type { Tool } from '#domain';
import type { Clock } from '#foundation';
import type { Changes, Db } from '#storage';
import type { Log } from '#telemetry';
import type { Vault } from '#vault';
import type { Catalog, ListKind, ShownTool } from './contract.ts';
import { createGatewayShelf } from './gateway-shelf.ts';
import { createDifferences, toolDigest } from './offer-differences.ts';
import type { OfferIndex } from './offer-index.ts';
import { createOfferShelf } from './offer-shelf.ts';
import { NamedTool } from './shown-tools.ts';
import { type CompiledView, changedLists, compileView } from './view.ts';

export interface CatalogDeps {
  readonly db: Db;
  readonly changes: Changes;
  /** Seals the secrets by which gateways know whose users they are told of. */
  readonly vault: Vault;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether the source is registered in this process; every one, unless told. */
  readonly hasSource?: (projectId: string, sourceId: string) => boolean;
  /** Where memory is kept for the next start; nowhere, unless told. */
  readonly snapshot?: { readonly dataDir: string; readonly writes: boolean; readonly fromTools?: number };
  /** What lies there is in memory only where a gateway shows it, once that was asked for: nothing else may be asked here. */
  readonly onlyShown?: boolean;
}

const everyList: ReadonlySet<ListKind> = new Set(['tools', 'prompts', 'resources']);

/** Reads everything into memory; from then on memory answers and the database remembers, for other replicas, too. */
export async function createCatalog(deps: CatalogDeps): Promise<Catalog> {
  const views = new Map<string, CompiledView>();
  const listeners = new Set<(slug: string, lists: ReadonlySet<ListKind>) => void>();
  const shownAlone = new WeakMap<Tool, ShownTool>();
  const lists = new WeakMap<OfferIndex, ReturnType<Catalog['toolLists']>>();
  const kept = new WeakMap<OfferIndex, { [versions in 'all' | 'latest']?: readonly Tool[] }>();
  let revision = 0;

  const differences = createDifferences((projectId) => index(projectId));
  const { bySlug, slugs, ...gateways } = await createGatewayShelf(deps, changed);
  const { index, read, ...offers } = await createOfferShelf(
    { hasSource: () => true, ...deps },
    (projectId) => {
      differences.changed(projectId);
      changed(slugs(projectId));
    },
  );

  function changed(these: Iterable<string>): void {
    for (const slug of these) {
      const before = views.get(slug);
      views.delete(slug);
      // A gateway that nobody has looked at is not compiled for this alone.
      const after = before === undefined ? null : compiled(slug, before);
      if (listeners.size === 0) continue;
      const lists = before === undefined ? everyList : changedLists(before, after);
      if (lists.size === 0) continue;
      for (const listener of listeners) listener(slug, lists);
    }
  }

  function compiled(slug: string, before?: CompiledView): CompiledView | null {
    let view = views.get(slug);
    if (view === undefined) {
      const gateway = bySlug(slug);
      if (gateway === null) return null;
      view = compileView(gateway, index(gateway.projectId), ++revision, before, read);
      views.set(slug, view);
    }
    return view;
  }

  return {
    ...gateways,
    ...offers,
    tools(projectId, { allVersions = false } = {}) {
      differences.isRead(projectId);
      const now = index(projectId);
      const versions = allVersions ? 'all' : 'latest';
      const known = kept.get(now) ?? {};
      kept.set(now, known);
      known[versions] ??= now[versions].filter((tool) => !tool.quarantined);
      return known[versions];
    },
    toolLists(projectId) {
      differences.isRead(projectId);
      const now = index(projectId);
      const known = lists.get(now) ?? now.sections.map((section) => section.plainList());
      lists.set(now, known);
      return known;
    },
    digest: toolDigest,
    onOffersChange: differences.on,
    findTool: (projectId, name, version) => index(projectId).find(name, version),
    shown(tool) {
      let shown = shownAlone.get(tool);
      if (shown === undefined) {
        shown = new NamedTool(tool, `${tool.toolkit.name}_${tool.name}`);
        shownAlone.set(tool, shown);
      }
      return shown;
    },
    view: (slug) => compiled(slug),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
