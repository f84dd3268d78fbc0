import { createInvitationRequest, type InvitationResponse, pageQuery } from '@sallyport/contracts';
import { type Refusal, refusal } from '#domain';
import { err, ok } from '#foundation';
import type { Link } from '#identity';
import { pageOf } from '../paging.ts';
import { mayGive } from '../people/give-role.ts';
import { type RestDeps, type RestRequest, type Route, route } from '../route.ts';
import { linkUrl } from './link-url.ts';

const lastsMs = 7 * 24 * 60 * 60_000;

/** Links by which people come in with a role. Who has the company's sign-in needs no link: the address is enough. */
export function invitationRoutes(deps: RestDeps): readonly Route[] {
  const { people } = deps.identity;

  /** Those of the project; of the whole organisation, for its owners. */
  async function open({
    principal,
    organizationId,
    projectId,
  }: Pick<RestRequest<unknown, unknown>, 'principal' | 'organizationId' | 'projectId'>) {
    const all = await people.links(organizationId);
    const isOwner = principal.permissions.has('own');
    return all.filter(
      (link) =>
        link.kind === 'invitation' && (link.projectId === projectId || (link.projectId === '' && isOwner)),
    );
  }

  return [
    route({
      operation: 'invitations.create',
      summary: 'Invite somebody; the answer is the only place that shows the link',
      method: 'POST',
      path: '/invitations',
      needs: 'administer',
      mutates: true,
      body: createInvitationRequest,
      success: 201,
      async run({
        body: { email, role, scope = role === 'owner' ? 'organization' : 'project' },
        ...request
      }) {
        if (role === 'owner' && scope === 'project') {
          const told = 'scope: an owner owns the whole organization';
          return err(refusal('request.params_invalid', told, { field: 'scope' }));
        }
        const given = mayGive(request.principal, role, scope);
        if (!given.ok) return given;
        const { organizationId } = request;
        const projectId = scope === 'project' ? request.projectId : '';
        const earlier = (await open(request)).filter(
          (link) =>
            link.usedAt === null && link.email === email.toLowerCase() && link.projectId === projectId,
        );
        const expiresAt = new Date(deps.clock.now() + lastsMs).toISOString();
        const asked = { kind: 'invitation', organizationId, projectId, email, role, expiresAt } as const;
        const { link, token } = await people.createLink(asked, request.principal.id);
        if ((await people.linkOf(token)) === null) {
          await people.removeLink(organizationId, link.id);
          return err(isHere(deps, organizationId, email));
        }
        for (const { id } of earlier) await people.removeLink(organizationId, id);
        const after = invitationResponse(link);
        const body = { ...after, url: linkUrl(deps.issuer(), token) };
        return ok({ status: 201, body, changed: { before: null, after } });
      },
    }),
    route({
      operation: 'invitations.list',
      summary: 'Invitations to the project, without their links; the oldest first',
      method: 'GET',
      path: '/invitations',
      needs: 'administer',
      query: pageQuery,
      success: 200,
      run: async ({ query, ...request }) =>
        ok({ status: 200, body: pageOf(await open(request), query, invitationResponse) }),
    }),
    route({
      operation: 'invitations.delete',
      summary: 'Take an invitation back before it is used',
      method: 'DELETE',
      path: '/invitations/{id}',
      needs: 'administer',
      mutates: true,
      success: 204,
      async run(request) {
        const { id = '' } = request.params;
        const link = (await open(request)).find((one) => one.id === id);
        if (link === undefined || !(await people.removeLink(request.organizationId, id))) {
          return err(refusal('resource.unknown', `there is no open invitation ${id}`, { field: 'id' }));
        }
        return ok({ status: 204, changed: { before: invitationResponse(link), after: null } });
      },
    }),
  ];
}

/** Who is here already gets a role, and no link by which the inviter could be them. */
function isHere({ identity }: RestDeps, organizationId: string, email: string): Refusal {
  const id = identity.people.standingOf(organizationId, email)?.personId ?? '';
  const told = `email: ${email} is known here as ${id}: PUT /v1/people/${id}/role gives them a role`;
  return refusal('resource.conflict', told, { field: 'email', details: { person_id: id } });
}

function invitationResponse(link: Link): InvitationResponse {
  return {
    id: link.id,
    email: link.email,
    role: link.role,
    scope: link.projectId === '' ? 'organization' : 'project',
    created_by: link.createdBy,
    created_at: link.createdAt,
    expires_at: link.expiresAt,
    used_at: link.usedAt,
  };
}
