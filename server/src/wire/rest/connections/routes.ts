import {
  type ConnectionsQuery,
  connectionsQuery,
  type UpdateConnectionRequest,
  updateConnectionRequest,
} from '@sallyport/contracts';
import type { ConnectionView } from '#credentials';
import { type Principal, type Refusal, refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import { pageOf } from '../paging.ts';
import { type RestDeps, type RestRequest, type Route, route } from '../route.ts';
import { visibleTool } from '../tools/visible-tool.ts';
import { targetsOf } from './provider-of.ts';
import { connectionResponse, recorded, toolNamesOf } from './response.ts';
import { disconnect, everybodys, unknownConnection, userConnectionRoutes } from './user-connections.ts';

type ActAs = RestRequest<unknown, unknown>['actAs'];

/** Accounts that users connected, for them and for administrators. */
export function connectionRoutes(deps: RestDeps): readonly Route[] {
  return [listRoute(deps), updateRoute(deps), deleteRoute(deps), ...userConnectionRoutes(deps)];
}

function listRoute(deps: RestDeps): Route {
  return route<undefined, ConnectionsQuery>({
    operation: 'connections.list',
    summary: "One's own connected accounts; everybody's, for who may administer",
    method: 'GET',
    path: '/connections',
    needs: 'call',
    forRestrictedKeys: 'users',
    query: connectionsQuery,
    success: 200,
    async run(request) {
      const { principal, projectId, query } = request;
      const show = (one: ConnectionView) => connectionResponse(deps, one);
      if (seesAll(principal)) {
        return ok({ status: 200, body: await everybodys(deps, projectId, query, show) });
      }
      const own = await connectionsOf(deps, request);
      return own.ok ? ok({ status: 200, body: pageOf(own.value, query, show) }) : own;
    },
  });
}

function updateRoute(deps: RestDeps): Route {
  return route<UpdateConnectionRequest>({
    operation: 'connections.update',
    summary: 'Name a connected account, make it the default one, or choose what it is used for',
    method: 'PATCH',
    path: '/connections/{id}',
    needs: 'call',
    forRestrictedKeys: 'users',
    mutates: true,
    records: 'credential',
    body: updateConnectionRequest,
    success: 200,
    async run({ principal, projectId, params, actAs, body }) {
      const found = await theirConnection(deps, { principal, projectId, actAs, id: params.id as string });
      if (!found.ok) return found;
      const tools = await toolIdsOf(deps, { principal, actAs, connection: found.value }, body.tools);
      if (!tools.ok) return tools;
      const changed = await deps.credentials.connections.change(projectId, found.value.id, {
        name: body.name,
        isDefault: body.is_default,
        gateways: body.gateways,
        tools: tools.value,
      });
      if (!changed.ok) return changed;
      return ok({
        status: 200,
        body: connectionResponse(deps, changed.value),
        changed: { before: recorded(deps, found.value), after: recorded(deps, changed.value) },
      });
    },
  });
}

function deleteRoute(deps: RestDeps): Route {
  return route({
    operation: 'connections.delete',
    summary: 'Disconnect an account, here and over there',
    method: 'DELETE',
    path: '/connections/{id}',
    needs: 'call',
    forRestrictedKeys: 'users',
    mutates: true,
    records: 'credential',
    success: 204,
    async run({ principal, projectId, params, actAs }) {
      const found = await theirConnection(deps, { principal, projectId, actAs, id: params.id as string });
      return found.ok ? disconnect(deps, found.value) : found;
    },
  });
}

const seesAll = ({ permissions, confined }: Principal) => permissions.has('administer') && !confined;

/** Those of one user. Who speaks for users says for which one. */
async function connectionsOf(
  deps: RestDeps,
  { principal, projectId, actAs, query }: RestRequest<undefined, ConnectionsQuery>,
): Promise<Result<readonly ConnectionView[], Refusal>> {
  const { connections } = deps.credentials;
  const isPerson = principal.kind === 'person';
  const caller = isPerson && query.user_id === undefined ? null : actAs(query.user_id);
  if (caller?.ok === false) return caller;
  const userId = (caller === null ? principal.actsAs : caller.value.userId) ?? null;
  if (userId === null && !isPerson) {
    const message = 'user_id: is required with an API key that may not administer';
    return err(refusal('identity.user_missing', message, { field: 'user_id' }));
  }
  const targetIds = targetsOf(deps, projectId, query.provider_id);
  const named = userId === null ? [] : await connections.list(projectId, { userIds: [userId], targetIds });
  if (!isPerson) return ok(named);
  const own = await connections.list(projectId, { personId: principal.id, targetIds });
  return ok([...own, ...named.filter(({ personId }) => personId === null)]);
}

interface Naming {
  readonly principal: Principal;
  readonly projectId: string;
  readonly actAs: ActAs;
  readonly id: string;
}

/** What is not theirs does not exist. Theirs is what they consented to, and what was connected for their user id by a key's word. */
async function theirConnection(
  { credentials }: RestDeps,
  { principal, projectId, actAs, id }: Naming,
): Promise<Result<ConnectionView, Refusal>> {
  const found = await credentials.connections.find(projectId, id);
  const isTheirs =
    found !== null &&
    (seesAll(principal) ||
      (principal.kind === 'person' && found.personId !== null
        ? found.personId === principal.id
        : actAs(found.userId).ok));
  return isTheirs ? ok(found) : err(unknownConnection(id));
}

interface Choosing extends Pick<Naming, 'principal' | 'actAs'> {
  readonly connection: ConnectionView;
}

/** The ids of tools, for who chooses among those that they may call; what was chosen before may stay. */
async function toolIdsOf(
  deps: RestDeps,
  { principal, actAs, connection }: Choosing,
  names: readonly string[] | undefined,
): Promise<Result<readonly string[] | undefined, Refusal>> {
  if (names === undefined) return ok(undefined);
  const caller = actAs(principal.kind === 'person' ? undefined : connection.userId || undefined);
  if (!caller.ok) return caller;
  const before = toolNamesOf(deps, connection);
  const ids = new Set<string>();
  for (const [index, name] of names.entries()) {
    const kept = connection.tools[before.indexOf(name)];
    const found = kept === undefined ? await visibleTool(deps, caller.value, name) : null;
    if (found?.ok === false) {
      const field = `tools.${index}`;
      return err(refusal('request.params_invalid', `${field}: ${found.error.message}`, { field }));
    }
    ids.add(kept ?? found?.value.tool.id ?? name);
  }
  return ok([...ids]);
}
