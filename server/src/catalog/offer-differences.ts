import { packed, type Tool } from '#domain';
import type { OffersChange } from './contract.ts';
import { KeptTool } from './kept-tool.ts';
import type { OfferIndex } from './offer-index.ts';
import type { Section } from './section.ts';

type Listener = (projectId: string, change: OffersChange | null) => void;

export function toolDigest(tool: Tool): string {
  if (tool instanceof KeptTool) return tool.listing.digest;
  return packed([tool])[0]?.digest ?? '';
}

/** Tells listeners how the tools of a project differ from when they were told last; the first time that all may have changed. */
export function createDifferences(indexOf: (projectId: string) => OfferIndex) {
  const listeners = new Set<Listener>();
  const told = new Map<string, readonly Section[]>();

  function changed(projectId: string): void {
    if (listeners.size === 0) {
      told.delete(projectId);
      return;
    }
    const before = told.get(projectId);
    const { sections } = indexOf(projectId);
    told.set(projectId, sections);
    if (before === undefined) {
      tell(projectId, null);
      return;
    }
    const change = differencesOf(before, sections);
    if (change.put.length + change.removed.length > 0) tell(projectId, change);
  }

  function tell(projectId: string, change: OffersChange | null): void {
    for (const listener of listeners) listener(projectId, change);
  }

  return {
    changed,
    /** Somebody reads what a project has now: from there on changes are told as differences. */
    isRead(projectId: string): void {
      if (listeners.size > 0 && !told.has(projectId)) told.set(projectId, indexOf(projectId).sections);
    },
    on(listener: Listener): () => void {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** Sections that are what they were are not looked into. */
function differencesOf(before: readonly Section[], now: readonly Section[]): OffersChange {
  const known = new Map(before.map((section) => [section.sourceId, section]));
  const put: Tool[] = [];
  const removed: string[] = [];
  for (const section of now) {
    const was = known.get(section.sourceId);
    known.delete(section.sourceId);
    if (was === section) continue;
    const tools = new Map(was === undefined ? [] : toolsOf(was).map((tool) => [tool.id, tool]));
    for (const tool of toolsOf(section)) {
      if (!isSame(tools.get(tool.id), tool)) put.push(tool);
      tools.delete(tool.id);
    }
    removed.push(...tools.keys());
  }
  for (const section of known.values()) removed.push(...toolsOf(section).map(({ id }) => id));
  return { put, removed };
}

const toolsOf = ({ latest }: Section): readonly KeptTool[] =>
  latest.filter(({ quarantined }) => !quarantined);

function isSame(before: KeptTool | undefined, now: KeptTool): boolean {
  if (before === now) return true;
  return (
    before !== undefined &&
    before.ruleName === now.ruleName &&
    before.available === now.available &&
    before.toolkit.version === now.toolkit.version &&
    before.listing.digest === now.listing.digest
  );
}
