import type { Tool } from '#domain';
import type { StoredTool } from './store.ts';
import { compareVersions } from './versions.ts';
import { longestKnown } from './view.ts';

/** The tools of one project, indexed for reading; immutable, made anew when a source's list changes. */
export interface ToolIndex {
  /** Every version. */
  readonly all: readonly StoredTool[];
  /** The latest version of each, in stable order: by source, then as the source lists them. */
  readonly latest: readonly StoredTool[];
  find(name: string, version?: string): Tool | null;
}

export function indexTools(bySource: ReadonlyMap<string, readonly StoredTool[]>): ToolIndex {
  const all = [...bySource.keys()]
    .sort()
    .flatMap((sourceId) => bySource.get(sourceId) as readonly StoredTool[]);
  const newest = new Map<string, StoredTool>();
  for (const stored of all) {
    const known = newest.get(stored.tool.id);
    if (known === undefined || compareVersions(versionOf(stored), versionOf(known)) > 0)
      newest.set(stored.tool.id, stored);
  }
  const latest = all.filter((stored) => newest.get(stored.tool.id) === stored);
  const owners = longestKnown(latest);
  const byUnderscore = new Map<string, StoredTool>();
  for (const [name, stored] of owners) {
    const key = name.replaceAll('.', '_');
    if (!byUnderscore.has(key)) byUnderscore.set(key, stored);
  }

  return {
    all,
    latest,
    find(name, version) {
      const at = name.lastIndexOf('@');
      const bare = (at > 0 ? name.slice(0, at) : name).toLowerCase();
      const wanted = version ?? (at > 0 ? name.slice(at + 1) : undefined);
      const owner = owners.get(bare) ?? byUnderscore.get(bare.replaceAll('.', '_'));
      if (owner === undefined) return null;
      if (wanted === undefined) return owner.tool;
      return (
        all.find(({ tool }) => tool.id === owner.tool.id && tool.toolkit.version === wanted)?.tool ?? null
      );
    },
  };
}

function versionOf(stored: StoredTool): string {
  return stored.tool.toolkit.version ?? '';
}
