import { type ApiKeyResponse, createApiKeyRequest, pageQuery } from '@sallyport/contracts';
import { refusal } from '#domain';
import { err, ok } from '#foundation';
import type { ApiKey } from '#identity';
import { pageOf } from '../paging.ts';
import { type RestDeps, type Route, route } from '../route.ts';

export function apiKeyRoutes({ identity, clock }: RestDeps): readonly Route[] {
  const found = (projectId: string, id: string) => identity.listKeys(projectId).find((key) => key.id === id);
  const unknown = (id: string) =>
    err(refusal('resource.unknown', `there is no API key ${id}`, { field: 'id' }));
  return [
    route({
      operation: 'api_keys.create',
      summary: 'Make an API key; the answer is the only place that shows it',
      method: 'POST',
      path: '/api_keys',
      needs: 'administer',
      mutates: true,
      body: createApiKeyRequest,
      success: 201,
      async run({ projectId, body }) {
        const expiresAt = body.expires_at == null ? null : new Date(body.expires_at).toISOString();
        if (expiresAt !== null && expiresAt <= clock.iso()) {
          return err(
            refusal('request.params_invalid', 'expires_at: lies in the past', { field: 'expires_at' }),
          );
        }
        const account = body.service_account_id ?? null;
        if (account !== null && identity.serviceAccounts.get(account)?.projectId !== projectId) {
          const problem = `service_account_id: there is no service account ${account}`;
          return err(refusal('request.params_invalid', problem, { field: 'service_account_id' }));
        }
        const { key, plaintext } = await identity.createKey({
          projectId,
          name: body.name,
          scopes: [...new Set(body.scopes)],
          users: body.users ?? null,
          gateways: body.gateways ?? null,
          tools: body.tools ?? null,
          serviceAccountId: account,
          expiresAt,
        });
        const after = apiKeyResponse(key);
        return ok({ status: 201, body: { ...after, key: plaintext }, changed: { before: null, after } });
      },
    }),
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
      operation: 'api_keys.delete',
      summary: 'Revoke an API key at once',
      method: 'DELETE',
      path: '/api_keys/{id}',
      needs: 'administer',
      mutates: true,
      success: 204,
      async run({ projectId, params: { id = '' } }) {
        const key = found(projectId, id);
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
