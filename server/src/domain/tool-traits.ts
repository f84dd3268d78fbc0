import { isMembers, type Members } from '#foundation';
import type { ToolTraits } from './offer.ts';
import type { ToolListing } from './tool.ts';

/** What a tool says of itself: in the platform's metadata, else in its MCP annotations; where it is silent, what MCP takes it for. */
export function traitsOf({ metadata, mcp }: Pick<ToolListing, 'metadata' | 'mcp'>): ToolTraits {
  const behavior = metadata?.behavior;
  const annotations = isMembers(mcp.annotations) ? mcp.annotations : {};
  const readOnly = behavior?.read_only ?? hint(annotations, 'readOnlyHint') ?? false;
  return {
    readOnly,
    destructive: behavior?.destructive ?? hint(annotations, 'destructiveHint') ?? !readOnly,
    idempotent: behavior?.idempotent ?? hint(annotations, 'idempotentHint') ?? false,
    openWorld: behavior?.open_world ?? hint(annotations, 'openWorldHint') ?? true,
    operations: behavior?.operations ?? [],
    serviceDomains: metadata?.classification?.service_domains ?? [],
  };
}

function hint(annotations: Members, name: string): boolean | undefined {
  const said = annotations[name];
  return typeof said === 'boolean' ? said : undefined;
}

const uiKey = 'ui/resourceUri';

/**
 * MCP Apps: the resources that a tool refers to as its user interface, as its source writes them: in `_meta.ui.resourceUri`, or as
 * it was first written, in `_meta["ui/resourceUri"]`.
 */
export function uiUrisOf({ mcp }: Pick<ToolListing, 'mcp'>): readonly string[] {
  const { _meta } = mcp;
  if (!isMembers(_meta)) return [];
  const uris = [isMembers(_meta.ui) ? _meta.ui.resourceUri : undefined, _meta[uiKey]];
  return [...new Set(uris.filter((uri) => typeof uri === 'string'))];
}
