import type { Tool } from '#domain';
import { isMembers } from '#foundation';
import type { Allowed } from './allowed.ts';
import type { KnownServer, OfferIndex } from './offer-index.ts';
import type { StoredEntry } from './stored-offer.ts';

/** What a gateway shows, before it is named. */
export interface Chosen {
  readonly tools: readonly Tool[];
  readonly prompts: readonly StoredEntry[];
  readonly resources: readonly StoredEntry[];
  readonly templates: readonly StoredEntry[];
}

/** An MCP server of which a gateway shows something. */
export interface GatewayServer {
  readonly server: KnownServer;
  /** Whether the gateway shows whatever the server has. */
  readonly isWhole: boolean;
  readonly tools: Tool[];
  readonly resources: StoredEntry[];
  readonly templates: StoredEntry[];
}

/** The servers of a gateway, the longest-known first. One that lists nothing may have resources all the same. */
export function gatewayServers({ servers }: OfferIndex, allowed: Allowed, chosen: Chosen): GatewayServer[] {
  const parts = new Map<string, GatewayServer & { showsPrompts: boolean }>();
  for (const server of servers.values()) {
    const isWhole = allowed.passesAll(server.ruleNameOf(''));
    const none = { tools: [], resources: [], templates: [], showsPrompts: false };
    parts.set(server.sourceId, { server, isWhole, ...none });
  }
  for (const tool of chosen.tools) parts.get(tool.sourceId)?.tools.push(tool);
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
      part.tools.length + part.resources.length + part.templates.length > 0 ||
      (part.isWhole && isMembers(part.server.capabilities.resources)),
  );
}
