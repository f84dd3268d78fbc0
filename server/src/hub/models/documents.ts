import type { Tool } from '#domain';
import { createTurns, newId } from '#foundation';
import type { Changes, Db } from '#storage';
import type { Metrics } from '#telemetry';
import { type CatalogueDeps, createCatalogueShelf } from './catalogue-shelf.ts';
import type { ModelDocuments, VectorSpace } from './contract.ts';
import { readEnrichment } from './enrichments.ts';
import { createKeeping, type Keeping, type Making } from './keeping.ts';
import { createKeptStore, type KeptKind, topicOf } from './kept-store.ts';
import type { LineDeps } from './model-line.ts';
import type { ToolShelf } from './tool-shelf.ts';
import { unpackVector } from './vector-bytes.ts';

export interface DocumentDeps extends LineDeps, CatalogueDeps {
  readonly db: Db;
  readonly changes: Changes;
  readonly metrics: Metrics;
  /** Whether this process makes what is missing, and drops what nobody has any more. */
  readonly isMaker: boolean;
}

/** Of a project's tools, so many must have a vector before searches go by them. */
const servingShare = 0.95;

/** What models make of the tools of the catalogue, and when it is there. */
export interface Documents extends ModelDocuments {
  /** From now on it is this that makes them; `null`: nothing does. */
  make(kind: KeptKind, making: Making | null): Promise<void>;
  close(): Promise<void>;
}

type Keepings = { [kind in KeptKind]: Keeping | null };

export function createDocuments(deps: DocumentDeps, spaceOf: () => VectorSpace | null): Documents {
  const shelf = createCatalogueShelf(deps);
  const keepings: Keepings = { vector: null, enrichment: null };
  const stores = { vector: storeOf('vector'), enrichment: storeOf('enrichment') };
  const listeners = new Set<(projectId: string, toolIds: readonly string[] | null) => void>();
  const coverage = createCoverage();
  const inTurn = createTurns();
  const closing = new Set<Promise<void>>();

  function storeOf(kind: KeptKind) {
    deps.changes.on(topicOf(kind), () => keepings[kind]?.heard());
    return createKeptStore(kind, newId('replica', deps.clock.now()), deps);
  }

  function tell(projectId: string, toolIds: readonly string[] | null): void {
    for (const listener of listeners) listener(projectId, toolIds);
  }

  shelf.onChange((tool, hash, isThere) => {
    if (keepings.vector?.has(hash)) coverage.count(tool, isThere ? 1 : -1);
    for (const keeping of Object.values(keepings)) keeping?.[isThere ? 'added' : 'removed'](hash);
  });

  function made(kind: KeptKind, hashes: readonly string[]): void {
    const byProject = new Map<string, string[]>();
    for (const { projectId, id } of hashes.flatMap(shelf.holders)) {
      const ids = byProject.get(projectId) ?? [];
      ids.push(id);
      byProject.set(projectId, ids);
    }
    for (const [projectId, ids] of byProject) {
      const served = space(projectId) !== null;
      if (kind === 'vector') coverage.count({ projectId }, ids.length);
      const serves = space(projectId) !== null;
      if (kind === 'enrichment' || (served && serves)) tell(projectId, ids);
      else if (served !== serves) {
        deps.log.info(
          { project: projectId },
          'nearly every tool has a vector: searches go by the configured embeddings',
        );
        tell(projectId, null);
      }
    }
  }

  function space(projectId: string): VectorSpace | null {
    return coverage.isEnough(projectId, shelf.count(projectId)) ? spaceOf() : null;
  }

  /** At once, so that nothing of the one before is taken for the next one's. */
  function drop(kind: KeptKind): void {
    const before = keepings[kind];
    if (before === null) return;
    keepings[kind] = null;
    const closed: Promise<void> = before.close().finally(() => closing.delete(closed));
    closing.add(closed);
    if (kind === 'vector') coverage.clear();
    for (const projectId of shelf.projectIds()) tell(projectId, null);
  }

  async function begin(kind: KeptKind, making: Making | null): Promise<void> {
    drop(kind);
    await Promise.all(closing);
    const onMade = (hashes: readonly string[]) => made(kind, hashes);
    if (making !== null)
      keepings[kind] = createKeeping(making, { ...deps, store: stores[kind], shelf, onMade });
    shelf.fill(Object.values(keepings).some((keeping) => keeping !== null));
  }

  observe(deps.metrics, keepings);
  return {
    make(kind, making) {
      drop(kind);
      return inTurn(() => begin(kind, making));
    },
    space,
    vectorsOf: (tools) => valuesOf(keepings.vector, shelf, tools, unpackVector),
    enrichmentsOf: (tools) => valuesOf(keepings.enrichment, shelf, tools, readEnrichment),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: () =>
      inTurn(async () => {
        await Promise.all(Object.values(keepings).map((keeping) => keeping?.close()));
        shelf.fill(false);
      }),
  };
}

/** By the tools' ids; without those of which there is nothing. */
async function valuesOf<Value>(
  keeping: Keeping | null,
  shelf: ToolShelf,
  tools: readonly Tool[],
  read: (content: Buffer) => Value | null,
): Promise<ReadonlyMap<string, Value>> {
  const values = new Map<string, Value>();
  if (keeping === null) return values;
  const hashes = new Map(tools.map((tool) => [tool.id, shelf.hashOf(tool)]));
  const there = new Set([...hashes.values()].filter((hash) => keeping.has(hash)));
  if (there.size === 0) return values;
  const contents = await keeping.read([...there]);
  for (const [id, hash] of hashes) {
    const content = contents.get(hash);
    const value = content === undefined ? null : read(content);
    if (value !== null) values.set(id, value);
  }
  return values;
}

/** How many tools of each project have a vector. */
function createCoverage() {
  const counts = new Map<string, number>();
  return {
    count({ projectId }: { readonly projectId: string }, by: number): void {
      counts.set(projectId, (counts.get(projectId) ?? 0) + by);
    },
    isEnough(projectId: string, of: number): boolean {
      return of > 0 && (counts.get(projectId) ?? 0) >= of * servingShare;
    },
    clear: () => counts.clear(),
  };
}

function observe(metrics: Metrics, keepings: Readonly<Keepings>): void {
  const counts = metrics.gauge({
    name: 'sallyport_model_documents',
    help: 'Descriptions of tools of which models have made something, or shall make it.',
    labels: ['use', 'state'],
    together: 'max',
  });
  const uses = { vector: 'embed_documents', enrichment: 'enrich' } as const;
  metrics.beforeRead(() => {
    for (const kind of ['vector', 'enrichment'] as const) {
      const counted = keepings[kind]?.counts();
      if (counted === undefined) counts.forget(uses[kind]);
      else for (const state of ['made', 'missing'] as const) counts.of(uses[kind], state).set(counted[state]);
    }
  });
}
