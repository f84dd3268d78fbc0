import {
  createServiceAccountRequest,
  pageQuery,
  type ServiceAccountResponse,
  updateServiceAccountRequest,
} from '@sallyport/contracts';
import { refusal } from '#domain';
import { err, ok } from '#foundation';
import { checkPublicKeys, type ServiceAccount, type ServiceAccounts } from '#identity';
import { pageOf } from '../paging.ts';
import { type RestDeps, type Route, route } from '../route.ts';

/** Programs that sign in as themselves. */
export function serviceAccountRoutes({ identity }: RestDeps): readonly Route[] {
  const { serviceAccounts } = identity;
  return [
    ...readingRoutes(serviceAccounts),
    createRoute(serviceAccounts),
    ...changingRoutes(serviceAccounts),
  ];
}

const all = '/service_accounts';
const one = '/service_accounts/{id}';

function found(accounts: ServiceAccounts, projectId: string, id: string) {
  const account = accounts.get(id);
  return account?.projectId === projectId
    ? ok(account)
    : err(refusal('resource.unknown', `there is no service account ${id}`, { field: 'id' }));
}

function readingRoutes(accounts: ServiceAccounts): readonly Route[] {
  return [
    route({
      operation: 'service_accounts.list',
      summary: 'The service accounts of the project, without their secrets; the oldest first',
      method: 'GET',
      path: all,
      needs: 'administer',
      query: pageQuery,
      success: 200,
      run: ({ projectId, query }) =>
        ok({ status: 200, body: pageOf(accounts.list(projectId), query, serviceAccountResponse) }),
    }),
    route({
      operation: 'service_accounts.get',
      summary: 'One service account, without its secret',
      method: 'GET',
      path: one,
      needs: 'administer',
      success: 200,
      run({ projectId, params: { id = '' } }) {
        const account = found(accounts, projectId, id);
        return account.ok ? ok({ status: 200, body: serviceAccountResponse(account.value) }) : account;
      },
    }),
  ];
}

function createRoute(accounts: ServiceAccounts): Route {
  return route({
    operation: 'service_accounts.create',
    summary: 'Make a service account; the answer is the only place that shows its secret',
    method: 'POST',
    path: all,
    needs: 'administer',
    mutates: true,
    body: createServiceAccountRequest,
    success: 201,
    async run({ projectId, body: { with_secret, ...asked } }) {
      const unreadable = checkPublicKeys(asked.jwks);
      if (unreadable !== null) return err(unreadable);
      const withSecret = with_secret ?? asked.jwks === null;
      const { account, secret } = await accounts.create({ ...asked, projectId }, { withSecret });
      const after = serviceAccountResponse(account);
      const body = secret === null ? after : { ...after, client_secret: secret };
      return ok({ status: 201, body, changed: { before: null, after } });
    },
  });
}

function changingRoutes(accounts: ServiceAccounts): readonly Route[] {
  return [
    route({
      operation: 'service_accounts.update',
      summary: 'Change a service account; what is left out stays',
      method: 'PATCH',
      path: one,
      needs: 'administer',
      mutates: true,
      body: updateServiceAccountRequest,
      success: 200,
      async run({ projectId, params: { id = '' }, body: asked }) {
        const unreadable = checkPublicKeys(asked.jwks);
        if (unreadable !== null) return err(unreadable);
        const was = found(accounts, projectId, id);
        if (!was.ok) return was;
        const given = Object.entries(asked).filter(([, value]) => value !== undefined);
        const updated = await accounts.update(projectId, id, Object.fromEntries(given));
        if (!updated.ok) return updated;
        const body = serviceAccountResponse(updated.value);
        return ok({
          status: 200,
          body,
          changed: { before: serviceAccountResponse(was.value), after: body },
        });
      },
    }),
    route({
      operation: 'service_accounts.renew_secret',
      summary: 'Make a new secret in the place of the one before; the answer is the only place that shows it',
      method: 'POST',
      path: `${one}/secret`,
      needs: 'administer',
      mutates: true,
      success: 200,
      async run({ projectId, params: { id = '' } }) {
        const was = found(accounts, projectId, id);
        if (!was.ok) return was;
        const renewed = await accounts.renewSecret(projectId, id);
        if (!renewed.ok) return renewed;
        const after = serviceAccountResponse(accounts.get(id) ?? was.value);
        return ok({
          status: 200,
          body: { ...after, client_secret: renewed.value.secret },
          changed: { before: serviceAccountResponse(was.value), after },
        });
      },
    }),
    route({
      operation: 'service_accounts.delete',
      summary: 'Delete a service account and its API keys: they are refused from the next call on',
      method: 'DELETE',
      path: one,
      needs: 'administer',
      mutates: true,
      success: 204,
      async run({ projectId, params: { id = '' } }) {
        const removed = await accounts.remove(projectId, id);
        return removed.ok
          ? ok({ status: 204, changed: { before: serviceAccountResponse(removed.value), after: null } })
          : removed;
      },
    }),
  ];
}

function serviceAccountResponse(account: ServiceAccount): ServiceAccountResponse {
  return {
    id: account.id,
    name: account.name,
    description: account.description,
    role: account.role,
    active: account.active,
    secret_set: account.hasSecret,
    jwks: account.jwks === null ? null : { keys: account.jwks.keys.map((key) => ({ ...key })) },
    created_at: account.createdAt,
    updated_at: account.updatedAt,
  };
}
