import { isDeepStrictEqual } from 'node:util';
import type { Gateway } from '#domain';
import { compileAllowed } from './allowed.ts';
import type { GatewayView, ListKind, ShownTool } from './contract.ts';
import { type GatewayServer, gatewayServers } from './gateway-server.ts';
import type { OfferIndex } from './offer-index.ts';
import { showPrompts } from './prompts.ts';
import { compileRoutes } from './resource-routes.ts';
import { showTools } from './shown-tools.ts';

/** Compiles what a gateway shows: of everything that is offered, what its entries allow. */
export function compileView(gateway: Gateway, index: OfferIndex, revision: number): GatewayView {
  const allowed = compileAllowed(gateway.allowedTools);
  const passing = ({ target }: { readonly target: { readonly ruleName: string } }) =>
    allowed.passes(target.ruleName);
  const storedTools = index.latest.filter(({ tool }) => allowed.passes(tool.ruleName));
  const chosen = {
    tools: storedTools.map(({ tool }) => tool),
    prompts: index.prompts.filter(passing),
    resources: index.resources.filter(passing),
    templates: index.templates.filter(passing),
  };
  const servers = gatewayServers(index, allowed, chosen);
  const routes = compileRoutes(servers, allowed, chosen);

  // Names without a prefix are unique within one server, whose only toolkit is its id.
  const ownNames =
    gateway.naming === 'source' &&
    servers.length <= 1 &&
    chosen.tools.every(({ toolkit, sourceId }) => toolkit.name === sourceId);
  const tools = showTools(storedTools, gateway, ownNames, routes);
  const prompts = showPrompts(chosen.prompts, ownNames);

  const byWireName = new Map(tools.map((shown) => [shown.wireName, shown]));
  const byRuleName = new Map(tools.map((shown) => [shown.tool.ruleName.toLowerCase(), shown]));
  const byPromptName = new Map(prompts.map((shown) => [shown.wireName, shown]));
  return {
    gateway,
    revision,
    tools: tools.filter(({ tool }) => !tool.quarantined),
    find: (name) => byWireName.get(name) ?? byRuleName.get(name.toLowerCase()) ?? null,
    prompts,
    findPrompt: (wireName) => byPromptName.get(wireName) ?? null,
    ...routes,
    serverInstructions: ownNames ? instructionsOf(servers) : null,
    sourceIds: servers.map(({ server }) => server.sourceId),
    capabilitiesOf: (sourceId) => index.servers.get(sourceId)?.capabilities ?? {},
  };
}

/** Those of a server of which only a part is shown may speak of the rest. */
function instructionsOf([part]: readonly GatewayServer[]): GatewayView['serverInstructions'] {
  if (part === undefined || !part.isWhole || part.server.instructions === '') return null;
  const { projectId, sourceId, instructions: text } = part.server;
  const ruleName = part.server.ruleNameOf('instructions');
  return { text, target: { id: `instructions_${sourceId}`, projectId, sourceId, ruleName } };
}

/** The lists in which clients would see a difference: not every change of an offer changes what each gateway shows. */
export function changedLists(before: GatewayView, after: GatewayView | null): ReadonlySet<ListKind> {
  const faces: Readonly<Record<ListKind, (view: GatewayView) => readonly unknown[]>> = {
    tools: ({ tools }) => tools.map(faceOf),
    prompts: ({ prompts }) => prompts.map(({ listed }) => listed),
    resources: ({ resources, templates }) => [...resources, ...templates].map(({ listed }) => listed),
  };
  const kinds = Object.keys(faces) as ListKind[];
  // What each caller sees of it follows from this, too.
  if (after !== null && before.gateway.access !== after.gateway.access) return new Set(kinds);
  return new Set(
    kinds.filter((kind) => !isDeepStrictEqual(faces[kind](before), after === null ? [] : faces[kind](after))),
  );
}

function faceOf({ tool, wireName, description, inputSchema, mcp }: ShownTool): object {
  const { available, outputSchema } = tool;
  return { wireName, description, inputSchema, available, outputSchema, mcp };
}
