import type { Json } from './json.ts';
import { apiVersionOf, type Kind } from './kinds.ts';

const verbs = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];
const aggregated = /g=apidiscovery\.k8s\.io/;

/** What the server has, in the form that was asked for; null for a path that is not about that. */
export function discovery(
  kinds: readonly Kind[],
  path: string,
  accept: string,
): { type: string; body: Json } | null {
  const isAggregated = aggregated.test(accept);
  const type = isAggregated
    ? 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
    : 'application/json';
  if (path === '/api')
    return { type, body: isAggregated ? aggregatedList(kinds.filter(isCore)) : coreVersions() };
  if (path === '/apis') {
    const grouped = kinds.filter((kind) => !isCore(kind));
    return { type, body: isAggregated ? aggregatedList(grouped) : groupList(grouped) };
  }
  if (path === '/version')
    return { type: 'application/json', body: { major: '1', minor: '35', gitVersion: 'v1.35.2' } };
  const asked = /^\/(?:api|apis)\/(.+)$/.exec(path)?.[1];
  const found = kinds.filter((kind) => apiVersionOf(kind) === asked);
  if (found.length > 0) return { type: 'application/json', body: resourceList(asked as string, found) };
  const group = groupList(kinds.filter((kind) => kind.group === asked)).groups[0];
  return group === undefined
    ? null
    : { type: 'application/json', body: { ...group, kind: 'APIGroup', apiVersion: 'v1' } };
}

const isCore = ({ group }: Kind) => group === '';

const coreVersions = (): Json => ({
  kind: 'APIVersions',
  versions: ['v1'],
  serverAddressByClientCIDRs: [],
});

const groupsOf = (kinds: readonly Kind[]): Map<string, string[]> => {
  const groups = new Map<string, string[]>();
  for (const { group, version } of kinds) {
    groups.set(group, [...new Set([...(groups.get(group) ?? []), version])]);
  }
  return groups;
};

function groupList(kinds: readonly Kind[]): Json {
  const groups = [...groupsOf(kinds)].map(([name, versions]) => {
    const listed = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
    return { name, versions: listed, preferredVersion: listed[0] };
  });
  return { kind: 'APIGroupList', apiVersion: 'v1', groups };
}

function resourceList(groupVersion: string, kinds: readonly Kind[]): Json {
  const resources = kinds.map(({ plural, kind, namespaced, shortNames = [] }) => ({
    name: plural,
    singularName: kind.toLowerCase(),
    namespaced,
    kind,
    verbs,
    shortNames,
  }));
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources };
}

function aggregatedList(kinds: readonly Kind[]): Json {
  const items = [...groupsOf(kinds)].map(([group, versions]) => ({
    metadata: { name: group },
    versions: versions.map((version) => ({
      version,
      freshness: 'Current',
      resources: kinds
        .filter((kind) => kind.group === group && kind.version === version)
        .map(({ plural, kind, namespaced, shortNames = [] }) => ({
          resource: plural,
          responseKind: { group, version, kind },
          scope: namespaced ? 'Namespaced' : 'Cluster',
          singularResource: kind.toLowerCase(),
          verbs,
          shortNames,
        })),
    })),
  }));
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
}
