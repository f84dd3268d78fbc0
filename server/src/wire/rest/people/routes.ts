import { peopleQuery, roleRequest, updatePersonRequest } from '@sallyport/contracts';
import { ok } from '#foundation';
import { type RestDeps, type Route, route } from '../route.ts';
import { mayGive } from './give-role.ts';
import { changeablePerson, knownPerson, peoplePage, personOf, personResponse } from './known-person.ts';
import { signInRoutes } from './sign-in-routes.ts';

/** Who has to do with the project, what they may do in it, and where they are signed in. */
export function peopleRoutes(deps: RestDeps): readonly Route[] {
  return [...readingRoutes(deps), ...changingRoutes(deps), ...signInRoutes(deps)];
}

function readingRoutes({ identity: { people } }: RestDeps): readonly Route[] {
  return [
    route({
      operation: 'people.list',
      summary:
        'People with a role in the project, or who came in by one of its user sources; the oldest first',
      method: 'GET',
      path: '/people',
      needs: 'administer',
      query: peopleQuery,
      success: 200,
      run: (request) => peoplePage(people, request, request.projectId),
    }),
    route({
      operation: 'people.get',
      summary: 'One person, and by what they came in',
      method: 'GET',
      path: '/people/{id}',
      needs: 'administer',
      success: 200,
      async run(request) {
        const found = await knownPerson(people, request);
        if (!found.ok) return found;
        const { person, identities } = found.value;
        return ok({ status: 200, body: personResponse(people, request.projectId, person, identities) });
      },
    }),
  ];
}

function changingRoutes({ identity: { people, signIns } }: RestDeps): readonly Route[] {
  return [
    route({
      operation: 'people.update',
      summary: 'Rename a person, deactivate or activate them; what is left out stays',
      method: 'PATCH',
      path: '/people/{id}',
      needs: 'administer',
      mutates: true,
      body: updatePersonRequest,
      success: 200,
      async run({ body: { name, active }, ...request }) {
        const { organizationId, projectId } = request;
        const found = await changeablePerson(people, request);
        if (!found.ok) return found;
        const { id } = found.value;
        const before = personResponse(people, projectId, found.value);
        const switched = active === undefined ? found : await people.setActive(organizationId, id, active);
        if (!switched.ok) return switched;
        if (active === false) await signIns.endAllOf(id);
        const renamed = name === undefined ? switched : await people.rename(organizationId, id, name);
        if (!renamed.ok) return renamed;
        const after = personResponse(people, projectId, renamed.value);
        return ok({ status: 200, body: after, changed: { before, after } });
      },
    }),
    route({
      operation: 'people.set_role',
      summary: 'Give a person of the organization a role in the project, or take it away',
      method: 'PUT',
      path: '/people/{id}/role',
      needs: 'administer',
      mutates: true,
      body: roleRequest,
      success: 200,
      async run({ body: { role }, ...request }) {
        const { organizationId, projectId } = request;
        const given = role === null ? ok(undefined) : mayGive(request.principal, role, 'project');
        if (!given.ok) return given;
        const found = await personOf(people, request);
        if (!found.ok) return found;
        const before = personResponse(people, projectId, found.value);
        const done = await people.setRole(found.value.id, { organizationId, projectId }, role);
        if (!done.ok) return done;
        const after = personResponse(people, projectId, found.value);
        return ok({ status: 200, body: after, changed: { before, after } });
      },
    }),
  ];
}
