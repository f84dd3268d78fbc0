import { isMembers } from '#foundation';
import type { Allowed } from './allowed.ts';
import type { KeptTool } from './kept-tool.ts';
import type { KnownServer, OfferIndex } from './offer-index.ts';
import type { StoredEntry } from './stored-offer.ts';
import { type ChosenTools, countOf } from './tool-parts.ts';

/** What a gateway shows, before it is named. */
export interface Chosen {
  readonly tools: readonly ChosenTools[];
  readonly prompts: readonly StoredEntry[];
  readonly resources: readonly StoredEntry[];
  readonly templates: readonly StoredEntry[];
}

/** An MCP server of which a gateway shows something. */
export interface GatewayServer {
  readonly server: KnownServer;
  /** Whether the gateway shows whatever the server has. */
  readonly isWhole: boolean;
  readonly toolCount: number;
  /** Those of the tools that have a user interface. */
  readonly withInterface: readonly KeptTool[];
  readonly resources: StoredEntry[];
  readonly templates: StoredEntry[];
}

/** The servers of a gateway, the longest-known first. One that lists nothing may have resources all the same. */
export function gatewayServers({ servers }: OfferIndex, allowed: Allowed, chosen: Chosen): GatewayServer[] {
  const parts = new Map<string, GatewayServer & { showsPrompts: boolean }>();
  const tools = new Map(chosen.tools.map((ofSource) => [ofSource.section.sourceId, ofSource]));
  for (const server of servers.values()) {
    const isWhole = allowed.passesAll(server.ruleNameOf(''));
    const ofSource = tools.get(server.sourceId);
    parts.set(server.sourceId, {
      server,
      isWhole,
      toolCount: ofSource === undefined ? 0 : countOf(ofSource),
      withInterface: (ofSource?.section.withInterface ?? []).filter(({ ruleName }) =>
        allowed.passes(ruleName),
      ),
      resources: [],
      templates: [],
      showsPrompts: false,
    });
  }
  for (const kind of ['resources', 'templates'] as const) {
    for (const entry of chosen[kind]) parts.get(entry.target.sourceId)?.[kind].push(entry);
  }
  for (const { target } of chosen.prompts) {
    const part = parts.get(target.sourceId);
    if (part !== undefined) part.showsPrompts = true;
  }
  return [...parts.values()].filter(
    (part) =>
      part.showsPrompts ||
      part.toolCount + part.resources.length + part.templates.length > 0 ||
      (part.isWhole && isMembers(part.server.capabilities.resources)),
  );
}
