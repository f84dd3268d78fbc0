import {
  type AuthProviderResponse,
  createAuthProviderRequest,
  updateAuthProviderRequest,
} from '@sallyport/contracts';
import { type AuthProvider, knownProviders } from '#credentials';
import { type Refusal, refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import { wholePage } from '../paging.ts';
import { type RestDeps, type Route, route } from '../route.ts';
import { authProviderResponse, knownProviderResponse } from './response.ts';

/** Where users of the project have accounts that tools need. Whoever changes one says where their tokens go. */
export function authProviderRoutes(deps: RestDeps): readonly Route[] {
  return [...readingRoutes(deps), ...changingRoutes(deps)];
}

const all = '/admin/auth_providers';
const one = `${all}/{id}`;

function shown({ credentials: { providers } }: RestDeps, provider: AuthProvider): AuthProviderResponse {
  const { projectId, id } = provider;
  return authProviderResponse(provider, {
    hasSecret: providers.hasSecret(provider),
    redirectUri: providers.redirectUriOf(projectId, id),
  });
}

function named(
  { credentials }: RestDeps,
  projectId: string,
  { id = '' }: Readonly<Record<string, string>>,
): Result<AuthProvider, Refusal> {
  const provider = credentials.providers.get(projectId, id);
  if (provider !== null) return ok(provider);
  return err(refusal('resource.unknown', `there is no auth provider ${id}`, { field: 'id' }));
}

function readingRoutes(deps: RestDeps): readonly Route[] {
  const { providers } = deps.credentials;
  return [
    route({
      operation: 'auth_providers.list',
      summary: 'The auth providers of the project, all on one page',
      method: 'GET',
      path: all,
      needs: 'inspect',
      success: 200,
      run({ projectId }) {
        const items = providers.list(projectId).map((provider) => shown(deps, provider));
        return ok({ status: 200, body: wholePage(items) });
      },
    }),
    route({
      operation: 'auth_providers.known',
      summary: 'The well-known providers: where an app is registered, and what has to be said of each',
      method: 'GET',
      path: `${all}/known`,
      needs: 'inspect',
      success: 200,
      run: () => ok({ status: 200, body: wholePage(knownProviders.map(knownProviderResponse)) }),
    }),
    route({
      operation: 'auth_providers.get',
      summary: 'One auth provider, with the redirect URI to register over there',
      method: 'GET',
      path: one,
      needs: 'inspect',
      success: 200,
      run({ projectId, params }) {
        const found = named(deps, projectId, params);
        return found.ok ? ok({ status: 200, body: shown(deps, found.value) }) : found;
      },
    }),
  ];
}

function changingRoutes(deps: RestDeps): readonly Route[] {
  const { providers } = deps.credentials;
  return [
    route({
      operation: 'auth_providers.create',
      summary: 'Register an auth provider: a well-known one by its provider_id, or a custom one',
      method: 'POST',
      path: all,
      needs: 'administer',
      mutates: true,
      body: createAuthProviderRequest,
      success: 201,
      async run({ projectId, body }) {
        const created = await providers.create(projectId, body);
        if (!created.ok) return created;
        const after = shown(deps, created.value);
        return ok({ status: 201, body: after, changed: { before: null, after } });
      },
    }),
    route({
      operation: 'auth_providers.update',
      summary: 'Change an auth provider; what is left out stays',
      method: 'PATCH',
      path: one,
      needs: 'administer',
      mutates: true,
      body: updateAuthProviderRequest,
      success: 200,
      async run({ projectId, params, body }) {
        const found = named(deps, projectId, params);
        if (!found.ok) return found;
        const before = shown(deps, found.value);
        const updated = await providers.update(projectId, found.value.id, body);
        if (!updated.ok) return updated;
        const after = shown(deps, updated.value);
        return ok({ status: 200, body: after, changed: { before, after } });
      },
    }),
    route({
      operation: 'auth_providers.delete',
      summary: 'Remove an auth provider, with all that users connected at it',
      method: 'DELETE',
      path: one,
      needs: 'administer',
      mutates: true,
      success: 200,
      async run({ projectId, params }) {
        const found = named(deps, projectId, params);
        if (!found.ok) return found;
        const before = shown(deps, found.value);
        const removed = await providers.remove(projectId, found.value.id);
        return removed.ok ? ok({ status: 200, body: before, changed: { before, after: null } }) : removed;
      },
    }),
  ];
}
