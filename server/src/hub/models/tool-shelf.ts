import type { Tool } from '#domain';
import { hashOf, wordsOf } from './tool-text.ts';

/** The tools of the catalogue, by what models are told of them: many may be told of in the same words. */
export interface ToolShelf {
  put(tool: Tool): void;
  remove(toolId: string): void;
  /** Drops those of the project that are not among these. */
  keepOnly(projectId: string, toolIds: ReadonlySet<string>): void;
  hashOf(tool: Tool): string;
  holders(hash: string): readonly Tool[];
  /** How much these tools say of themselves, in characters. */
  lengthOf(hash: string): number;
  hashes(): IterableIterator<string>;
  count(projectId: string): number;
  projectIds(): Iterable<string>;
  /** Called with a tool that came to be known by this hash, or is so no longer. */
  onChange(listener: (tool: Tool, hash: string, isThere: boolean) => void): void;
  clear(): void;
}

export function createToolShelf(): ToolShelf {
  const byId = new Map<string, { readonly tool: Tool; readonly hash: string }>();
  const byHash = new Map<string, { readonly ids: readonly string[]; readonly length: number }>();
  const counts = new Map<string, number>();
  const listeners: ((tool: Tool, hash: string, isThere: boolean) => void)[] = [];

  function changed(tool: Tool, hash: string, isThere: boolean): void {
    counts.set(tool.projectId, (counts.get(tool.projectId) ?? 0) + (isThere ? 1 : -1));
    for (const listener of listeners) listener(tool, hash, isThere);
  }

  function remove(toolId: string): void {
    const known = byId.get(toolId);
    if (known === undefined) return;
    byId.delete(toolId);
    const { ids = [], length = 0 } = byHash.get(known.hash) ?? {};
    if (ids.length > 1) byHash.set(known.hash, { ids: ids.filter((id) => id !== toolId), length });
    else byHash.delete(known.hash);
    changed(known.tool, known.hash, false);
  }

  return {
    put(tool) {
      const words = wordsOf(tool);
      const hash = hashOf(words);
      const known = byId.get(tool.id);
      if (known !== undefined && known.hash !== hash) remove(tool.id);
      byId.set(tool.id, { tool, hash });
      if (known?.hash === hash) return;
      const { ids = [] } = byHash.get(hash) ?? {};
      byHash.set(hash, { ids: [...ids, tool.id], length: words.description.length });
      changed(tool, hash, true);
    },
    remove,
    keepOnly(projectId, toolIds) {
      for (const [id, { tool }] of byId) if (tool.projectId === projectId && !toolIds.has(id)) remove(id);
    },
    hashOf(tool) {
      const known = byId.get(tool.id);
      return known?.tool === tool ? known.hash : hashOf(wordsOf(tool));
    },
    holders: (hash) => (byHash.get(hash)?.ids ?? []).flatMap((id) => byId.get(id)?.tool ?? []),
    lengthOf: (hash) => byHash.get(hash)?.length ?? 0,
    hashes: () => byHash.keys(),
    count: (projectId) => counts.get(projectId) ?? 0,
    projectIds: () => counts.keys(),
    onChange: (listener) => void listeners.push(listener),
    clear() {
      for (const id of [...byId.keys()]) remove(id);
    },
  };
}
