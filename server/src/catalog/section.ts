import type { ShownTool } from './contract.ts';
import { type KeptTool, standingAs } from './kept-tool.ts';
import { createNameTable, type NameTable } from './name-table.ts';
import type { RuleNames } from './rule-names.ts';
import { PlainTool } from './shown-tools.ts';
import { entryKinds, type StoredEntries, type StoredEntry, type StoredOffer } from './stored-offer.ts';
import { compareVersions } from './versions.ts';

/** What this process has of a source. */
export interface Offered {
  readonly kept: StoredOffer;
  /** Tools that are held back; `null`: it is not pinned. */
  readonly held: ReadonlySet<string> | null;
  readonly available: boolean;
}

/** One source's part of the index of its project; immutable. */
export interface Section extends StoredEntries {
  readonly offered: Offered;
  readonly sourceId: string;
  /** Every version, in the source's own order. */
  readonly all: readonly KeptTool[];
  /** The latest version of each; `all`, where there is one of each. */
  readonly latest: readonly KeptTool[];
  /** Of the latest. */
  readonly names: NameTable;
  readonly withInterface: readonly KeptTool[];
  /** Whether it is an MCP server: the only toolkit of one is its id. */
  readonly isServer: boolean;
  /** Whether every tool is of the toolkit that is called as the source. */
  readonly isOfOneToolkit: boolean;
  /** Whether its names are what they would be made now. */
  isNamedBy(ruleNames: RuleNames): boolean;
  /** The latest of this place as every gateway shows it that has nothing to say of it. */
  plain(place: number): ShownTool;
  /** Those of them that were asked for, by their places. */
  shownYet(): readonly (ShownTool | undefined)[];
  /** All of these but those that are held back; always the same list. */
  plainList(): readonly ShownTool[];
}

/** `before`: what it was, of which what is the same stays the same objects. */
export function createSection(offered: Offered, ruleNames: RuleNames, before: Section | undefined): Section {
  const { kept, available, held } = offered;
  const { sourceId } = kept;
  const all = standingTools(offered, ruleNames, before);
  const latest = latestOf(all);
  const entriesOf = (kind: keyof StoredEntries): readonly StoredEntry[] =>
    kept[kind].map((entry) => {
      const ruleName = ruleNames(sourceId, sourceId, entry.own);
      return { ...entry, available, target: { ...entry.target, ruleName } };
    });
  const [prompts, resources, templates] = entryKinds.map(entriesOf) as [
    readonly StoredEntry[],
    readonly StoredEntry[],
    readonly StoredEntry[],
  ];
  const shown = shownBefore(latest, before);
  let list: readonly ShownTool[] | null = null;
  const plain = (place: number): ShownTool => {
    let one = shown[place];
    if (one === undefined) {
      one = new PlainTool(latest[place] as KeptTool);
      shown[place] = one;
    }
    return one;
  };
  const isOwn = ({ toolkit }: KeptTool) => toolkit.name === sourceId;
  const others = [prompts, resources, templates, Object.keys(kept.capabilities)];
  return {
    offered: { kept, available, held },
    sourceId,
    all,
    latest,
    prompts,
    resources,
    templates,
    names: createNameTable(latest),
    withInterface: latest.filter(({ uiUris }) => uiUris.length > 0),
    isServer:
      others.some(({ length }) => length > 0) || all.some(isOwn) || kept.unread?.includes(sourceId) === true,
    isOfOneToolkit: latest.every(isOwn),
    isNamedBy: namedBy(sourceId, all, [...prompts, ...resources, ...templates]),
    plain,
    shownYet: () => shown,
    plainList() {
      list ??= plainOf(latest, plain, shown);
      return list;
    },
  };
}

/** `shown` itself, where nothing is held back. */
function plainOf(
  latest: readonly KeptTool[],
  plain: Section['plain'],
  shown: readonly (ShownTool | undefined)[],
): readonly ShownTool[] {
  const usable = latest.flatMap(({ quarantined }, place) => (quarantined ? [] : [plain(place)]));
  return usable.length === latest.length ? (shown as readonly ShownTool[]) : usable;
}

/** What was shown of tools that are the same objects. */
function shownBefore(latest: readonly KeptTool[], before: Section | undefined): (ShownTool | undefined)[] {
  const shown = new Array<ShownTool | undefined>(latest.length);
  if (before === undefined) return shown;
  const list = before.shownYet();
  const known = new Map<ShownTool['tool'], ShownTool>();
  for (const one of list) if (one !== undefined) known.set(one.tool, one);
  for (const [place, tool] of known.size === 0 ? [] : latest.entries()) shown[place] = known.get(tool);
  return shown;
}

function standingTools(
  { kept, available, held }: Offered,
  ruleNames: RuleNames,
  before: Section | undefined,
): readonly KeptTool[] {
  const { sourceId, tools } = kept;
  const keptBefore = before?.offered.kept.tools;
  const placesBefore = keptBefore === tools ? null : new Map(keptBefore?.map((tool, place) => [tool, place]));
  const standing = tools.map((tool, place) => {
    const { id, toolkit, name } = tool;
    const quarantined = held?.has(id) === true;
    const now = { ruleName: ruleNames(sourceId, toolkit.name, name), available, quarantined };
    const known = before?.all[placesBefore === null ? place : (placesBefore.get(tool) ?? -1)];
    return standingAs(known ?? tool, now);
  });
  return standing.every((tool, place) => tool === tools[place]) ? tools : standing;
}

function latestOf(all: readonly KeptTool[]): readonly KeptTool[] {
  const newest = new Map<string, KeptTool>();
  for (const tool of all) {
    const known = newest.get(tool.id);
    if (known === undefined || compareVersions(versionOf(tool), versionOf(known)) > 0)
      newest.set(tool.id, tool);
  }
  return newest.size === all.length ? all : all.filter((tool) => newest.get(tool.id) === tool);
}

function versionOf({ toolkit }: KeptTool): string {
  return toolkit.version ?? '';
}

/** Only whose a toolkit is, and which sources there are where a name has a slash, makes a difference to names. */
function namedBy(
  sourceId: string,
  all: readonly KeptTool[],
  entries: readonly StoredEntry[],
): Section['isNamedBy'] {
  const asked = new Map<string, readonly [toolkit: string, own: string, ruleName: string]>();
  const ask = (toolkit: string, own: string, ruleName: string) => {
    const hasSlash = toolkit.includes('/') || own.includes('/');
    const key = hasSlash ? `${toolkit}.${own}` : toolkit;
    if (!asked.has(key)) asked.set(key, [toolkit, own, ruleName]);
  };
  for (const { toolkit, name, ruleName } of all) ask(toolkit.name, name, ruleName);
  for (const { own, target } of entries) ask(sourceId, own, target.ruleName);
  return (ruleNames) => {
    for (const [toolkit, own, ruleName] of asked.values())
      if (ruleNames(sourceId, toolkit, own) !== ruleName) return false;
    return true;
  };
}
