import { findNodeAtLocation, type Node, parseTree } from 'jsonc-parser';
import { placeIn } from '../../files/places.ts';
import type { Place } from '../../files/yaml-file.ts';
import type { Repository } from '../repository.ts';

/** One server in a `.mcp.json`. */
export interface McpJsonServer {
  readonly file: string;
  readonly text: string;
  readonly name: string;
  readonly node: Node;
}

/** Servers under `mcpServers`, or at the top of a file that has forgotten it. */
export function serversOf({ files }: Repository): readonly McpJsonServer[] {
  return files.flatMap(({ kind, shown, text }) => {
    const root = kind === 'mcp-json' && text !== null ? parseTree(text) : undefined;
    if (root === undefined || text === null) return [];
    const wrapped = findNodeAtLocation(root, ['mcpServers']);
    return (
      (wrapped ?? root).children?.flatMap((property) => {
        const [key, node] = property.children ?? [];
        const isServer = node?.type === 'object' && (wrapped !== undefined || looksLikeServer(node));
        return isServer && node !== undefined ? [{ file: shown, text, name: String(key?.value), node }] : [];
      }) ?? []
    );
  });
}

export const looksLikeServer = (node: Node): boolean =>
  findNodeAtLocation(node, ['url']) !== undefined || findNodeAtLocation(node, ['command']) !== undefined;

export function httpServersOf(
  repository: Repository,
): readonly (McpJsonServer & { readonly url: string; readonly urlNode: Node; readonly place: Place })[] {
  return serversOf(repository).flatMap((server) => {
    const urlNode = findNodeAtLocation(server.node, ['url']);
    if (typeof urlNode?.value !== 'string') return [];
    return [{ ...server, url: urlNode.value, urlNode, place: placeIn(server.text, urlNode.offset) }];
  });
}
