import {
  type ConnectionsQuery,
  connectionsQuery,
  type Page,
  type UserConnectionResponse,
} from '@sallyport/contracts';
import type { ConnectionView } from '#credentials';
import { refusal } from '#domain';
import { err, ok } from '#foundation';
import { limited, pageWith } from '../paging.ts';
import { type RestDeps, type Route, route } from '../route.ts';
import { providerOf, targetsOf } from './provider-of.ts';
import { recorded } from './response.ts';

/** Connections of all users, in Arcade's words. */
export function userConnectionRoutes(deps: RestDeps): readonly Route[] {
  const { connections } = deps.credentials;
  return [
    route<undefined, ConnectionsQuery>({
      operation: 'user_connections.list',
      summary: 'Accounts that users of the project connected',
      method: 'GET',
      path: '/admin/user_connections',
      needs: 'administer',
      query: connectionsQuery,
      success: 200,
      async run({ projectId, query }) {
        return ok({ status: 200, body: await everybodys(deps, projectId, query, (one) => shown(deps, one)) });
      },
    }),
    route({
      operation: 'user_connections.delete',
      summary: 'Disconnect an account, here and over there',
      method: 'DELETE',
      path: '/admin/user_connections/{id}',
      needs: 'administer',
      mutates: true,
      records: 'credential',
      success: 204,
      async run({ projectId, params }) {
        const id = params.id as string;
        const found = await connections.find(projectId, id);
        if (found === null) return err(unknownConnection(id));
        return disconnect(deps, found);
      },
    }),
  ];
}

/** A page of the connections of all users. */
export async function everybodys<Item>(
  deps: RestDeps,
  projectId: string,
  { user_id, provider_id, limit, offset }: ConnectionsQuery,
  show: (connection: ConnectionView) => Item,
): Promise<Page<Item>> {
  const userIds = user_id === undefined ? undefined : [user_id];
  const targetIds = targetsOf(deps, projectId, provider_id);
  const page = limited({ limit, offset });
  const { items, total } = await deps.credentials.connections.page(projectId, { userIds, targetIds }, page);
  return pageWith(items.map(show), page, total);
}

export function unknownConnection(id: string) {
  return refusal('resource.unknown', `there is no connection ${id}`, { field: 'id' });
}

/** Its tokens are gone here whatever the provider says; the record tells what it said. */
export async function disconnect(deps: RestDeps, connection: ConnectionView) {
  const { projectId } = connection.target;
  const revoked = await deps.credentials.connections.revoke(projectId, connection.id);
  if (!revoked.ok) return revoked;
  const { atProvider, reason } = revoked.value;
  const changed = {
    before: recorded(deps, connection),
    after: null,
    at_provider: atProvider,
    ...(reason === null ? {} : { reason }),
  };
  return ok({ status: 204 as const, changed });
}

function shown(deps: RestDeps, connection: ConnectionView): UserConnectionResponse {
  const { id, status, scopes, userId, userInfo } = connection;
  const provider = providerOf(deps, connection);
  return {
    id,
    connection_id: id,
    connection_status: status,
    provider_id: provider.id,
    provider_type: provider.type,
    provider_description: provider.description,
    provider_user_info: { ...userInfo },
    scopes: [...scopes],
    user_id: userId,
  };
}
