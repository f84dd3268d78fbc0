import {
  type CreateOrganizationResponse,
  createOrganizationRequest,
  nameRequest,
  type OrganizationResponse,
  pageQuery,
  peopleQuery,
  roleRequest,
} from '@sallyport/contracts';
import { refusal } from '#domain';
import { err, ok } from '#foundation';
import type { Organization } from '#identity';
import { linkUrl } from '../invitations/link-url.ts';
import { pageOf } from '../paging.ts';
import { mayGive } from '../people/give-role.ts';
import { peoplePage, personOf, personResponse } from '../people/known-person.ts';
import { projectResponse } from '../projects/routes.ts';
import { firstOrganizationId, type RestDeps, type Route, route } from '../route.ts';

const firstLinkLastsMs = 7 * 24 * 60 * 60_000;

export function organizationRoutes(deps: RestDeps): readonly Route[] {
  return [...ownRoutes(deps), createRoute(deps), ...memberRoutes(deps)];
}

function ownRoutes({ identity: { people } }: RestDeps): readonly Route[] {
  return [
    route({
      operation: 'organizations.list',
      summary: 'The organization that you own',
      method: 'GET',
      path: '/orgs',
      ofOrganization: true,
      needs: 'own',
      query: pageQuery,
      success: 200,
      run({ organizationId, query }) {
        const own = people.organizations().filter(({ id }) => id === organizationId);
        return ok({ status: 200, body: pageOf(own, query, organizationResponse) });
      },
    }),
    route({
      operation: 'organizations.update',
      summary: 'Give the organization another name',
      method: 'PATCH',
      path: '/orgs/{org}',
      ofOrganization: true,
      needs: 'own',
      mutates: true,
      body: nameRequest,
      success: 200,
      async run({ organizationId, body: { name } }) {
        const organization = people.organization(organizationId);
        const renamed = await people.renameOrganization(organizationId, name);
        if (!renamed.ok) return renamed;
        const after = organizationResponse(renamed.value);
        const before = organization === null ? null : organizationResponse(organization);
        return ok({ status: 200, body: after, changed: { before, after } });
      },
    }),
  ];
}

function createRoute({ identity: { people }, issuer, clock }: RestDeps): Route {
  return route({
    operation: 'organizations.create',
    summary: 'Make an organization with a project; the answer alone shows the link for its owner',
    method: 'POST',
    path: '/orgs',
    ofOrganization: true,
    needs: 'own',
    mutates: true,
    body: createOrganizationRequest,
    success: 201,
    async run({ principal, organizationId, body: { name, owner_email: email } }) {
      if (organizationId !== firstOrganizationId) {
        const told = 'only owners of the first organization, who run the installation, make others';
        return err(refusal('identity.scope_missing', told));
      }
      const made = await people.createOrganization(name);
      const project = await people.createProject(made.id, 'Default');
      const { token } = await people.createLink(
        {
          kind: 'invitation',
          organizationId: made.id,
          projectId: '',
          email,
          role: 'owner',
          expiresAt: new Date(clock.now() + firstLinkLastsMs).toISOString(),
        },
        principal.id,
      );
      const after = { ...organizationResponse(made), project: projectResponse(project) };
      const body: CreateOrganizationResponse = { ...after, owner_url: linkUrl(issuer(), token) };
      return ok({ status: 201, body, changed: { before: null, after } });
    },
  });
}

function memberRoutes({ identity: { people } }: RestDeps): readonly Route[] {
  return [
    route({
      operation: 'organizations.people',
      summary: 'Everybody of the organization; the oldest first',
      method: 'GET',
      path: '/orgs/{org}/people',
      ofOrganization: true,
      needs: 'own',
      query: peopleQuery,
      success: 200,
      run: (request) => peoplePage(people, request),
    }),
    route({
      operation: 'organizations.set_role',
      summary: 'Give a person a role in all projects of the organization, or take it away',
      method: 'PUT',
      path: '/orgs/{org}/people/{id}/role',
      ofOrganization: true,
      needs: 'own',
      mutates: true,
      body: roleRequest,
      success: 200,
      async run({ body: { role }, ...request }) {
        const { organizationId, projectId } = request;
        const given = role === null ? ok(undefined) : mayGive(request.principal, role, 'organization');
        if (!given.ok) return given;
        const found = await personOf(people, request);
        if (!found.ok) return found;
        const before = personResponse(people, projectId, found.value);
        const done = await people.setRole(found.value.id, { organizationId, projectId: '' }, role);
        if (!done.ok) return done;
        const after = personResponse(people, projectId, found.value);
        return ok({ status: 200, body: after, changed: { before, after } });
      },
    }),
  ];
}

function organizationResponse({ id, name, createdAt }: Organization): OrganizationResponse {
  return { id, name, created_at: createdAt };
}
