import type { Gateway, ToolCuration } from '#domain';
import type { Allowed } from './allowed.ts';
import type { ShownTool } from './contract.ts';
import type { KeptTool } from './kept-tool.ts';
import { nameHash } from './name-table.ts';
import type { OfferIndex } from './offer-index.ts';
import type { Section } from './section.ts';
import { NamedTool } from './shown-tools.ts';
import { withUiUris } from './ui-resources.ts';
import { nameAll, plainName } from './wire-names.ts';

/** What a gateway takes of one source's tools, before they are named. */
export interface ChosenTools {
  readonly section: Section;
  /** Of the latest; `null`: all of them. */
  readonly places: readonly number[] | null;
}

/** The tools of one source as a gateway shows them. */
export interface ToolPart {
  readonly chosen: ChosenTools;
  /** In their order, with those that are held back. */
  readonly shown: readonly ShownTool[];
  /** Without those that are held back. */
  readonly usable: readonly ShownTool[];
  /** Those of them that do not look as on every other gateway, by their places. */
  readonly special: ReadonlyMap<number, ShownTool>;
}

/** The tools of a gateway. */
export interface ToolParts {
  readonly parts: readonly ToolPart[];
  /** Without those that are held back. */
  readonly tools: readonly ShownTool[];
  readonly toolLists: readonly (readonly ShownTool[])[];
  find(name: string): ShownTool | null;
}

/** `before`: what was chosen by the same entries. */
export function chooseTools(
  { sections }: OfferIndex,
  allowed: Allowed,
  before: readonly ChosenTools[],
): readonly ChosenTools[] {
  const known = new Map(before.map((chosen) => [chosen.section, chosen]));
  return sections.map((section) => known.get(section) ?? { section, places: placesIn(section, allowed) });
}

function placesIn({ latest }: Section, { passes }: Allowed): readonly number[] | null {
  const places: number[] = [];
  for (const [place, { ruleName }] of latest.entries()) if (passes(ruleName)) places.push(place);
  return places.length === latest.length ? null : places;
}

export const countOf = ({ section, places }: ChosenTools): number => (places ?? section.latest).length;

export function toolsOf({ section, places }: ChosenTools): readonly KeptTool[] {
  return places === null ? section.latest : places.map((place) => section.latest[place] as KeptTool);
}

/** How URIs are written on a gateway. */
interface Routes {
  shownUri(sourceId: string, own: string): string;
  renamesUris(sourceId: string): boolean;
}

/** `ownNames`: tools are called as their only source calls them, where the gateway does not say otherwise. */
export function nameTools(
  all: readonly ChosenTools[],
  index: OfferIndex,
  gateway: Gateway,
  ownNames: boolean,
  routes: Routes,
  before: readonly ToolPart[],
): ToolParts {
  const specials = specialsOf(all, index, gateway, ownNames, routes);
  const known = new Map(before.map((part) => [part.chosen, part]));
  const parts = all.map((chosen) => {
    const special = specials.get(chosen.section) ?? nothingSpecial;
    const part = known.get(chosen);
    return part !== undefined && part.special.size + special.size === 0 ? part : partOf(chosen, special);
  });
  const byWireName = new Map<string, ShownTool>();
  for (const special of specials.values())
    for (const shown of special.values()) byWireName.set(shown.wireName, shown);
  let [tools, toolLists]: [readonly ShownTool[] | null, ToolParts['toolLists'] | null] = [null, null];
  return {
    parts,
    get tools() {
      tools ??= parts.flatMap(({ usable }) => usable);
      return tools;
    },
    get toolLists() {
      toolLists ??= parts.map(({ usable }) => usable);
      return toolLists;
    },
    find: rememberedFinder(parts, byWireName),
  };
}

const nothingSpecial: ToolPart['special'] = new Map();

function partOf(chosen: ChosenTools, special: ReadonlyMap<number, ShownTool>): ToolPart {
  const { section, places } = chosen;
  const at = (place: number) => special.get(place) ?? section.plain(place);
  let [shown, usable]: (readonly ShownTool[] | null)[] = [null, null];
  const all = () => {
    shown ??= places === null ? section.latest.map((_, place) => at(place)) : places.map(at);
    return shown;
  };
  return {
    chosen,
    special,
    get shown() {
      return all();
    },
    get usable() {
      if (places === null && special.size === 0) return section.plainList();
      usable ??= all().filter(({ tool }) => !tool.quarantined);
      return usable;
    },
  };
}

interface Special {
  readonly chosen: ChosenTools;
  readonly place: number;
  readonly tool: KeptTool;
}

/** The tools whose names depend on what else the gateway shows, or of which it says something itself. */
function specialsOf(
  all: readonly ChosenTools[],
  index: OfferIndex,
  { curation }: Gateway,
  ownNames: boolean,
  { shownUri, renamesUris }: Routes,
): ReadonlyMap<Section, ReadonlyMap<number, ShownTool>> {
  const curations = new Map(curation.map((one) => [one.tool.toLowerCase(), one]));
  const curationOf = ({ ruleName }: KeptTool): ToolCuration | null =>
    curations.size === 0 ? null : (curations.get(ruleName.toLowerCase()) ?? null);
  const specials = all.flatMap((chosen): Special[] =>
    [...specialPlaces(chosen, index, curation, ownNames, renamesUris)].map((place) => ({
      chosen,
      place,
      tool: chosen.section.latest[place] as KeptTool,
    })),
  );
  // Names within one source are unique.
  const isPlain = ownNames && curation.length === 0;
  const names = nameAll(
    (isPlain ? [] : specials).map(({ tool }) => ({
      id: tool.id,
      chosen: curationOf(tool)?.name ?? null,
      plain: ownNames ? tool.name : plainName(tool.toolkit.name, tool.name),
      isOwner: ownNames || tool.ruleName === tool.qualifiedName,
      firstSeenMs: tool.firstSeenMs,
    })),
    ownNames ? Number.POSITIVE_INFINITY : undefined,
  );
  const bySection = new Map<Section, Map<number, ShownTool>>();
  for (const { chosen, place, tool } of specials) {
    const { sourceId } = tool;
    const mcp = renamesUris(sourceId) ? () => withUiUris(tool, (own) => shownUri(sourceId, own)) : null;
    const shown = new NamedTool(tool, names.get(tool.id) ?? tool.name, curationOf(tool), mcp);
    const ofSection = bySection.get(chosen.section) ?? new Map<number, ShownTool>();
    bySection.set(chosen.section, ofSection.set(place, shown));
  }
  return bySection;
}

function specialPlaces(
  { section, places }: ChosenTools,
  index: OfferIndex,
  curation: Gateway['curation'],
  ownNames: boolean,
  renamesUris: Routes['renamesUris'],
): ReadonlySet<number> {
  const { latest, names, withInterface, sourceId } = section;
  if (ownNames) return new Set(places ?? latest.keys());
  const special = new Set(index.contested(section));
  const meant = ({ tool, name }: ToolCuration) => [tool, ...(name === null ? [] : [name])];
  for (const name of curation.flatMap(meant))
    for (const place of names.at(nameHash(name))) special.add(place);
  if (renamesUris(sourceId) && withInterface.length > 0)
    for (const [place, { uiUris }] of latest.entries()) if (uiUris.length > 0) special.add(place);
  if (places === null) return special;
  return special.size === 0 ? special : new Set(places.filter((place) => special.has(place)));
}

/** Names that were asked for, at most. */
const maxRemembered = 10_000;

/** A view never changes, so what was found once need not be looked for again. */
function rememberedFinder(
  parts: readonly ToolPart[],
  byWireName: ReadonlyMap<string, ShownTool>,
): ToolParts['find'] {
  const remembered = new Map<string, ShownTool>();
  const find = finder(parts, byWireName);
  return (name) => {
    const known = remembered.get(name);
    if (known !== undefined) return known;
    const found = find(name);
    if (found === null) return null;
    if (remembered.size >= maxRemembered) remembered.clear();
    remembered.set(name, found);
    return found;
  };
}

/** By the name on the wire, exact; then by the name that rules know, ignoring case. */
function finder(
  parts: readonly ToolPart[],
  byWireName: ReadonlyMap<string, ShownTool>,
): (name: string) => ShownTool | null {
  const placesOf = parts.map(({ chosen: { places } }) => (places === null ? null : new Set(places)));

  function last(name: string, isMeant: (tool: KeptTool, special: ShownTool | undefined) => boolean) {
    const hash = nameHash(name);
    let found: ShownTool | null = null;
    for (const [at, { chosen, special }] of parts.entries()) {
      const { section } = chosen;
      for (const place of section.names.at(hash)) {
        if (placesOf[at]?.has(place) === false) continue;
        const one = special.get(place);
        if (isMeant(section.latest[place] as KeptTool, one)) found = one ?? section.plain(place);
      }
    }
    return found;
  }

  return (name) => {
    const lower = name.toLowerCase();
    return (
      byWireName.get(name) ??
      last(
        name,
        ({ toolkit, name: own }, special) => special === undefined && plainName(toolkit.name, own) === name,
      ) ??
      last(name, ({ ruleName }) => ruleName.toLowerCase() === lower)
    );
  };
}
