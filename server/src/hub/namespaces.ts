import type { ListNamespacesResponse, NamespaceNode } from '@sallyport/contracts';
import { oneLine } from './one-line.ts';
import type { Only } from './scopes.ts';

/** What is known of a toolkit whose tools somebody may use. */
export interface Space {
  readonly description: string | null;
  /** How many. */
  readonly tools: number;
}

/** By namespace. */
export type Spaces = ReadonlyMap<string, Space>;

/** A model reads all of them. */
const maxNodes = 200;

/** Whether a namespace is the one that was asked for, or below it; the scheme may be left out. */
export function isWithin(namespace: string, asked: string): boolean {
  const wanted = asked
    .trim()
    .toLowerCase()
    .replace(/[.*]+$/, '');
  const own = namespace.toLowerCase();
  if (wanted === '' || wanted.endsWith('://')) return own.startsWith(wanted);
  const known = wanted.includes('://') ? own : own.slice(own.indexOf('://') + 3);
  return known === wanted || known.startsWith(`${wanted}.`);
}

/** Whether tools of a namespace are among those that a search asks for. */
export function isAskedFor(name: string, { namespace, kinds }: Only): boolean {
  const isOfKind = kinds === undefined || kinds.some((kind) => name.startsWith(`${kind}://`));
  return isOfKind && (namespace === undefined || isWithin(name, namespace));
}

/**
 * The namespaces whose names begin so, one level at a time: of `worker://Google`, `worker://Google.Gmail`, without a prefix
 * only the first. With how many tools there are in it and below.
 */
export function namespacesIn(spaces: Spaces, prefix: string): ListNamespacesResponse {
  const wanted = prefix.trim().toLowerCase();
  const nodes = new Map<string, NamespaceNode>();
  for (const [namespace, { tools, description }] of spaces) {
    const start = startOf(namespace.toLowerCase(), wanted);
    if (start === null) continue;
    const end = namespace.indexOf('.', start);
    const name = end < 0 ? namespace : namespace.slice(0, end);
    const node = nodes.get(name) ?? { namespace: name, tools: 0 };
    node.tools += tools;
    if (name === namespace && description !== null && description.trim() !== '')
      node.description = oneLine(description);
    nodes.set(name, node);
  }
  const all = [...nodes.values()].sort((a, b) => (a.namespace < b.namespace ? -1 : 1));
  if (all.length <= maxNodes) return { namespaces: all };
  const advice = `These are ${maxNodes} of ${all.length}: give a longer prefix to see the others.`;
  return { namespaces: all.slice(0, maxNodes), advice };
}

/** Behind what was asked for, from where the next level may begin; `null`: it does not begin so. */
function startOf(namespace: string, wanted: string): number | null {
  const bare = namespace.indexOf('://') + 3;
  if (namespace.startsWith(wanted)) return Math.max(wanted.length + 1, bare);
  return !wanted.includes('://') && namespace.startsWith(wanted, bare) ? bare + wanted.length + 1 : null;
}
