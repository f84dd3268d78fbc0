import { type Tool, uiUrisOf } from '#domain';
import { isMembers, type Members } from '#foundation';

const flatKey = 'ui/resourceUri';

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
