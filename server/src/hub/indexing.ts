import type { Catalog } from '#catalog';
import type { Clock } from '#foundation';
import type { Log } from '#telemetry';
import type { Governance } from './governance/contract.ts';
import { createIndexedProject } from './indexed-project.ts';
import type { ModelDocuments } from './models/contract.ts';
import type { SearchEngine, SearchIndex } from './search/contract.ts';
import { worthKeeping } from './snapshot.ts';
import type { ToolFinder } from './tool-finder.ts';
import type { ToolRefs } from './tool-ref.ts';

export interface IndexingDeps {
  readonly catalog: Pick<Catalog, 'toolLists' | 'digest' | 'onOffersChange'>;
  readonly governance: Pick<Governance, 'curationOf' | 'learnedOf' | 'onChange'>;
  /** `null`: no model is configured. */
  readonly models: Pick<ModelDocuments, 'space' | 'vectorsOf' | 'enrichmentsOf' | 'onChange'> | null;
  readonly refs: ToolRefs;
  readonly finder: ToolFinder;
  /** Begins only when it is asked for. */
  readonly openEngine: () => Promise<SearchEngine>;
  /** The file in which the index of a project is kept from one start to the next. */
  readonly snapshotOf: (projectId: string) => string;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Indexing {
  /**
   * The tools of the project, as far as they are in the index: who asks waits a little for what is put in at that moment. Whether
   * anything is missing, `Permitted.missing` says.
   */
  of(projectId: string): Promise<SearchIndex>;
  /** Begins, where nobody asked yet. */
  warm(projectId: string): void;
  /** From now on those of these projects, and of others that come to have many tools, begin before anybody asks. */
  begin(projectIds: Iterable<string>): void;
  /** Done when what is due now is in. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** Feeds the search by differences. Where there are few tools there is neither thread nor memory before somebody asks. */
export function createIndexing(deps: IndexingDeps): Indexing {
  const { catalog, governance, models, openEngine } = deps;
  const projects = new Map<string, ReturnType<typeof createIndexedProject>>();
  let engine: Promise<SearchEngine> | null = null;
  let hasBegun = false;
  let isClosed = false;

  const hasMany = (projectId: string): boolean =>
    catalog.toolLists(projectId).reduce((sum, { length }) => sum + length, 0) >= worthKeeping;
  const stopOffers = catalog.onOffersChange((projectId, change) => {
    const project = projects.get(projectId);
    if (project !== undefined) project.changed(change);
    else if (hasBegun && hasMany(projectId)) warm(projectId);
  });
  const said = (projectId: string, toolIds: readonly string[] | null) =>
    projects.get(projectId)?.said(toolIds);
  governance.onChange(said);
  const stopModels = models?.onChange(said);

  function opened(): Promise<SearchEngine> {
    engine ??= openEngine().catch((error) => {
      // Whoever asks next has it tried again.
      engine = null;
      for (const project of projects.values()) void project.close();
      projects.clear();
      throw error;
    });
    return engine;
  }

  function projectOf(projectId: string) {
    let project = projects.get(projectId);
    if (project === undefined) {
      project = createIndexedProject(projectId, opened(), deps);
      projects.set(projectId, project);
    }
    return project;
  }

  function warm(projectId: string): void {
    if (isClosed || projects.has(projectId)) return;
    // Whoever searches is told, and it is in the log.
    projectOf(projectId)
      .now()
      .catch(() => undefined);
  }

  return {
    of: (projectId) => projectOf(projectId).now(),
    warm,
    begin(projectIds) {
      hasBegun = true;
      for (const projectId of projectIds) if (hasMany(projectId)) warm(projectId);
    },
    async settled() {
      await Promise.all([...projects.values()].map((project) => project.settled()));
    },
    async close() {
      isClosed = true;
      stopOffers();
      stopModels?.();
      await Promise.all([...projects.values()].map((project) => project.close()));
      await (await engine?.catch(() => null))?.close();
    },
  };
}
