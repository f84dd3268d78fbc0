import {
  bindingQuery,
  type StoredSecretResponse,
  secretParams,
  upsertSecretRequest,
} from '@sallyport/contracts';
import type { Secret, SecretPlace } from '#credentials';
import { type Principal, refusal } from '#domain';
import { err, ok } from '#foundation';
import { issuesRefusal } from '../answer.ts';
import { wholePage } from '../paging.ts';
import { type Changed, type RestDeps, type RestRequest, type Route, route } from '../route.ts';

type Asked = RestRequest<unknown, { readonly binding_type?: 'project' | 'tenant' | undefined }>;

/**
 * Values that tools and servers are given. Below `/admin/secrets` as Arcade's libraries ask, below `/secrets` as its command line
 * does.
 */
export function secretRoutes(deps: RestDeps): readonly Route[] {
  return [
    listRoute(deps, 'secrets.list', '/admin/secrets'),
    upsertRoute(deps, 'secrets.upsert', 'POST', '/admin/secrets/{secret_key}'),
    removeRoute(deps, 'secrets.delete', '/admin/secrets/{secret_id}'),
    listRoute(deps, 'secrets.list_by_cli', '/secrets'),
    upsertRoute(deps, 'secrets.upsert_by_cli', 'PUT', '/secrets/{secret_key}'),
    removeRoute(deps, 'secrets.delete_by_cli', '/secrets/{secret_id}'),
  ];
}

function listRoute({ credentials: { secrets } }: RestDeps, operation: string, path: string): Route {
  return route({
    operation,
    summary:
      'The secrets that tools of the project are given, without their values: its own, and those of its organisation',
    method: 'GET',
    path,
    needs: 'administer',
    query: bindingQuery,
    success: 200,
    run({ projectId, query: { binding_type: binding } }) {
      const isMeant = (secret: Secret) => binding === undefined || bindingOf(secret) === binding;
      const items = secrets.list(projectId).filter(isMeant).map(secretResponse);
      return ok({ status: 200, body: wholePage(items) });
    },
  });
}

function upsertRoute(
  { credentials: { secrets } }: RestDeps,
  operation: string,
  method: 'POST' | 'PUT',
  path: string,
): Route {
  return route({
    operation,
    summary: 'Set a secret of the project, or of the organisation with binding_type=tenant',
    method,
    path,
    needs: 'administer',
    mutates: true,
    query: bindingQuery,
    body: upsertSecretRequest,
    recorded: ({ value: _, ...rest }) => rest,
    success: 200,
    async run(asked) {
      const { projectId, params, query, body } = asked;
      const named = secretParams.safeParse(params);
      if (!named.success) return err(issuesRefusal(named.error));
      const { secret_key: key } = named.data;
      const place = placeOf(asked, query.binding_type);
      const refused = ownersOnly(asked.principal, place);
      if (refused !== null) return err(refused);
      const before = secrets.list(projectId).find((one) => one.key === key && isIn(one, place)) ?? null;
      const put = await secrets.put(place, { key, value: body.value, description: body.description });
      if (!put.ok) return put;
      return ok({ status: 200, body: secretResponse(put.value), changed: changedTo(before, put.value) });
    },
  });
}

function removeRoute({ credentials: { secrets } }: RestDeps, operation: string, path: string): Route {
  return route({
    operation,
    summary: 'Remove a secret',
    method: 'DELETE',
    path,
    needs: 'administer',
    mutates: true,
    query: bindingQuery,
    success: 204,
    async run(asked) {
      const { secret_id: id = '' } = asked.params;
      const isMeant = (secret: Secret) =>
        secret.id === id && bindingOf(secret) === (asked.query.binding_type ?? bindingOf(secret));
      const found = secrets.list(asked.projectId).find(isMeant);
      if (found === undefined)
        return err(refusal('resource.unknown', `there is no secret ${id}`, { field: 'secret_id' }));
      const refused = ownersOnly(asked.principal, found);
      if (refused !== null) return err(refused);
      const removed = await secrets.remove(found, id);
      return removed.ok ? ok({ status: 204, changed: changedTo(removed.value, null) }) : removed;
    },
  });
}

/** For the record: under `name`, as whatever is called a key is not written down. */
function changedTo(before: Secret | null, after: Secret | null): Changed {
  const recorded = (secret: Secret | null) =>
    secret === null
      ? null
      : { id: secret.id, name: secret.key, description: secret.description, binding: bindingOf(secret) };
  return { before: recorded(before), after: recorded(after) };
}

function placeOf(
  { organizationId, projectId }: Asked,
  binding: 'project' | 'tenant' = 'project',
): SecretPlace {
  return { organizationId, projectId: binding === 'tenant' ? null : projectId };
}

function isIn({ projectId, organizationId }: Secret, place: SecretPlace): boolean {
  return projectId === place.projectId && organizationId === place.organizationId;
}

const bindingOf = ({ projectId }: SecretPlace) => (projectId === null ? 'tenant' : 'project');

/** What all projects are given is for who owns the organisation. */
function ownersOnly({ permissions }: Principal, { projectId }: SecretPlace) {
  if (projectId !== null || permissions.has('own')) return null;
  const message = 'a secret of the organization is changed by one of its owners';
  return refusal('identity.scope_missing', message, { field: 'binding_type' });
}

function secretResponse(secret: Secret): StoredSecretResponse {
  const { id, key, description, origin, organizationId, projectId, lastAccessedAt } = secret;
  const type = origin === 'file' ? 'static' : bindingOf(secret);
  const isDated = origin === 'api';
  return {
    id,
    key,
    description,
    hint: null,
    binding: { type, id: projectId ?? organizationId },
    created_at: isDated ? secret.createdAt : null,
    updated_at: isDated ? secret.updatedAt : null,
    last_accessed_at: lastAccessedAt,
  };
}
