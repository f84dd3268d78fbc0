import type { Tool } from '#domain';
import type { OffersChange } from './contract.ts';
import { definitionOf, digestOf } from './tool-definition.ts';

type Listener = (projectId: string, change: OffersChange | null) => void;

const digests = new WeakMap<Tool, string>();

export function toolDigest(tool: Tool): string {
  let digest = digests.get(tool);
  if (digest === undefined) {
    digest = digestOf(definitionOf(tool));
    digests.set(tool, digest);
  }
  return digest;
}

/** Tells listeners how the tools of a project differ from when they were told last; the first time that all may have changed. */
export function createDifferences(toolsOf: (projectId: string) => readonly Tool[]) {
  const listeners = new Set<Listener>();
  const told = new Map<string, ReadonlyMap<string, Tool>>();

  function changed(projectId: string): void {
    if (listeners.size === 0) {
      told.delete(projectId);
      return;
    }
    const before = told.get(projectId);
    const now = new Map(toolsOf(projectId).map((tool) => [tool.id, tool]));
    told.set(projectId, now);
    if (before === undefined) {
      tell(projectId, null);
      return;
    }
    const put = [...now.values()].filter((tool) => !isSame(before.get(tool.id), tool));
    const removed = [...before.keys()].filter((id) => !now.has(id));
    if (put.length + removed.length > 0) tell(projectId, { put, removed });
  }

  function tell(projectId: string, change: OffersChange | null): void {
    for (const listener of listeners) listener(projectId, change);
  }

  return {
    changed,
    on(listener: Listener): () => void {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function isSame(before: Tool | undefined, now: Tool): boolean {
  if (before === now) return true;
  return (
    before !== undefined &&
    before.ruleName === now.ruleName &&
    before.available === now.available &&
    before.toolkit.version === now.toolkit.version &&
    toolDigest(before) === toolDigest(now)
  );
}
