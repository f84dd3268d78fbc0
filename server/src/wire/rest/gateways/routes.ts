import { isDeepStrictEqual } from 'node:util';
import {
  createGatewayRequest,
  gatewaySlugRequest,
  pageQuery,
  replaceGatewayRequest,
  updateGatewayRequest,
} from '@sallyport/contracts';
import {
  type Gateway,
  gatewayEditFromRequest,
  gatewayReplacementFromRequest,
  newGatewayFromRequest,
  type Principal,
  type Refusal,
  refusal,
} from '#domain';
import { err, ok, type Result, randomHex } from '#foundation';
import { checkUserAssertion } from '#identity';
import { pageOf } from '../paging.ts';
import { type RestDeps, type Route, route } from '../route.ts';
import { gatewayResponse, readableBy } from './response.ts';
import { slugHeld } from './slug-held.ts';

const one = '/gateways/{gateway_id}';

export function gatewayRoutes(deps: RestDeps): readonly Route[] {
  return [...readingRoutes(deps), ...changingRoutes(deps)];
}

/** The gateway that a request speaks of. A body that names another one is refused. */
function named(
  { catalog }: RestDeps,
  request: {
    projectId: string;
    params: Readonly<Record<string, string>>;
    body?: { id?: string | undefined };
  },
): Result<Gateway, Refusal> {
  const id = request.params.gateway_id ?? '';
  const gateway = catalog.gateway(request.projectId, id);
  if (gateway === null)
    return err(refusal('resource.unknown', `there is no gateway ${id}`, { field: 'gateway_id' }));
  if ((request.body?.id ?? id) === id) return ok(gateway);
  return err(refusal('request.params_invalid', 'id: is not the id in the address', { field: 'id' }));
}

/** Nobody could sign in there, and a source that is made later would be another one. */
function unknownUserSource(
  { identity }: RestDeps,
  projectId: string,
  { userSourceIds = [] }: Partial<Pick<Gateway, 'userSourceIds'>>,
): Refusal | null {
  const missing = userSourceIds.find((id) => identity.userSources.get(projectId, id) === null);
  if (missing === undefined) return null;
  const field = 'user_source_ids';
  return refusal('request.params_invalid', `${field}: there is no user source ${missing}`, { field });
}

/** Who comes in without being asked, and whose word is taken for who somebody is, is a matter of sign-ins. */
function beyondEditors(
  { permissions }: Principal,
  edit: Partial<Gateway>,
  before: Gateway | null,
): Refusal | null {
  if (permissions.has('administer')) return null;
  const { consentSkipClientIds = [], userAssertion = null } = before ?? {};
  const was = { consentSkipClientIds, userAssertion };
  const next = { ...was, ...edit };
  if (!isDeepStrictEqual(next.consentSkipClientIds, was.consentSkipClientIds))
    return ofSignIns('consent_skip_client_ids');
  return isDeepStrictEqual(next.userAssertion ?? null, was.userAssertion)
    ? null
    : ofSignIns('user_assertion');
}

function ofSignIns(field: string): Refusal {
  return refusal('identity.scope_missing', `${field}: says how people come in: an administrator changes it`, {
    field,
  });
}

function readingRoutes(deps: RestDeps): readonly Route[] {
  const { catalog } = deps;
  return [
    route({
      operation: 'gateways.list',
      summary: 'The gateways of the project',
      method: 'GET',
      path: '/gateways',
      needs: 'read',
      query: pageQuery,
      success: 200,
      run: ({ principal, projectId, query, publicUrl }) =>
        ok({
          status: 200,
          body: pageOf(catalog.gateways(projectId), query, (gateway) =>
            readableBy(principal, gatewayResponse(gateway, publicUrl)),
          ),
        }),
    }),
    route({
      operation: 'gateways.get',
      summary: 'One gateway',
      method: 'GET',
      path: one,
      needs: 'read',
      success: 200,
      run({ principal, projectId, params, publicUrl }) {
        const found = named(deps, { projectId, params });
        if (!found.ok) return found;
        return ok({ status: 200, body: readableBy(principal, gatewayResponse(found.value, publicUrl)) });
      },
    }),
    route({
      operation: 'gateways.slug',
      summary: 'Whether a slug is free',
      method: 'POST',
      path: '/gateways/slug',
      needs: 'configure',
      body: gatewaySlugRequest,
      success: 200,
      run: ({ body }) => ok({ status: 200, body: { available: catalog.slugAvailable(body.slug) } }),
    }),
  ];
}

function changingRoutes(deps: RestDeps): readonly Route[] {
  const { catalog } = deps;
  return [
    route({
      operation: 'gateways.create',
      summary: 'Create a gateway; a slug left out is made from the name',
      method: 'POST',
      path: '/gateways',
      needs: 'configure',
      mutates: true,
      body: createGatewayRequest,
      success: 201,
      async run({ principal, projectId, body, publicUrl }) {
        const asked = newGatewayFromRequest(body, { projectId });
        const problem =
          beyondEditors(principal, asked, null) ??
          checkUserAssertion(asked.userAssertion) ??
          unknownUserSource(deps, projectId, asked);
        if (problem !== null) return err(problem);
        const taken = body.slug === undefined && !catalog.slugAvailable(asked.slug);
        const slug = taken ? `${asked.slug}-${randomHex(4)}` : asked.slug;
        const created = await catalog.createGateway({ ...asked, slug });
        if (!created.ok) return created;
        const after = gatewayResponse(created.value, publicUrl);
        return ok({ status: 201, body: after, changed: { before: null, after } });
      },
    }),
    ...(['PUT', 'PATCH'] as const).map((method) =>
      route({
        operation: method === 'PUT' ? 'gateways.replace' : 'gateways.update',
        summary: method === 'PUT' ? 'Replace a gateway' : 'Change a gateway; what is left out stays',
        method,
        path: one,
        needs: 'configure',
        mutates: true,
        body: method === 'PUT' ? replaceGatewayRequest : updateGatewayRequest,
        success: 200,
        async run({ principal, projectId, params, body, publicUrl }) {
          const found = named(deps, { projectId, params, body });
          if (!found.ok) return found;
          const { name } = body;
          const edit =
            method === 'PUT' && name !== undefined
              ? gatewayReplacementFromRequest({ ...body, name }, found.value)
              : gatewayEditFromRequest(body, found.value);
          const problem =
            beyondEditors(principal, edit, found.value) ??
            checkUserAssertion(edit.userAssertion) ??
            unknownUserSource(deps, projectId, edit) ??
            slugHeld(deps.policy, found.value, edit.slug);
          if (problem !== null) return err(problem);
          const updated = await catalog.updateGateway(projectId, found.value.id, edit);
          if (!updated.ok) return updated;
          const before = gatewayResponse(found.value, publicUrl);
          const after = gatewayResponse(updated.value, publicUrl);
          return ok({ status: 200, body: after, changed: { before, after } });
        },
      }),
    ),
    route({
      operation: 'gateways.delete',
      summary: 'Delete a gateway',
      method: 'DELETE',
      path: one,
      needs: 'configure',
      mutates: true,
      success: 204,
      async run({ projectId, params, publicUrl }) {
        const found = named(deps, { projectId, params });
        if (!found.ok) return found;
        const deleted = await catalog.deleteGateway(projectId, found.value.id);
        const before = gatewayResponse(found.value, publicUrl);
        return deleted.ok ? ok({ status: 204, changed: { before, after: null } }) : deleted;
      },
    }),
  ];
}
