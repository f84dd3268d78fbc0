import type { Tool } from '#domain';
import type { Members } from '#foundation';
import { createRuleNames, type Owners } from './rule-names.ts';
import type { StoredEntry, StoredOffer, StoredTool } from './stored-offer.ts';
import { uriPrefixes } from './uri-prefixes.ts';
import { compareVersions } from './versions.ts';

/** What the sources of one project offer, indexed for reading; immutable, made anew when an offer changes. */
export interface OfferIndex {
  /** Every version. */
  readonly all: readonly StoredTool[];
  /** The latest version of each, in stable order: by source, then as the source lists them. */
  readonly latest: readonly StoredTool[];
  /** By rule name, ignoring case; dots may be underscores. */
  find(name: string, version?: string): Tool | null;
  /** In the same order. */
  readonly prompts: readonly StoredEntry[];
  readonly resources: readonly StoredEntry[];
  readonly templates: readonly StoredEntry[];
  /** The MCP servers, by id, the longest-known first. */
  readonly servers: ReadonlyMap<string, KnownServer>;
}

/** An MCP server as the catalog knows it. */
export interface KnownServer {
  readonly projectId: string;
  readonly sourceId: string;
  readonly capabilities: Members;
  readonly instructions: string;
  /** Stands before a `+` in front of its URIs wherever they would be mistaken for another's. */
  readonly uriPrefix: string;
  /** What rules call a prompt or a URI of it. */
  ruleNameOf(own: string): string;
}

export function indexOffers(offers: Iterable<StoredOffer>, owners: Owners): OfferIndex {
  const inOrder = [...offers].sort((a, b) => (a.sourceId < b.sourceId ? -1 : 1));
  const ruleNames = createRuleNames(
    owners,
    inOrder.map(({ sourceId }) => sourceId),
  );
  const named = ({ tool, firstSeenMs }: StoredTool): StoredTool => {
    const ruleName = ruleNames(tool.sourceId, tool.toolkit.name, tool.name);
    return { tool: tool.ruleName === ruleName ? tool : { ...tool, ruleName }, firstSeenMs };
  };
  const entries = (kind: 'prompts' | 'resources' | 'templates') =>
    inOrder.flatMap((offer) =>
      offer[kind].map((entry) => {
        const ruleName = ruleNames(offer.sourceId, offer.sourceId, entry.own);
        return { ...entry, target: { ...entry.target, ruleName } };
      }),
    );
  const all = inOrder.flatMap(({ tools }) => tools.map(named));
  const latest = latestOf(all);
  const servers = inOrder.filter(isServer).sort((a, b) => a.firstSeenMs - b.firstSeenMs);
  const prefixes = uriPrefixes(servers.map(({ sourceId }) => sourceId));
  return {
    all,
    latest,
    find: finder(all, latest),
    prompts: entries('prompts'),
    resources: entries('resources'),
    templates: entries('templates'),
    servers: new Map(
      servers.map(({ projectId, sourceId, capabilities, instructions }) => [
        sourceId,
        {
          projectId,
          sourceId,
          capabilities,
          instructions,
          uriPrefix: prefixes.get(sourceId) as string,
          ruleNameOf: (own) => ruleNames(sourceId, sourceId, own),
        },
      ]),
    ),
  };
}

/** Whether it is the offer of an MCP server: the only toolkit of one is its id. */
function isServer({ sourceId, capabilities, tools, prompts, resources, templates }: StoredOffer): boolean {
  const others = [prompts, resources, templates, Object.keys(capabilities)];
  return others.some(({ length }) => length > 0) || tools.some(({ tool }) => tool.toolkit.name === sourceId);
}

function latestOf(all: readonly StoredTool[]): readonly StoredTool[] {
  const newest = new Map<string, StoredTool>();
  for (const stored of all) {
    const known = newest.get(stored.tool.id);
    if (known === undefined || compareVersions(versionOf(stored), versionOf(known)) > 0)
      newest.set(stored.tool.id, stored);
  }
  return all.filter((stored) => newest.get(stored.tool.id) === stored);
}

function versionOf(stored: StoredTool): string {
  return stored.tool.toolkit.version ?? '';
}

function finder(all: readonly StoredTool[], latest: readonly StoredTool[]): OfferIndex['find'] {
  const byName = new Map<string, Tool>();
  const byUnderscore = new Map<string, Tool>();
  // What is known longest goes first, so that nothing that comes later is found in its place.
  for (const { tool } of [...latest].sort((a, b) => a.firstSeenMs - b.firstSeenMs)) {
    const name = tool.ruleName.toLowerCase();
    const underscored = name.replaceAll('.', '_');
    if (!byName.has(name)) byName.set(name, tool);
    if (!byUnderscore.has(underscored)) byUnderscore.set(underscored, tool);
  }
  return (name, version) => {
    const at = name.lastIndexOf('@');
    const bare = (at > 0 ? name.slice(0, at) : name).toLowerCase();
    const wanted = version ?? (at > 0 ? name.slice(at + 1) : undefined);
    const found = byName.get(bare) ?? byUnderscore.get(bare.replaceAll('.', '_'));
    if (found === undefined) return null;
    if (wanted === undefined) return found;
    return all.find(({ tool }) => tool.id === found.id && tool.toolkit.version === wanted)?.tool ?? null;
  };
}
