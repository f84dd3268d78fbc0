import type { Catalog } from '#catalog';
import type { Clock } from '#foundation';
import type { Log } from '#telemetry';
import type { Governance } from './governance/contract.ts';
import { createIndexedProject } from './indexed-project.ts';
import type { ModelDocuments } from './models/contract.ts';
import type { SearchEngine, SearchIndex } from './search/contract.ts';
import type { ToolRefs } from './tool-ref.ts';

/** An index as it is now: another one as soon as anything was put in, or taken out. */
export interface Indexed {
  readonly index: SearchIndex;
}

export interface IndexingDeps {
  readonly catalog: Pick<Catalog, 'tools' | 'digest' | 'onOffersChange'>;
  readonly governance: Pick<Governance, 'curationOf' | 'learnedOf' | 'onChange'>;
  /** `null`: no model is configured. */
  readonly models: Pick<ModelDocuments, 'space' | 'vectorsOf' | 'enrichmentsOf' | 'onChange'> | null;
  readonly refs: ToolRefs;
  /** Begins only when it is asked for. */
  readonly openEngine: () => Promise<SearchEngine>;
  /** The file in which the index of a project is kept from one start to the next. */
  readonly snapshotOf: (projectId: string) => string;
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

/** Feeds the search by differences, from the first time that anybody asks: before, there is neither thread nor memory. */
export function createIndexing(deps: IndexingDeps): Indexing {
  const { catalog, governance, models, openEngine } = deps;
  const projects = new Map<string, ReturnType<typeof createIndexedProject>>();
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
      project = createIndexedProject(projectId, opening, deps);
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
      await Promise.all([...projects.values()].map((project) => project.close()));
      await (await engine)?.close();
    },
  };
}
