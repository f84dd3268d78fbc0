import type { RuleTarget } from '#domain';
import { isMembers } from '#foundation';
import type { Allowed } from './allowed.ts';
import type { GatewayView, ShownResource, ShownTemplate } from './contract.ts';
import { entryId } from './entry-id.ts';
import type { Chosen, GatewayServer } from './gateway-server.ts';
import { createTemplateBook, renamedSources, schemeOf } from './renamed-sources.ts';
import { listedAs } from './shown-entry.ts';
import { uriPrefixOf } from './uri-prefixes.ts';

type Routes = Pick<
  GatewayView,
  'resources' | 'templates' | 'findTemplate' | 'findResource' | 'shownUri' | 'renamesUris'
>;

/**
 * A path that climbs, written in any way that a server may read as such, ends elsewhere than it begins: only those may have
 * it who may have all of the source.
 */
const climbs = /(?:[/\\]|%2f|%5c)(?:\.|%2e){2}(?:[/\\?#]|%2f|%5c|$)/i;

/** Whose a URI is on a gateway. What comes later never takes over a URI of what was there. */
export function compileRoutes(servers: readonly GatewayServer[], allowed: Allowed, chosen: Chosen): Routes {
  const renamed = renamedSources(servers);
  const byId = new Map(servers.map((source) => [source.server.sourceId, source]));
  const shownUri = (sourceId: string, own: string): string =>
    renamed.has(sourceId) ? `${byId.get(sourceId)?.server.uriPrefix}+${own}` : own;

  const resources = chosen.resources.map((entry): ShownResource => {
    const { target, own } = entry;
    const uri = shownUri(target.sourceId, own);
    return { target, uri, own, listed: listedAs(entry, { uri }) };
  });
  const templates = chosen.templates.map((entry): ShownTemplate => {
    const { target, own } = entry;
    const uriTemplate = shownUri(target.sourceId, own);
    return { target, uriTemplate, own, listed: listedAs(entry, { uriTemplate }) };
  });
  const byTemplate = new Map(templates.map((shown) => [shown.uriTemplate, shown]));

  const listed = new Map<string, { readonly own: string; readonly targets: RuleTarget[] }>();
  for (const { uri, own, target } of resources) listed.set(uri, { own, targets: [target] });
  for (const tool of servers.flatMap(({ withInterface }) => withInterface)) {
    if (tool.quarantined) continue;
    for (const own of tool.uiUris) {
      const uri = shownUri(tool.sourceId, own);
      const known = listed.get(uri);
      if (known === undefined) listed.set(uri, { own, targets: [tool] });
      else known.targets.push(tool);
    }
  }

  const unlisted = sourcesOfUnlisted(servers, renamed);
  return {
    resources,
    templates,
    findTemplate: (uriTemplate) => byTemplate.get(uriTemplate) ?? null,
    findResource(uri, permitted = () => true) {
      const known = listed.get(uri);
      if (known !== undefined) {
        const { own, targets } = known;
        return { target: targets.find(permitted) ?? (targets[0] as RuleTarget), own };
      }
      const found = unlisted(uri);
      if (found === null) return null;
      const { projectId, sourceId, ruleNameOf } = found.source.server;
      const ruleName = ruleNameOf(climbs.test(found.own) ? '*' : found.own);
      if (!allowed.passes(ruleName)) return null;
      const id = entryId('resource', projectId, sourceId, found.own);
      return { target: { id, projectId, sourceId, ruleName }, own: found.own };
    },
    shownUri,
    renamesUris: (sourceId) => renamed.has(sourceId),
  };
}

type Unlisted = (uri: string) => { readonly source: GatewayServer; readonly own: string } | null;

/**
 * The source of a URI that nobody lists: the one whose prefix it has; one that makes it by a template; the only one that
 * can have it, as no other has resources at all, or none of that scheme.
 */
function sourcesOfUnlisted(servers: readonly GatewayServer[], renamed: ReadonlySet<string>): Unlisted {
  const byPrefix = new Map<string, GatewayServer>();
  const book = createTemplateBook();
  const byScheme = new Map<string, Set<GatewayServer>>();
  for (const source of servers) {
    const { sourceId, uriPrefix } = source.server;
    if (renamed.has(sourceId)) {
      byPrefix.set(uriPrefix, source);
      continue;
    }
    book.add(source, source.templates);
    for (const { own } of [...source.resources, ...source.templates]) {
      const scheme = schemeOf(own) ?? '';
      byScheme.set(scheme, (byScheme.get(scheme) ?? new Set()).add(source));
    }
  }
  const only = single(servers.filter(hasResources));
  const whole = only?.isWhole === true && !renamed.has(only.server.sourceId) ? only : null;

  return (uri) => {
    const prefix = uriPrefixOf(uri);
    const named = prefix === null ? undefined : byPrefix.get(prefix);
    if (prefix !== null && named !== undefined) return { source: named, own: uri.slice(prefix.length + 1) };
    const scheme = schemeOf(uri);
    const source =
      book.sourceOf(uri) ?? whole ?? (scheme === null ? null : single([...(byScheme.get(scheme) ?? [])]));
    return source === null ? null : { source, own: uri };
  };
}

function hasResources({ server, isWhole, resources, templates }: GatewayServer): boolean {
  return resources.length + templates.length > 0 || (isWhole && isMembers(server.capabilities.resources));
}

function single<T>(these: readonly T[]): T | null {
  return these.length === 1 ? (these[0] as T) : null;
}
