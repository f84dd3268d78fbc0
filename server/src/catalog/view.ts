import { isDeepStrictEqual } from 'node:util';
import type { Gateway } from '#domain';
import { type Allowed, compileAllowed } from './allowed.ts';
import type { GatewayView, ListKind, ShownTool } from './contract.ts';
import { type GatewayServer, gatewayServers } from './gateway-server.ts';
import { KeptTool } from './kept-tool.ts';
import type { OfferIndex } from './offer-index.ts';
import type { Place } from './pin-store.ts';
import { showPrompts } from './prompts.ts';
import { compileRoutes } from './resource-routes.ts';
import { NamedTool } from './shown-tools.ts';
import type { StoredOffer } from './stored-offer.ts';
import {
  type ChosenTools,
  chooseTools,
  nameTools,
  type ToolPart,
  type ToolParts,
  toolsOf,
} from './tool-parts.ts';

/** A view with what it was compiled from, so that the next one need not begin from nothing. */
export interface CompiledView extends GatewayView {
  readonly chosenTools: readonly ChosenTools[];
  readonly parts: ToolParts['parts'];
}

/** Compiles what a gateway shows: of everything that is offered, what its entries allow. */
export function compileView(
  gateway: Gateway,
  index: OfferIndex,
  revision: number,
  before: CompiledView | undefined,
  read: (places: readonly Place[]) => void,
): CompiledView {
  const allowed = compileAllowed(gateway.allowedTools);
  const passing = ({ target }: { readonly target: { readonly ruleName: string } }) =>
    allowed.passes(target.ruleName);
  const isSameChoice = before?.gateway.allowedTools === gateway.allowedTools;
  const chosenTools = chooseTools(index, allowed, isSameChoice ? (before?.chosenTools ?? []) : []);
  const chosen = {
    tools: chosenTools,
    prompts: index.prompts.filter(passing),
    resources: index.resources.filter(passing),
    templates: index.templates.filter(passing),
  };
  const servers = gatewayServers(index, allowed, chosen);
  const routes = compileRoutes(servers, allowed, chosen);

  // Names without a prefix are unique within one server, whose only toolkit is its id.
  const ownNames = gateway.naming === 'source' && servers.length <= 1 && chosenTools.every(isOfOneToolkit);
  const tools = nameTools(chosenTools, index, gateway, ownNames, routes, before?.parts ?? []);
  const prompts = showPrompts(chosen.prompts, ownNames);
  const unread = index.sections.map(({ offered }) => offered.kept).filter((kept) => mayShow(allowed, kept));
  const byPromptName = new Map(prompts.map((shown) => [shown.wireName, shown]));
  return {
    gateway,
    revision,
    chosenTools,
    parts: tools.parts,
    get tools() {
      return tools.tools;
    },
    get toolLists() {
      return tools.toolLists;
    },
    find: tools.find,
    prompts,
    findPrompt: (wireName) => byPromptName.get(wireName) ?? null,
    ...routes,
    serverInstructions: ownNames ? instructionsOf(servers) : null,
    readRest: unread.length === 0 ? null : () => read(unread),
    sourceIds: servers.map(({ server }) => server.sourceId),
    capabilitiesOf: (sourceId) => index.servers.get(sourceId)?.capabilities ?? {},
  };
}

/** Whether it may show tools of a source that are not in memory. */
function mayShow({ mayPass }: Allowed, { sourceId, unread }: StoredOffer): boolean {
  return unread?.some((name) => mayPass(`${name}.`) || mayPass(`${sourceId}/${name}.`)) === true;
}

function isOfOneToolkit(chosen: ChosenTools): boolean {
  const { section } = chosen;
  return section.isOfOneToolkit || toolsOf(chosen).every(({ toolkit }) => toolkit.name === section.sourceId);
}

/** Those of a server of which only a part is shown may speak of the rest. */
function instructionsOf([part]: readonly GatewayServer[]): GatewayView['serverInstructions'] {
  if (part === undefined || !part.isWhole || part.server.instructions === '') return null;
  const { projectId, sourceId, instructions: text } = part.server;
  const ruleName = part.server.ruleNameOf('instructions');
  return { text, target: { id: `instructions_${sourceId}`, projectId, sourceId, ruleName } };
}

/** The lists in which clients would see a difference: not every change of an offer changes what each gateway shows. */
export function changedLists(before: CompiledView, after: CompiledView | null): ReadonlySet<ListKind> {
  const kinds: readonly ListKind[] = ['tools', 'prompts', 'resources'];
  // What each caller sees of it follows from this, too.
  if (after !== null && !listsAlike(before.gateway, after.gateway)) return new Set(kinds);
  const listed = (entries: readonly { readonly listed: object }[] = []) =>
    entries.map(({ listed }) => listed);
  const isSame: Readonly<Record<ListKind, () => boolean>> = {
    tools: () => areSameTools(before, after),
    prompts: () => isDeepStrictEqual(listed(before.prompts), listed(after?.prompts)),
    resources: () =>
      isDeepStrictEqual(
        listed([...before.resources, ...before.templates]),
        listed([...(after?.resources ?? []), ...(after?.templates ?? [])]),
      ),
  };
  return new Set(kinds.filter((kind) => !isSame[kind]()));
}

/** Sources whose tools are all as they were are not looked into. */
function areSameTools(before: CompiledView, after: CompiledView | null): boolean {
  const now = new Map(after?.parts.map((part) => [part.chosen.section.sourceId, part]));
  const isShown = ({ tool }: ShownTool) => !tool.quarantined;
  for (const part of before.parts) {
    const { sourceId } = part.chosen.section;
    const other = now.get(sourceId);
    now.delete(sourceId);
    if (other !== undefined && isSamePart(part, other)) continue;
    const [one, two] = [part.shown.filter(isShown), other?.shown.filter(isShown) ?? []];
    if (one.length !== two.length || !one.every((shown, at) => isSameFace(shown, two[at] as ShownTool)))
      return false;
  }
  return [...now.values()].every(({ shown }) => !shown.some(isShown));
}

function isSamePart({ chosen, special }: ToolPart, other: ToolPart): boolean {
  if (chosen !== other.chosen || special.size !== other.special.size) return false;
  for (const [place, shown] of special) {
    const now = other.special.get(place);
    if (now === undefined || !isSameFace(shown, now)) return false;
  }
  return true;
}

function isSameFace(one: ShownTool, other: ShownTool): boolean {
  if (one === other) return true;
  if (one.wireName !== other.wireName || one.tool.available !== other.tool.available) return false;
  return saysTheSame(one, other) || isDeepStrictEqual(faceOf(one), faceOf(other));
}

/** Whether that can be told without looking into the definitions. */
function saysTheSame(one: ShownTool, other: ShownTool): boolean {
  const isPlain = (shown: ShownTool) =>
    !(shown instanceof NamedTool) || (shown.curation === null && shown.ofMcp === null);
  if (!isPlain(one) || !isPlain(other)) return false;
  const [first, second] = [one.tool, other.tool];
  return (
    first instanceof KeptTool && second instanceof KeptTool && first.listing.digest === second.listing.digest
  );
}

function listsAlike(before: Gateway, after: Gateway): boolean {
  return before.access === after.access && before.presentation === after.presentation;
}

function faceOf({ tool, description, inputSchema, mcp }: ShownTool): object {
  return { description, inputSchema, outputSchema: tool.outputSchema, mcp };
}
