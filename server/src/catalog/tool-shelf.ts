import type { Clock } from '#foundation';
import type { Db } from '#storage';
import type { Catalog } from './contract.ts';
import { type CatalogStore, createCatalogStore, type StoredTool } from './store.ts';
import { indexTools, type ToolIndex } from './tools.ts';

type Shelf = Pick<Catalog, 'replaceOffer' | 'markUnavailable' | 'forget' | 'keepSources'> & {
  index(projectId: string): ToolIndex;
};

/**
 * What every source offers, by project. Memory answers, the database remembers: it is written first.
 * `onChange` is called with the project whose tools changed.
 */
export async function createToolShelf(
  { db, clock }: { db: Db; clock: Clock },
  onChange: (projectId: string) => void,
): Promise<Shelf> {
  const store = createCatalogStore(db);
  const projects = await loadProjects(store);
  const indexes = new Map<string, ToolIndex>();

  function put(projectId: string, sourceId: string, tools: readonly StoredTool[]): void {
    const sources = projects.get(projectId) ?? new Map<string, readonly StoredTool[]>();
    projects.set(projectId, sources);
    if (tools.length === 0) sources.delete(sourceId);
    else sources.set(sourceId, tools);
    indexes.delete(projectId);
    onChange(projectId);
  }

  async function forget(projectId: string, sourceId: string): Promise<void> {
    await store.forget(projectId, sourceId);
    put(projectId, sourceId, []);
  }

  return {
    index(projectId) {
      let index = indexes.get(projectId);
      if (index === undefined) {
        index = indexTools(projects.get(projectId) ?? new Map());
        indexes.set(projectId, index);
      }
      return index;
    },
    async replaceOffer(projectId, sourceId, { tools }) {
      put(projectId, sourceId, await store.replaceTools(projectId, sourceId, tools, clock.iso()));
    },
    async markUnavailable(projectId, sourceId) {
      const tools = projects.get(projectId)?.get(sourceId);
      if (tools === undefined || !tools.some(({ tool }) => tool.available)) return;
      await store.markUnavailable(projectId, sourceId);
      const unavailable = tools.map((stored) => ({ ...stored, tool: { ...stored.tool, available: false } }));
      put(projectId, sourceId, unavailable);
    },
    forget,
    async keepSources(projectId, sourceIds) {
      const kept = new Set(sourceIds);
      for (const sourceId of [...(projects.get(projectId)?.keys() ?? [])]) {
        if (!kept.has(sourceId)) await forget(projectId, sourceId);
      }
    },
  };
}

async function loadProjects(store: CatalogStore): Promise<Map<string, Map<string, readonly StoredTool[]>>> {
  const projects = new Map<string, Map<string, StoredTool[]>>();
  for (const stored of await store.loadTools()) {
    const { projectId, sourceId } = stored.tool;
    const sources = projects.get(projectId) ?? new Map<string, StoredTool[]>();
    projects.set(projectId, sources);
    const tools = sources.get(sourceId);
    if (tools === undefined) sources.set(sourceId, [stored]);
    else tools.push(stored);
  }
  return projects;
}
