import { setImmediate } from 'node:timers/promises';
import type { Catalog } from '#catalog';
import type { Tool } from '#domain';
import { atMost, type Clock, createTurns, messageOf } from '#foundation';
import type { Sources } from '#sources';
import type { Log } from '#telemetry';
import { documentOf } from './document.ts';
import type { Governance } from './governance/contract.ts';
import type { ModelDocuments } from './models/contract.ts';
import type { SearchDocument, SearchEngine, SearchIndex } from './search/contract.ts';
import type { ToolRefs } from './tool-ref.ts';

/** An index as it is now: another one as soon as anything was put in, or taken out. */
export interface Indexed {
  readonly index: SearchIndex;
}

export interface IndexingDeps {
  readonly catalog: Pick<Catalog, 'tools' | 'onOffersChange'>;
  readonly governance: Pick<Governance, 'curationOf' | 'learnedOf' | 'onChange'>;
  /** `null`: no model is configured. */
  readonly models: Pick<ModelDocuments, 'space' | 'vectorsOf' | 'enrichmentsOf' | 'onChange'> | null;
  readonly sources: Pick<Sources, 'status'>;
  readonly refs: ToolRefs;
  /** Begins only when it is asked for. */
  readonly openEngine: () => Promise<SearchEngine>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Indexing {
  /**
   * The tools of the project. The first to ask waits until all are in it; later, who asks waits a little for what changes at
   * that moment.
   */
  of(projectId: string): Promise<Indexed>;
  /** Begins, where nobody asked yet. */
  warm(projectId: string): void;
  close(): Promise<void>;
}

/** So many at once, so that nothing else waits for long. */
const atOnce = 500;
/** What takes longer to be put in is found when it is there. */
const waitAtMostMs = 1000;

/** Feeds the search by differences, from the first time that anybody asks: before, there is neither thread nor memory. */
export function createIndexing(deps: IndexingDeps): Indexing {
  const { catalog, governance, models, openEngine } = deps;
  const projects = new Map<string, ReturnType<typeof createProject>>();
  let engine: Promise<SearchEngine> | null = null;
  let stopHearing = (): void => {};
  let isClosed = false;

  function begin(): Promise<SearchEngine> {
    if (engine !== null) return engine;
    const stopOffers = catalog.onOffersChange((projectId, change) =>
      projects.get(projectId)?.changed(change),
    );
    const said = (projectId: string, toolIds: readonly string[] | null) =>
      projects.get(projectId)?.said(toolIds);
    governance.onChange(said);
    const stopModels = models?.onChange(said);
    stopHearing = () => {
      stopOffers();
      stopModels?.();
    };
    engine = openEngine();
    return engine;
  }

  function projectOf(projectId: string) {
    let project = projects.get(projectId);
    if (project === undefined) {
      const opening = begin();
      project = createProject(projectId, opening, deps);
      projects.set(projectId, project);
    }
    return project;
  }

  return {
    of: (projectId) => projectOf(projectId).now(),
    warm(projectId) {
      if (isClosed || projects.has(projectId)) return;
      // Whoever searches is told, and it is in the log.
      projectOf(projectId)
        .now()
        .catch(() => undefined);
    },
    async close() {
      isClosed = true;
      stopHearing();
      for (const project of projects.values()) project.close();
      await (await engine)?.close();
    },
  };
}

interface Difference {
  readonly put: readonly Tool[];
  readonly removed: readonly string[];
}

function createProject(projectId: string, opening: Promise<SearchEngine>, deps: IndexingDeps) {
  const { catalog, clock, log } = deps;
  const inTurn = createTurns();
  /** As they were put in. */
  const known = new Map<string, Tool>();
  let indexed: Indexed | null = null;
  let waiting = 0;
  let last: Promise<void> = Promise.resolve();
  let isBehind = true;
  let isClosed = false;

  function later(difference: (index: SearchIndex) => Difference): void {
    if (isClosed) return;
    waiting++;
    last = inTurn(async () => {
      try {
        const index = indexed?.index ?? (await opening).index(projectId);
        await take(index, difference(index));
        indexed = { index };
      } catch (error) {
        isBehind = true;
        log.error({ project: projectId, error: messageOf(error) }, 'tools could not be indexed');
        if (indexed === null) throw error;
      } finally {
        waiting--;
      }
    });
    last.catch(() => undefined);
  }

  function everything(index: SearchIndex): Difference {
    const put = catalog.tools(projectId);
    const ids = new Set(put.map(({ id }) => id));
    return { put, removed: [...index.known().keys()].filter((id) => !ids.has(id)) };
  }

  async function take(index: SearchIndex, { put, removed }: Difference): Promise<void> {
    for (const id of removed) known.delete(id);
    if (removed.length > 0) await index.update({ put: [], remove: removed });
    for (let at = 0; at < put.length && !isClosed; at += atOnce) {
      const tools = put.slice(at, at + atOnce);
      for (const tool of tools) known.set(tool.id, tool);
      const documents = await documentsOf(projectId, tools, deps);
      const held = index.known();
      const differing = documents.filter(({ id, hash }) => held.get(id) !== hash);
      if (differing.length > 0) await index.update({ put: differing, remove: [] });
      await setImmediate();
    }
  }

  return {
    changed(change: Difference | null): void {
      later((index) => change ?? everything(index));
    },
    /** Something is said of these tools: what the catalog has of them is as it was. */
    said(toolIds: readonly string[] | null): void {
      if (toolIds === null) later(everything);
      else later(() => ({ put: toolIds.flatMap((id) => known.get(id) ?? []), removed: [] }));
    },
    async now(): Promise<Indexed> {
      if (isBehind) {
        isBehind = false;
        later(everything);
      }
      if (indexed === null) await last;
      else if (waiting > 0) await atMost(clock, waitAtMostMs, last);
      return indexed as unknown as Indexed;
    },
    close(): void {
      isClosed = true;
    },
  };
}

async function documentsOf(
  projectId: string,
  tools: readonly Tool[],
  { governance, models, sources, refs }: IndexingDeps,
): Promise<readonly SearchDocument[]> {
  const space = models?.space(projectId) ?? null;
  const vectors = space === null ? null : await models?.vectorsOf(tools);
  const enrichments = await models?.enrichmentsOf(tools);
  return tools.map((tool) =>
    documentOf({
      tool,
      namespace: refs.namespaceOf(tool),
      serverTitle: sources.status(projectId, tool.sourceId).serverInfo?.name ?? null,
      curation: governance.curationOf(projectId, tool.id),
      learned: governance.learnedOf(projectId, tool.id),
      enrichment: enrichments?.get(tool.id) ?? null,
      vector: vectors?.get(tool.id) ?? null,
      space: space?.id ?? null,
    }),
  );
}
