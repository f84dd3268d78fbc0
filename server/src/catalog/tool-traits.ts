import type { ToolListing, ToolTraits } from '#domain';
import { isMembers, type Members } from '#foundation';

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
