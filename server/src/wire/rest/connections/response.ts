import type { ConnectionResponse } from '@sallyport/contracts';
import type { ConnectionView } from '#credentials';
import type { RestDeps } from '../route.ts';
import { providerOf } from './provider-of.ts';

/** Tools by name: ids mean nothing to people. One that is gone keeps its id, until it comes back. */
export function connectionResponse(deps: RestDeps, connection: ConnectionView): ConnectionResponse {
  const provider = providerOf(deps, connection);
  return {
    id: connection.id,
    user_id: connection.userId,
    provider_id: provider.id,
    provider_type: provider.type,
    provider_name: provider.name,
    name: connection.name,
    status: connection.status,
    is_default: connection.isDefault,
    gateways: [...connection.gateways],
    tools: toolNamesOf(deps, connection),
    scopes: [...connection.scopes],
    user_info: { ...connection.userInfo },
    expires_at: connection.expiresAt,
    created_at: connection.createdAt,
    updated_at: connection.updatedAt,
    last_used_at: connection.lastUsedAt,
  };
}

/** In the order of their ids. */
export function toolNamesOf({ catalog }: RestDeps, { tools, target }: ConnectionView): string[] {
  if (tools.length === 0) return [];
  const names = new Map(catalog.tools(target.projectId).map(({ id, ruleName }) => [id, ruleName]));
  return tools.map((id) => names.get(id) ?? id);
}

/** In the record of a change: not what the provider says of the user. */
export function recorded(deps: RestDeps, connection: ConnectionView) {
  const { user_info: _personal, last_used_at: _used, ...rest } = connectionResponse(deps, connection);
  return rest;
}
