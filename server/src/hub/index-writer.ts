import type { ShownTool } from '#catalog';
import type { Tool } from '#domain';
import { createRests } from '#foundation';
import { documentOf, hashOf } from './document.ts';
import type { IndexingDeps } from './indexing.ts';
import type { SearchDocument, SearchIndex } from './search/contract.ts';

/** Documents that are sent at once. */
const atOnce = 100;

/** Puts tools into an index; others pass in between. What fails is told by the next that is asked of it. */
export interface IndexWriter {
  /** Of these those of which something else is in the index, or nothing. */
  put(tools: readonly Tool[]): Promise<void>;
  remove(ids: readonly string[]): Promise<void>;
  /** Takes out what is not in these lists. */
  keepOnly(lists: readonly (readonly ShownTool[])[]): Promise<void>;
  /** All of it is in. */
  end(): Promise<void>;
}

/** `onChange` is told how many documents are others than before. */
export function createIndexWriter(
  projectId: string,
  index: SearchIndex,
  onChange: (documents: number) => void,
  deps: IndexingDeps,
): IndexWriter {
  const { catalog } = deps;
  const rests = createRests();
  const rested = async () => {
    const rest = rests();
    if (rest !== null) await rest;
  };
  let sent: Promise<void> = Promise.resolve();

  /** Documents are made while those before them are put in. */
  async function send(put: readonly SearchDocument[], remove: readonly string[]): Promise<void> {
    if (put.length + remove.length === 0) return;
    await sent;
    sent = index.update({ put, remove });
    sent.catch(() => undefined);
    onChange(put.length + remove.length);
  }
  async function remove(ids: readonly string[]): Promise<void> {
    await send([], ids);
    await sent;
  }

  return {
    async put(tools) {
      const describe = await describer(projectId, tools, deps);
      let documents: SearchDocument[] = [];
      for (const tool of tools) {
        const described = describe(tool);
        const hash = hashOf(described, catalog.digest(tool));
        if (!index.has(tool.id, hash)) documents.push(documentOf(described, hash));
        await rested();
        if (documents.length < atOnce) continue;
        await send(documents, []);
        documents = [];
      }
      await send(documents, []);
    },
    remove,
    async keepOnly(lists) {
      await sent;
      if (index.size <= lists.reduce((sum, { length }) => sum + length, 0)) return;
      const there = new Set<string>();
      for (const list of lists)
        for (const { tool } of list) {
          there.add(tool.id);
          await rested();
        }
      await remove([...index.ids()].filter((id) => !there.has(id)));
    },
    end: () => sent,
  };
}

/** What is to be known of a tool to search it; what models made of these is read at once. */
async function describer(
  projectId: string,
  tools: readonly Tool[],
  { governance, models, refs }: IndexingDeps,
) {
  const space = models?.space(projectId) ?? null;
  const vectors = space === null ? null : await models?.vectorsOf(tools);
  const enrichments = await models?.enrichmentsOf(tools);
  return (tool: Tool) => ({
    tool,
    namespace: refs.namespaceOf(tool),
    curation: governance.curationOf(projectId, tool.id),
    learned: governance.learnedOf(projectId, tool.id),
    enrichment: enrichments?.get(tool.id) ?? null,
    vector: vectors?.get(tool.id) ?? null,
    space: space?.id ?? null,
  });
}
