import type { ToolRequirementsResponse } from '@sallyport/contracts';
import type { Tool } from '#domain';
import { toolResponse } from './response.ts';

/** What these tools need together: one entry a provider, one a secret, each with the tools that need it. */
export function requirementsOf(tools: readonly Tool[]): ToolRequirementsResponse {
  const authorization: ToolRequirementsResponse['authorization'] = { met: true, items: {} };
  const secrets: ToolRequirementsResponse['secrets'] = { met: true, items: {} };
  for (const tool of tools) {
    const { requirements, qualified_name } = toolResponse(tool);
    const needed = requirements.authorization;
    if (needed !== undefined) {
      const { id, provider_id, provider_type, oauth2, status } = needed;
      const met = status === 'active' && needed.token_status === 'completed';
      const key = id ?? provider_id ?? 'unknown';
      const item = authorization.items[key];
      authorization.items[key] = {
        ...(provider_id === undefined ? {} : { provider_id }),
        ...(provider_type === undefined ? {} : { provider_type }),
        scopes: [...new Set([...(item?.scopes ?? []), ...(oauth2?.scopes ?? [])])],
        status,
        met,
        tool_names: [...(item?.tool_names ?? []), qualified_name],
      };
      authorization.met &&= met;
    }
    for (const { key, ...state } of requirements.secrets ?? []) {
      secrets.items[key] = {
        ...state,
        tool_names: [...(secrets.items[key]?.tool_names ?? []), qualified_name],
      };
      secrets.met &&= state.met;
    }
  }
  return { met: authorization.met && secrets.met, authorization, secrets };
}
