import { setImmediate } from 'node:timers/promises';
import type { Tool } from '#domain';
import { atMost, createTurns, messageOf } from '#foundation';
import { documentOf, hashOf } from './document.ts';
import type { Indexed, IndexingDeps } from './indexing.ts';
import type { SearchDocument, SearchEngine, SearchIndex } from './search/contract.ts';
import { createSnapshot } from './snapshot.ts';

/** So many at once, so that nothing else waits for long. */
const atOnce = 100;
/** Ids that are looked at in one go. */
const piece = 10_000;
/** What takes longer to be put in is found when it is there. */
const waitAtMostMs = 1000;

interface Difference {
  readonly put: readonly Tool[];
  readonly removed: readonly string[];
}

/** The index of one project, kept in step with the catalog and with what is said of its tools. */
export function createIndexedProject(projectId: string, opening: Promise<SearchEngine>, deps: IndexingDeps) {
  const { catalog, clock, log } = deps;
  const inTurn = createTurns();
  /** As they were put in. */
  const known = new Map<string, Tool>();
  let indexed: Indexed | null = null;
  let waiting = 0;
  let last: Promise<void> = Promise.resolve();
  let isBehind = true;
  let isClosed = false;
  const snapshot = createSnapshot(deps.snapshotOf(projectId), deps);
  const stopKeeping = snapshot.nowAndThen(() => {
    if (waiting === 0) void inTurn(keep);
  });

  function later(difference: (index: SearchIndex) => Difference | Promise<Difference>): void {
    if (isClosed) return;
    waiting++;
    last = inTurn(async () => {
      try {
        const index = indexed?.index ?? (await snapshot.loaded((await opening).index(projectId)));
        await take(index, await difference(index));
        const isFirst = indexed === null;
        indexed = { index };
        if (isFirst) await keep();
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

  async function keep(): Promise<void> {
    if (indexed !== null) await snapshot.keep(indexed.index);
  }

  async function everything(index: SearchIndex): Promise<Difference> {
    const put = catalog.tools(projectId);
    if (index.size === 0) return { put, removed: [] };
    const ids = new Set<string>();
    const removed: string[] = [];
    for (const { id } of put) if (ids.add(id).size % piece === 0) await setImmediate();
    let seen = 0;
    for (const id of index.known().keys()) {
      if (!ids.has(id)) removed.push(id);
      if (++seen % piece === 0) await setImmediate();
    }
    return { put, removed };
  }

  async function take(index: SearchIndex, { put, removed }: Difference): Promise<void> {
    for (const id of removed) known.delete(id);
    if (removed.length > 0) {
      await index.update({ put: [], remove: removed });
      snapshot.outdated();
    }
    for (let at = 0; at < put.length && !isClosed; at += atOnce) {
      const tools = put.slice(at, at + atOnce);
      for (const tool of tools) known.set(tool.id, tool);
      const differing = await differingOf(projectId, tools, index.known(), deps);
      if (differing.length > 0) {
        await index.update({ put: differing, remove: [] });
        snapshot.outdated();
      }
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
    async close(): Promise<void> {
      isClosed = true;
      stopKeeping();
      await inTurn(keep);
    },
  };
}

/** Of these tools, what is searched of those of which something else is in the index, or nothing. */
async function differingOf(
  projectId: string,
  tools: readonly Tool[],
  held: ReadonlyMap<string, string>,
  { catalog, governance, models, refs }: IndexingDeps,
): Promise<readonly SearchDocument[]> {
  const space = models?.space(projectId) ?? null;
  const vectors = space === null ? null : await models?.vectorsOf(tools);
  const enrichments = await models?.enrichmentsOf(tools);
  return tools.flatMap((tool) => {
    const described = {
      tool,
      namespace: refs.namespaceOf(tool),
      curation: governance.curationOf(projectId, tool.id),
      learned: governance.learnedOf(projectId, tool.id),
      enrichment: enrichments?.get(tool.id) ?? null,
      vector: vectors?.get(tool.id) ?? null,
      space: space?.id ?? null,
    };
    const hash = hashOf(described, catalog.digest(tool));
    return held.get(tool.id) === hash ? [] : [documentOf(described, hash)];
  });
}
