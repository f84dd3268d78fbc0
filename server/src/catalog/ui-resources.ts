import type { Tool } from '#domain';
import { isMembers, type Members } from '#foundation';

/**
 * MCP Apps: a tool refers to the resource that is its user interface in `_meta.ui.resourceUri`, or as it was first written,
 * in `_meta["ui/resourceUri"]`.
 */
const flatKey = 'ui/resourceUri';

/** The URIs that a tool refers to, as its source writes them. */
export function uiUrisOf({ mcp }: Pick<Tool, 'mcp'>): readonly string[] {
  const { _meta } = mcp;
  if (!isMembers(_meta)) return [];
  const uris = [isMembers(_meta.ui) ? _meta.ui.resourceUri : undefined, _meta[flatKey]];
  return [...new Set(uris.filter((uri) => typeof uri === 'string'))];
}

/** The tool's members with these URIs written as `shown` says. */
export function withUiUris(tool: Pick<Tool, 'mcp'>, shown: (uri: string) => string): Members {
  if (uiUrisOf(tool).length === 0) return tool.mcp;
  const { ui, ...meta } = tool.mcp._meta as Members;
  const flat = meta[flatKey];
  return {
    ...tool.mcp,
    _meta: {
      ...(tool.mcp._meta as Members),
      ...(isMembers(ui) && typeof ui.resourceUri === 'string'
        ? { ui: { ...ui, resourceUri: shown(ui.resourceUri) } }
        : {}),
      ...(typeof flat === 'string' ? { [flatKey]: shown(flat) } : {}),
    },
  };
}
