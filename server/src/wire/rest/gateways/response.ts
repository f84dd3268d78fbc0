import type { GatewayResponse } from '@sallyport/contracts';
import type { Gateway, ToolCuration } from '#domain';

export function gatewayResponse(gateway: Gateway, publicUrl: string): GatewayResponse {
  const { discovery, registry_suggestions, allowed_passthrough_headers, consent_skip_client_ids } =
    gateway.kept as Partial<GatewayResponse & GatewayResponse['tool_filter']>;
  const fromFile = gateway.origin === 'file';
  return {
    id: gateway.id,
    name: gateway.name,
    slug: gateway.slug,
    url: `${publicUrl}/mcp/${gateway.slug}`,
    description: gateway.description,
    instructions: gateway.instructions,
    status: gateway.status,
    auth_type: gateway.authTypes[0] ?? 'arcade_header',
    auth_types: [...gateway.authTypes],
    ...(gateway.userSourceId === null ? {} : { user_source_id: gateway.userSourceId }),
    tool_filter: {
      ...(gateway.allowedTools === null ? {} : { allowed_tools: [...gateway.allowedTools] }),
      ...(discovery === undefined ? {} : { discovery }),
      ...(registry_suggestions === undefined ? {} : { registry_suggestions }),
    },
    allowed_passthrough_headers: allowed_passthrough_headers ?? [],
    consent_skip_client_ids: consent_skip_client_ids ?? [],
    access: gateway.access,
    presentation: gateway.presentation,
    naming: gateway.naming,
    tools: gateway.curation.map(curationResponse),
    binding: { type: fromFile ? 'static' : 'project', id: gateway.projectId },
    ...(fromFile ? {} : { created_at: gateway.createdAt, updated_at: gateway.updatedAt }),
  };
}

function curationResponse(curation: ToolCuration): GatewayResponse['tools'][number] {
  const { fixed, defaults, hidden } = curation.arguments;
  return {
    tool: curation.tool,
    ...(curation.name === null ? {} : { name: curation.name }),
    ...(curation.description === null ? {} : { description: curation.description }),
    arguments: { fixed: { ...fixed }, defaults: { ...defaults }, hidden: [...hidden] },
  };
}
