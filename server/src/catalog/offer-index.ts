import type { Tool } from '#domain';
import type { Members } from '#foundation';
import type { KeptTool } from './kept-tool.ts';
import { nameHash } from './name-table.ts';
import { contestedIn } from './plain-names.ts';
import { createRuleNames, type Owners, type RuleNames } from './rule-names.ts';
import { createSection, type Offered, type Section } from './section.ts';
import type { StoredEntries, StoredEntry } from './stored-offer.ts';
import { uriPrefixes } from './uri-prefixes.ts';

/** What the sources of one project offer, indexed for reading; immutable. */
export interface OfferIndex {
  /** By source. */
  readonly sections: readonly Section[];
  /** Every version, as it stands; in stable order: by source, then as the source lists them. */
  readonly all: readonly KeptTool[];
  /** The latest version of each, in the same order. */
  readonly latest: readonly KeptTool[];
  /** By rule name, ignoring case; dots may be underscores. */
  find(name: string, version?: string): Tool | null;
  /** In the same order. */
  readonly prompts: readonly StoredEntry[];
  readonly resources: readonly StoredEntry[];
  readonly templates: readonly StoredEntry[];
  /** The MCP servers, by id, the longest-known first. */
  readonly servers: ReadonlyMap<string, KnownServer>;
  /** Places of those of a section's tools that may not have their plain name on every gateway. */
  contested(section: Section): ReadonlySet<number>;
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

/** Makes one index after another; what differs from the one before costs what it is large. */
export interface Indexer {
  index(offered: Iterable<Offered>, owners: Owners): OfferIndex;
}

export function createIndexer(): Indexer {
  let known = new Map<string, Section>();
  return {
    index(offered, owners) {
      const inOrder = [...offered].sort((a, b) => (a.kept.sourceId < b.kept.sourceId ? -1 : 1));
      const ruleNames = createRuleNames(
        owners,
        inOrder.map(({ kept }) => kept.sourceId),
      );
      const sections = inOrder.map((one) => {
        const before = known.get(one.kept.sourceId);
        if (before !== undefined && isCurrent(before, one, ruleNames)) return before;
        return createSection(one, ruleNames, before);
      });
      known = new Map(sections.map((section) => [section.sourceId, section]));
      return indexOf(sections, ruleNames);
    },
  };
}

function isCurrent({ offered, isNamedBy }: Section, now: Offered, ruleNames: RuleNames): boolean {
  const { kept, available, held } = offered;
  const isSame =
    kept.tools === now.kept.tools &&
    kept.unread === now.kept.unread &&
    kept.prompts === now.kept.prompts &&
    kept.resources === now.kept.resources &&
    kept.templates === now.kept.templates &&
    kept.capabilities === now.kept.capabilities &&
    kept.instructions === now.kept.instructions;
  return isSame && available === now.available && held === now.held && isNamedBy(ruleNames);
}

function indexOf(sections: readonly Section[], ruleNames: RuleNames): OfferIndex {
  const all = once(() => sections.flatMap((section) => section.all));
  const latest = once(() => sections.flatMap((section) => section.latest));
  const entries = (kind: keyof StoredEntries) => once(() => sections.flatMap((section) => section[kind]));
  const [prompts, resources, templates] = [entries('prompts'), entries('resources'), entries('templates')];
  return {
    sections,
    get all() {
      return all();
    },
    get latest() {
      return latest();
    },
    find: finder(sections),
    get prompts() {
      return prompts();
    },
    get resources() {
      return resources();
    },
    get templates() {
      return templates();
    },
    servers: serversOf(sections, ruleNames),
    contested: contestedIn(sections),
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function serversOf(sections: readonly Section[], ruleNames: RuleNames): Map<string, KnownServer> {
  const servers = sections
    .filter(({ isServer }) => isServer)
    .map(({ offered }) => offered.kept)
    .sort((a, b) => a.firstSeenMs - b.firstSeenMs);
  const prefixes = uriPrefixes(servers.map(({ sourceId }) => sourceId));
  return new Map(
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
  );
}

function finder(sections: readonly Section[]): OfferIndex['find'] {
  /** What is known longest, so that nothing that comes later is found in its place. */
  function longestKnown(name: string, isMeant: (tool: KeptTool) => boolean): [Section, KeptTool] | null {
    const hash = nameHash(name);
    let found: [Section, KeptTool] | null = null;
    for (const section of sections)
      for (const place of section.names.at(hash)) {
        const tool = section.latest[place] as KeptTool;
        if (isMeant(tool) && (found === null || tool.firstSeenMs < found[1].firstSeenMs))
          found = [section, tool];
      }
    return found;
  }

  return (name, version) => {
    const at = name.lastIndexOf('@');
    const bare = (at > 0 ? name.slice(0, at) : name).toLowerCase();
    const wanted = version ?? (at > 0 ? name.slice(at + 1) : undefined);
    const underscored = bare.replaceAll('.', '_');
    const found =
      longestKnown(bare, ({ ruleName }) => ruleName.toLowerCase() === bare) ??
      longestKnown(
        underscored,
        ({ ruleName }) => ruleName.toLowerCase().replaceAll('.', '_') === underscored,
      );
    if (found === null) return null;
    const [section, latest] = found;
    if (wanted === undefined) return latest;
    return section.all.find(({ id, toolkit }) => id === latest.id && toolkit.version === wanted) ?? null;
  };
}
