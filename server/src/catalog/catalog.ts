import type { Tool } from '#domain';
import type { Clock } from '#foundation';
import type { Db } from '#storage';
import type { Catalog, GatewayView, ListKind, ShownTool } from './contract.ts';
import { createGatewayShelf } from './gateway-shelf.ts';
import { createToolShelf } from './tool-shelf.ts';
import { compileView, showsTheSame, showTool } from './view.ts';

export interface CatalogDeps {
  readonly db: Db;
  readonly clock: Clock;
}

/** Reads everything into memory; from then on memory answers and the database remembers. */
export async function createCatalog(deps: CatalogDeps): Promise<Catalog> {
  const views = new Map<string, GatewayView>();
  const listeners = new Set<(slug: string, lists: ReadonlySet<ListKind>) => void>();
  const shownAlone = new WeakMap<Tool, ShownTool>();
  let revision = 0;

  const { bySlug, slugs, ...gateways } = await createGatewayShelf(deps, changed);
  const { index, ...tools } = await createToolShelf(deps, (projectId) => changed(slugs(projectId)));

  function changed(these: Iterable<string>): void {
    for (const slug of these) {
      const before = views.get(slug);
      views.delete(slug);
      if (before !== undefined && showsTheSame(before, view(slug))) continue;
      for (const listener of listeners) listener(slug, new Set(['tools']));
    }
  }

  function view(slug: string): GatewayView | null {
    let view = views.get(slug);
    if (view === undefined) {
      const gateway = bySlug(slug);
      if (gateway === null) return null;
      view = compileView(gateway, index(gateway.projectId).latest, ++revision);
      views.set(slug, view);
    }
    return view;
  }

  return {
    ...gateways,
    ...tools,
    tools(projectId, options) {
      const { all, latest } = index(projectId);
      return (options?.allVersions === true ? all : latest).map(({ tool }) => tool);
    },
    findTool: (projectId, name, version) => index(projectId).find(name, version),
    shown(tool) {
      let shown = shownAlone.get(tool);
      if (shown === undefined) {
        shown = showTool(tool, `${tool.toolkit.name}_${tool.name}`, null);
        shownAlone.set(tool, shown);
      }
      return shown;
    },
    view,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
