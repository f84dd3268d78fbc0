import { type Gateway, type Refusal, refusal, type Tool } from '#domain';
import { type Clock, err, newId, ok, type Result } from '#foundation';
import type { Db } from '#storage';
import type { Catalog, GatewayView, ShownTool } from './contract.ts';
import { createCatalogStore, type StoredTool } from './store.ts';
import { indexTools, type ToolIndex } from './tools.ts';
import { compileView, showTool } from './view.ts';

export interface CatalogDeps {
  readonly db: Db;
  readonly clock: Clock;
}

/** Reads everything into memory; from then on memory answers and the database remembers. */
export async function createCatalog({ db, clock }: CatalogDeps): Promise<Catalog> {
  const store = createCatalogStore(db);
  const sources = new Map<string, Map<string, readonly StoredTool[]>>();
  const indexes = new Map<string, ToolIndex>();
  const apiGateways = new Map<string, Gateway>(
    (await store.loadGateways()).map((gateway) => [gateway.id, gateway]),
  );
  let fileGateways = new Map<string, Gateway>();
  let bySlug = new Map<string, Gateway>();
  const views = new Map<string, GatewayView>();
  const listeners = new Set<(slug: string) => void>();
  const shownAlone = new WeakMap<Tool, ShownTool>();
  let revision = 0;

  for (const stored of await store.loadTools()) {
    const ofProject = sources.get(stored.tool.projectId) ?? new Map<string, readonly StoredTool[]>();
    sources.set(stored.tool.projectId, ofProject);
    ofProject.set(stored.tool.sourceId, [...(ofProject.get(stored.tool.sourceId) ?? []), stored]);
  }
  indexGateways();

  function indexGateways(): void {
    // A slug of the file wins over one that the API took before the file named it.
    bySlug = new Map(
      [...apiGateways.values(), ...fileGateways.values()].map((gateway) => [gateway.slug, gateway]),
    );
  }

  function indexOf(projectId: string): ToolIndex {
    let index = indexes.get(projectId);
    if (index === undefined) {
      index = indexTools(sources.get(projectId) ?? new Map());
      indexes.set(projectId, index);
    }
    return index;
  }

  function changed(slugs: Iterable<string>): void {
    for (const slug of slugs) {
      views.delete(slug);
      for (const listener of listeners) listener(slug);
    }
  }

  function toolsChanged(projectId: string): void {
    indexes.delete(projectId);
    changed(
      [...bySlug.values()].filter((gateway) => gateway.projectId === projectId).map(({ slug }) => slug),
    );
  }

  function setTools(projectId: string, sourceId: string, tools: readonly StoredTool[]): void {
    const ofProject = sources.get(projectId) ?? new Map<string, readonly StoredTool[]>();
    sources.set(projectId, ofProject);
    if (tools.length === 0) ofProject.delete(sourceId);
    else ofProject.set(sourceId, tools);
    toolsChanged(projectId);
  }

  function find(projectId: string, id: string): Gateway | null {
    const gateway = apiGateways.get(id) ?? fileGateways.get(id);
    return gateway?.projectId === projectId ? gateway : null;
  }

  function editable(projectId: string, id: string): Result<Gateway, Refusal> {
    const gateway = find(projectId, id);
    if (gateway === null)
      return err(refusal('resource.unknown', `there is no gateway ${id}`, { field: 'gateway_id' }));
    if (gateway.origin === 'file') {
      return err(
        refusal('resource.read_only', `gateway ${id} is declared in the config file; change it there`),
      );
    }
    return ok(gateway);
  }

  function slugTaken(slug: string): Refusal {
    return refusal('resource.conflict', `slug "${slug}" is taken`, { field: 'slug' });
  }

  return {
    tools(projectId, options) {
      const index = indexOf(projectId);
      return (options?.allVersions === true ? index.all : index.latest).map(({ tool }) => tool);
    },
    findTool: (projectId, name, version) => indexOf(projectId).find(name, version),
    shown(tool) {
      let shown = shownAlone.get(tool);
      if (shown === undefined) {
        shown = showTool(tool, `${tool.toolkit.name}_${tool.name}`, null);
        shownAlone.set(tool, shown);
      }
      return shown;
    },

    async replaceListing(projectId, sourceId, listings) {
      setTools(projectId, sourceId, await store.replaceTools(projectId, sourceId, listings, clock.iso()));
    },
    async markUnavailable(projectId, sourceId) {
      const tools = sources.get(projectId)?.get(sourceId);
      if (tools === undefined || !tools.some(({ tool }) => tool.available)) return;
      await store.markUnavailable(projectId, sourceId);
      setTools(
        projectId,
        sourceId,
        tools.map((stored) => ({ ...stored, tool: { ...stored.tool, available: false } })),
      );
    },
    async forget(projectId, sourceId) {
      await store.forget(projectId, sourceId);
      setTools(projectId, sourceId, []);
    },
    async keepSources(projectId, sourceIds) {
      const kept = new Set(sourceIds);
      for (const sourceId of [...(sources.get(projectId)?.keys() ?? [])]) {
        if (kept.has(sourceId)) continue;
        await store.forget(projectId, sourceId);
        setTools(projectId, sourceId, []);
      }
    },

    gateways: (projectId) =>
      [...fileGateways.values(), ...apiGateways.values()].filter(
        (gateway) => gateway.projectId === projectId,
      ),
    gateway: find,
    view(slug) {
      let view = views.get(slug);
      if (view === undefined) {
        const gateway = bySlug.get(slug);
        if (gateway === undefined) return null;
        view = compileView(gateway, indexOf(gateway.projectId).latest, ++revision);
        views.set(slug, view);
      }
      return view;
    },
    slugAvailable: (slug) => !bySlug.has(slug),
    async createGateway(asked) {
      if (bySlug.has(asked.slug)) return err(slugTaken(asked.slug));
      const now = clock.iso();
      const gateway: Gateway = {
        ...asked,
        id: newId('gw', clock.now()),
        origin: 'api',
        createdAt: now,
        updatedAt: now,
      };
      // Taken before the database answers, so that two requests at once cannot both have it.
      apiGateways.set(gateway.id, gateway);
      indexGateways();
      try {
        await store.saveGateway(gateway);
      } catch (error) {
        apiGateways.delete(gateway.id);
        indexGateways();
        throw error;
      }
      changed([gateway.slug]);
      return ok(gateway);
    },
    async updateGateway(projectId, id, change) {
      const found = editable(projectId, id);
      if (!found.ok) return found;
      const before = found.value;
      const gateway: Gateway = { ...before, ...change, updatedAt: clock.iso() };
      if (gateway.slug !== before.slug && bySlug.has(gateway.slug)) return err(slugTaken(gateway.slug));
      await store.saveGateway(gateway);
      apiGateways.set(id, gateway);
      indexGateways();
      changed(new Set([before.slug, gateway.slug]));
      return ok(gateway);
    },
    async deleteGateway(projectId, id) {
      const found = editable(projectId, id);
      if (!found.ok) return found;
      await store.deleteGateway(id);
      apiGateways.delete(id);
      indexGateways();
      changed([found.value.slug]);
      return ok(undefined);
    },
    applyFile(gateways) {
      const before = [...fileGateways.values()].map(({ slug }) => slug);
      fileGateways = new Map(gateways.map((gateway) => [gateway.id, gateway]));
      indexGateways();
      changed(new Set([...before, ...gateways.map(({ slug }) => slug)]));
    },

    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
