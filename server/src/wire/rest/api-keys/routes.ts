import {
  type ApiKeyResponse,
  createApiKeyRequest,
  pageQuery,
  updateApiKeyRequest,
} from '@sallyport/contracts';
import { type Principal, type Refusal, refusal } from '#domain';
import { err, ok } from '#foundation';
import { type ApiKey, isOperatorKey } from '#identity';
import { pageOf } from '../paging.ts';
import { type RestDeps, type Route, route } from '../route.ts';

export function apiKeyRoutes(deps: RestDeps): readonly Route[] {
  return [createRoute(deps), ...otherRoutes(deps)];
}

/** Of an expiry that is no time to come. */
function pastExpiry({ clock }: RestDeps, expiresAt: string | null | undefined): Refusal | null {
  if (expiresAt == null || Date.parse(expiresAt) > clock.now()) return null;
  return refusal('request.params_invalid', 'expires_at: lies in the past', { field: 'expires_at' });
}

/** A key for a gateway that is not there would be one for whoever makes it next. */
function unknownGateway({ catalog }: RestDeps, projectId: string, slugs: readonly string[]): Refusal | null {
  const own = new Set(catalog.gateways(projectId).map(({ slug }) => slug));
  const index = slugs.findIndex((slug) => !own.has(slug));
  if (index < 0) return null;
  const field = `gateways.${index}`;
  const told = `${field}: there is no gateway with the slug "${slugs[index]}"`;
  return refusal('request.params_invalid', told, { field });
}

/** Nobody gives more than they have: the directory is the whole organisation's. */
function tooMuch({ permissions }: Principal, scopes: readonly string[]): Refusal | null {
  if (!scopes.includes('provision') || permissions.has('provision')) return null;
  const told = 'scopes: "provision" is for the whole organization: an owner makes that key';
  return refusal('identity.scope_missing', told, { field: 'scopes' });
}

/** Whoever runs the installation comes in by it: where nobody owns it yet, there is no other way. */
function operators({ permissions }: Principal, id: string): Refusal | null {
  if (!isOperatorKey(id) || permissions.has('own')) return null;
  return refusal('identity.scope_missing', 'only owners of the organization change this key', {
    field: 'id',
  });
}

function createRoute(deps: RestDeps): Route {
  const { identity } = deps;
  return route({
    operation: 'api_keys.create',
    summary: 'Make an API key; the answer is the only place that shows it',
    method: 'POST',
    path: '/api_keys',
    needs: 'administer',
    mutates: true,
    body: createApiKeyRequest,
    success: 201,
    async run({ principal, projectId, body }) {
      const problem =
        pastExpiry(deps, body.expires_at) ??
        unknownGateway(deps, projectId, body.gateways ?? []) ??
        tooMuch(principal, body.scopes);
      if (problem !== null) return err(problem);
      const account = body.service_account_id ?? null;
      if (account !== null && identity.serviceAccounts.get(account)?.projectId !== projectId) {
        const told = `service_account_id: there is no service account ${account}`;
        return err(refusal('request.params_invalid', told, { field: 'service_account_id' }));
      }
      const { key, plaintext } = await identity.createKey({
        projectId,
        name: body.name,
        scopes: [...new Set(body.scopes)],
        users: body.users ?? null,
        gateways: body.gateways ?? null,
        tools: body.tools ?? null,
        serviceAccountId: account,
        expiresAt: body.expires_at ?? null,
      });
      const after = apiKeyResponse(key);
      return ok({ status: 201, body: { ...after, key: plaintext }, changed: { before: null, after } });
    },
  });
}

function otherRoutes(deps: RestDeps): readonly Route[] {
  const { identity } = deps;
  const found = (projectId: string, id: string) => identity.listKeys(projectId).find((key) => key.id === id);
  const unknown = (id: string) =>
    err(refusal('resource.unknown', `there is no API key ${id}`, { field: 'id' }));
  return [
    route({
      operation: 'api_keys.list',
      summary: 'The API keys of the project, without the keys themselves',
      method: 'GET',
      path: '/api_keys',
      needs: 'administer',
      query: pageQuery,
      success: 200,
      run: ({ projectId, query }) =>
        ok({ status: 200, body: pageOf(identity.listKeys(projectId), query, apiKeyResponse) }),
    }),
    route({
      operation: 'api_keys.get',
      summary: 'One API key, without the key itself',
      method: 'GET',
      path: '/api_keys/{id}',
      needs: 'administer',
      success: 200,
      run({ projectId, params: { id = '' } }) {
        const key = found(projectId, id);
        return key === undefined ? unknown(id) : ok({ status: 200, body: apiKeyResponse(key) });
      },
    }),
    route({
      operation: 'api_keys.update',
      summary: 'Rename an API key, or let it expire at another time; what it may do never changes',
      method: 'PATCH',
      path: '/api_keys/{id}',
      needs: 'administer',
      mutates: true,
      body: updateApiKeyRequest,
      success: 200,
      async run({ principal, projectId, params: { id = '' }, body: { name, expires_at: expiresAt } }) {
        const before = found(projectId, id);
        if (before === undefined) return unknown(id);
        const problem = operators(principal, id) ?? pastExpiry(deps, expiresAt);
        if (problem !== null) return err(problem);
        const key = await identity.updateKey(projectId, id, {
          ...(name === undefined ? {} : { name }),
          ...(expiresAt === undefined ? {} : { expiresAt }),
        });
        if (key === null) return unknown(id);
        const after = apiKeyResponse(key);
        return ok({ status: 200, body: after, changed: { before: apiKeyResponse(before), after } });
      },
    }),
    route({
      operation: 'api_keys.delete',
      summary: 'Revoke an API key at once',
      method: 'DELETE',
      path: '/api_keys/{id}',
      needs: 'administer',
      mutates: true,
      success: 204,
      async run({ principal, projectId, params: { id = '' } }) {
        const key = found(projectId, id);
        const problem = operators(principal, id);
        if (key !== undefined && problem !== null) return err(problem);
        if (key === undefined || !(await identity.revokeKey(projectId, id))) return unknown(id);
        return ok({ status: 204, changed: { before: apiKeyResponse(key), after: null } });
      },
    }),
  ];
}

function apiKeyResponse(key: ApiKey): ApiKeyResponse {
  return {
    id: key.id,
    name: key.name,
    hint: key.hint,
    scopes: [...key.scopes],
    users: key.users === null ? null : [...key.users],
    gateways: key.gateways === null ? null : [...key.gateways],
    tools: key.tools === null ? null : [...key.tools],
    service_account_id: key.serviceAccountId,
    expires_at: key.expiresAt,
    created_at: key.createdAt,
  };
}
