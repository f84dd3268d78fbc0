import {
  createUserSourceRequest,
  pageQuery,
  previewUserClaimRequest,
  type ReplaceUserSourceRequest,
  replaceUserSourceRequest,
  type UpdateUserSourceRequest,
  updateUserSourceRequest,
} from '@sallyport/contracts';
import { type Refusal, refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import {
  newUserSourceFromRequest,
  type UserSource,
  type UserSourceDraft,
  userSourceEditFromRequest,
} from '#identity';
import { pageOf } from '../paging.ts';
import { type RestDeps, type Route, route } from '../route.ts';
import { previewResponse, unconfirmedChange } from './claim-change.ts';
import { ownersOnly } from './owners-only.ts';
import { testResponse, userSourceResponse } from './response.ts';
import { validated } from './validation.ts';

/** The OIDC issuers by which people sign in. */
export function userSourceRoutes(deps: RestDeps): readonly Route[] {
  return [...readingRoutes(deps), ...tryingRoutes(deps), ...changingRoutes(deps)];
}

const one = '/user_sources/{id}';

function shown({ identity }: RestDeps, source: UserSource) {
  return userSourceResponse(source, identity.userSources.redirectUri(source.id));
}

interface Named {
  readonly projectId: string;
  readonly params: Readonly<Record<string, string>>;
  readonly body?: { id?: string | undefined; user_claim?: string | undefined } | undefined;
}

/** The source that a request speaks of. A body that names another one is refused. */
function named(
  { identity }: RestDeps,
  { projectId, params: { id = '' }, body }: Named,
): Result<UserSource, Refusal> {
  const source = identity.userSources.get(projectId, id);
  if (source === null)
    return err(refusal('resource.unknown', `there is no user source ${id}`, { field: 'id' }));
  if ((body?.id ?? id) === id) return ok(source);
  return err(refusal('request.params_invalid', 'id: is not the id in the address', { field: 'id' }));
}

function changeable(deps: RestDeps, request: Named): Result<UserSource, Refusal> {
  const found = named(deps, request);
  if (!found.ok || found.value.origin === 'api') return found;
  const message = `user source ${found.value.id} is declared in the config file; change it there`;
  return err(refusal('resource.read_only', message, { field: 'id' }));
}

/** Without it nobody could come in there. */
function inUse({ catalog }: RestDeps, { id, projectId }: UserSource, what: string): Refusal | null {
  const gateways = catalog
    .gateways(projectId)
    .filter(({ status, userSourceIds }) => status === 'active' && userSourceIds.includes(id))
    .map(({ slug }) => slug);
  if (gateways.length === 0) return null;
  const message = `user source ${id} cannot be ${what} while active gateways name it: ${gateways.join(', ')}`;
  return refusal('resource.conflict', message, { field: 'id', details: { gateways } });
}

function readingRoutes(deps: RestDeps): readonly Route[] {
  return [
    route({
      operation: 'user_sources.list',
      summary: 'The user sources of the project',
      method: 'GET',
      path: '/user_sources',
      needs: 'inspect',
      query: pageQuery,
      success: 200,
      run: ({ projectId, query }) =>
        ok({
          status: 200,
          body: pageOf(deps.identity.userSources.list(projectId), query, (source) => shown(deps, source)),
        }),
    }),
    route({
      operation: 'user_sources.get',
      summary: 'One user source',
      method: 'GET',
      path: one,
      needs: 'inspect',
      success: 200,
      run(request) {
        const found = named(deps, request);
        return found.ok ? ok({ status: 200, body: shown(deps, found.value) }) : found;
      },
    }),
  ];
}

function tryingRoutes(deps: RestDeps): readonly Route[] {
  return [
    route({
      operation: 'user_sources.test',
      summary: 'Walk what a sign-in needs of the issuer, and say which step fails',
      method: 'POST',
      path: `${one}/test`,
      needs: 'administer',
      success: 200,
      async run(request) {
        const found = named(deps, request);
        if (!found.ok) return found;
        return ok({ status: 200, body: testResponse(await deps.identity.userSources.test(found.value)) });
      },
    }),
    route({
      operation: 'user_sources.preview',
      summary: 'What another user claim would do to those who have signed in',
      method: 'POST',
      path: `${one}/preview`,
      needs: 'administer',
      body: previewUserClaimRequest,
      success: 200,
      async run(request) {
        const found = named(deps, request);
        if (!found.ok) return found;
        return ok({ status: 200, body: await previewResponse(deps, found.value, request.body.user_claim) });
      },
    }),
  ];
}

function changingRoutes(deps: RestDeps): readonly Route[] {
  const { userSources } = deps.identity;
  return [
    route({
      operation: 'user_sources.create',
      summary: 'Let people sign in at an OIDC issuer; it is compared with the issuer first',
      method: 'POST',
      path: '/user_sources',
      needs: 'administer',
      mutates: true,
      body: createUserSourceRequest,
      success: 201,
      async run(request) {
        const { projectId, body } = request;
        const denied = ownersOnly(deps, request);
        if (denied !== null) return err(denied);
        const draft = newUserSourceFromRequest(body, { id: userSources.newId(), projectId });
        const warnings = await validated(deps, undated(draft), body.skip_validation ?? false);
        if (!warnings.ok) return warnings;
        const created = await userSources.create(draft);
        if (!created.ok) return created;
        const after = shown(deps, created.value);
        return ok({
          status: 201,
          body: { ...after, warnings: warnings.value },
          changed: { before: null, after },
        });
      },
    }),
    ...(['PUT', 'PATCH'] as const).map((method) =>
      route({
        operation: method === 'PUT' ? 'user_sources.replace' : 'user_sources.update',
        summary: method === 'PUT' ? 'Replace a user source' : 'Change a user source; what is left out stays',
        method,
        path: one,
        needs: 'administer',
        mutates: true,
        body: method === 'PUT' ? replaceUserSourceRequest : updateUserSourceRequest,
        success: 200,
        async run(request) {
          const { projectId, body } = request;
          const found = changeable(deps, request);
          if (!found.ok) return found;
          const denied = ownersOnly(deps, request);
          if (denied !== null) return err(denied);
          const edit = editOf(method, body, found.value);
          const warnings = await allowed(deps, found.value, edit, body);
          if (!warnings.ok) return warnings;
          const updated = await userSources.replace(projectId, found.value.id, edit);
          if (!updated.ok) return updated;
          await endOutdated(deps, found.value, updated.value);
          const after = shown(deps, updated.value);
          return ok({
            status: 200,
            body: { ...after, warnings: warnings.value },
            changed: { before: shown(deps, found.value), after },
          });
        },
      }),
    ),
    removingRoute(deps),
  ];
}

function removingRoute(deps: RestDeps): Route {
  const { identity } = deps;
  return route({
    operation: 'user_sources.delete',
    summary: 'Remove a user source that no active gateway names',
    method: 'DELETE',
    path: one,
    needs: 'administer',
    mutates: true,
    success: 204,
    async run(request) {
      const found = changeable(deps, request);
      if (!found.ok) return found;
      const problem = ownersOnly(deps, request) ?? inUse(deps, found.value, 'removed');
      if (problem !== null) return err(problem);
      const removed = await identity.userSources.remove(request.projectId, found.value.id);
      if (removed.ok) await identity.signIns.endAllBy(removed.value);
      const changed = { before: shown(deps, found.value), after: null };
      return removed.ok ? ok({ status: 204, changed }) : removed;
    },
  });
}

/** Who signed in before has a user id that the source gives nobody any more. */
async function endOutdated({ identity }: RestDeps, before: UserSource, after: UserSource): Promise<void> {
  if (after.issuer === before.issuer && after.userClaim === before.userClaim) return;
  await identity.signIns.endAllBy(after);
}

type Edit = Omit<UserSourceDraft, 'id' | 'projectId'>;

function editOf(
  method: 'PUT' | 'PATCH',
  body: ReplaceUserSourceRequest | UpdateUserSourceRequest,
  source: UserSource,
): Edit {
  if (method === 'PATCH') return userSourceEditFromRequest(body, source);
  const { id, projectId, ...edit } = newUserSourceFromRequest(
    body as ReplaceUserSourceRequest,
    source,
    source.clientAuth,
  );
  return edit;
}

const comparedFields = ['issuer', 'clientId', 'clientAuth', 'scopes'] as const;

/** Whether a source may become this; what could not be compared with the issuer. */
async function allowed(
  deps: RestDeps,
  source: UserSource,
  edit: Edit,
  body: UpdateUserSourceRequest,
): Promise<Result<readonly string[], Refusal>> {
  const next: UserSource = { ...source, ...edit };
  if (next.status === 'inactive' && source.status === 'active') {
    const used = inUse(deps, source, 'made inactive');
    if (used !== null) return err(used);
  }
  // A secret goes to nobody but for whom it was entered.
  if (
    next.issuer !== source.issuer &&
    next.clientAuth === source.clientAuth &&
    next.clientAuth.by === 'secret'
  ) {
    const message = 'client_secret: is needed again where the issuer is another one';
    return err(refusal('request.params_invalid', message, { field: 'client_secret' }));
  }
  const isSame = comparedFields.every(
    (field) => JSON.stringify(next[field]) === JSON.stringify(source[field]),
  );
  const warnings = await validated(deps, next, isSame || (body.skip_validation ?? false));
  if (!warnings.ok) return warnings;
  const unconfirmed = await unconfirmedChange(deps, source, next.userClaim, body.confirm_user_claim_change);
  return unconfirmed === null ? warnings : err(unconfirmed);
}

function undated(draft: UserSourceDraft): UserSource {
  return { ...draft, origin: 'api', createdAt: '', updatedAt: '' };
}
