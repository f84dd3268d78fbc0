import { z } from 'zod';
import { gatewaySlug } from './gateways.ts';
import { printable } from './glob.ts';
import { pageQuery } from './page.ts';

/** Requests and answers of `/v1/admin/user_connections` (in Arcade's words) and `/v1/connections` (in ours). */

/** Both. `provider_id`: of an auth provider, of an MCP server, or a well-known one (`github`) with all providers of its kind. */
export const connectionsQuery = pageQuery.extend({
  user_id: z.string().min(1).max(256).optional(),
  provider_id: z.string().min(1).max(256).optional(),
});
export type ConnectionsQuery = z.infer<typeof connectionsQuery>;

/** `PATCH /v1/connections/{id}`. What is left out stays. */
export const updateConnectionRequest = z.strictObject({
  name: printable.max(256).trim().min(1).optional(),
  /** Another account of the user there stops being it. */
  is_default: z.literal(true, 'must be true: make another account the default one instead').optional(),
  /** Slugs of gateways whose calls use this account. */
  gateways: z.array(gatewaySlug).max(100).optional(),
  /** Tools whose calls use this account, by name. */
  tools: z.array(z.string().min(1).max(512)).max(100).optional(),
});
export type UpdateConnectionRequest = z.infer<typeof updateConnectionRequest>;

export type ConnectionStatus = 'active' | 'revoked';

export interface UserConnectionResponse {
  /** `con_…`, the same as `connection_id`. */
  id: string;
  connection_id: string;
  /** `revoked`: it is not taken any more over there; the user has to consent anew. */
  connection_status: ConnectionStatus;
  provider_id: string;
  provider_type: string;
  provider_description: string;
  /** What the provider says of the user. */
  provider_user_info: Record<string, unknown>;
  scopes: string[];
  /** `''`: nobody in particular; with it the lists of an MCP server are asked for. */
  user_id: string;
}

export interface ConnectionResponse {
  /** `con_…` */
  id: string;
  user_id: string;
  /** Of the auth provider, or of the MCP server. */
  provider_id: string;
  /** `mcp_server`: a server with an authorization server of its own. */
  provider_type: string;
  /** What users know it by. */
  provider_name: string;
  name: string;
  status: ConnectionStatus;
  is_default: boolean;
  gateways: string[];
  tools: string[];
  scopes: string[];
  user_info: Record<string, unknown>;
  expires_at: string | null;
  created_at: string;
  updated_at: string;
  last_used_at: string | null;
}
