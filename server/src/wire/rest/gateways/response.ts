import type { GatewayResponse } from '@sallyport/contracts';
import type { Gateway, Principal, ToolCuration, UserAssertion } from '#domain';

export function gatewayResponse(gateway: Gateway, publicUrl: string): GatewayResponse {
  const { discovery, registry_suggestions, allowed_passthrough_headers } = gateway.kept as Partial<
    GatewayResponse & GatewayResponse['tool_filter']
  >;
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
    ...(gateway.userSourceIds[0] === undefined ? {} : { user_source_id: gateway.userSourceIds[0] }),
    user_source_ids: [...gateway.userSourceIds],
    tool_scopes: gateway.toolScopes.map(({ scope, tools }) => ({ scope, tools: [...tools] })),
    ...(gateway.userAssertion == null
      ? {}
      : { user_assertion: assertionResponse(gateway.userAssertion, gateway) }),
    tool_filter: {
      ...(gateway.allowedTools === null ? {} : { allowed_tools: [...gateway.allowedTools] }),
      ...(discovery === undefined ? {} : { discovery }),
      ...(registry_suggestions === undefined ? {} : { registry_suggestions }),
    },
    allowed_passthrough_headers: allowed_passthrough_headers ?? [],
    consent_skip_client_ids: [...gateway.consentSkipClientIds],
    access: gateway.access,
    presentation: gateway.presentation,
    naming: gateway.naming,
    tools: gateway.curation.map(curationResponse),
    binding: { type: fromFile ? 'static' : 'project', id: gateway.projectId },
    ...(fromFile ? {} : { created_at: gateway.createdAt, updated_at: gateway.updatedAt }),
  };
}

/** Fixed arguments are hidden from callers, so who only reads is told which there are, not what they are. */
export function readableBy({ permissions }: Principal, gateway: GatewayResponse): GatewayResponse {
  if (permissions.has('configure')) return gateway;
  const veiled = (values: Record<string, unknown>) =>
    Object.fromEntries(Object.keys(values).map((name) => [name, '(set)']));
  const tools = gateway.tools.map((tool) => ({
    ...tool,
    arguments: { ...tool.arguments, fixed: veiled(tool.arguments.fixed) },
  }));
  return { ...gateway, tools };
}

/** As it may be asked for again, but for a secret. */
function assertionResponse(
  { issuer, audience, keys, algorithms, userClaim, groupsClaim }: UserAssertion,
  { origin }: Gateway,
): NonNullable<GatewayResponse['user_assertion']> {
  const fromFile = origin === 'file';
  const binding = fromFile ? 'static' : 'project';
  return {
    issuer,
    ...(audience.length === 0 ? {} : { audience: [...audience] }),
    ...(keys.from === 'jwks' ? { jwks: { keys: keys.jwks.keys.map((key) => ({ ...key })) } } : {}),
    ...(keys.from === 'jwks_uri' ? { jwks_uri: keys.uri } : {}),
    ...(keys.from === 'public_key_pem' ? { public_key_pem: keys.pem } : {}),
    ...(keys.from === 'secret'
      ? { secret: { exists: true, editable: !fromFile, value: '' as const, binding } }
      : {}),
    algorithms: [...algorithms] as NonNullable<GatewayResponse['user_assertion']>['algorithms'],
    user_claim: userClaim,
    groups_claim: groupsClaim,
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
