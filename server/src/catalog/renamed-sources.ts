import type { GatewayServer } from './gateway-server.ts';
import type { StoredEntry } from './stored-offer.ts';
import { uriPrefixOf } from './uri-prefixes.ts';
import { uriTemplateOf } from './uri-template.ts';

/** Templates that begin alike and are tried for one URI, at most: more would let a source hold up everybody else. */
const mostTried = 100;

/** Templates of servers, found by a URI that one of them can make: the first of them. */
export interface TemplateBook {
  add(source: GatewayServer, entries: readonly StoredEntry[]): void;
  sourceOf(uri: string): GatewayServer | null;
}

export function createTemplateBook(): TemplateBook {
  const byScheme = new Map<
    string,
    { template: NonNullable<ReturnType<typeof uriTemplateOf>>; source: GatewayServer }[]
  >();
  return {
    add(source, entries) {
      for (const { own, listed } of entries) {
        const template = uriTemplateOf(listed, own);
        if (template === null) continue;
        const scheme = schemeOf(own) as string;
        const known = byScheme.get(scheme);
        if (known === undefined) byScheme.set(scheme, [{ template, source }]);
        else known.push({ template, source });
      }
    },
    sourceOf(uri) {
      let tried = 0;
      for (const { template, source } of byScheme.get(schemeOf(uri) ?? '') ?? []) {
        if (!uri.startsWith(template.start)) continue;
        if (template.makes(uri)) return source;
        if (++tried === mostTried) return null;
      }
      return null;
    },
  };
}

export function schemeOf(uri: string): string | null {
  return /^[A-Za-z][A-Za-z0-9+.-]*:/.exec(uri)?.[0].toLowerCase() ?? null;
}

/**
 * Those of a gateway's servers whose URIs would be mistaken: for one that an earlier-known server lists, makes by a
 * template or has as the interface of a tool, or for one that another server's prefix stands in front of. All URIs of such
 * a server are written with its prefix.
 */
export function renamedSources(servers: readonly GatewayServer[]): Set<string> {
  const ofPrefix = new Map(servers.map(({ server }) => [server.uriPrefix, server.sourceId]));
  const isForeign = (uri: string, sourceId: string) => {
    const owner = ofPrefix.get(uriPrefixOf(uri) ?? '');
    return owner !== undefined && owner !== sourceId;
  };
  const renamed = new Set<string>();
  const taken = new Set<string>();
  const earlier = createTemplateBook();
  for (const source of servers) {
    const { sourceId } = source.server;
    const uris = [
      ...source.resources.map(({ own }) => own),
      ...source.withInterface.flatMap(({ uiUris }) => uiUris),
    ];
    const templates = source.templates.map(({ own }) => own);
    const clashes =
      uris.some((uri) => taken.has(uri) || isForeign(uri, sourceId) || earlier.sourceOf(uri) !== null) ||
      templates.some((text) => taken.has(text) || isForeign(text, sourceId));
    if (clashes) {
      renamed.add(sourceId);
      continue;
    }
    for (const uri of [...uris, ...templates]) taken.add(uri);
    earlier.add(source, source.templates);
  }
  return renamed;
}
