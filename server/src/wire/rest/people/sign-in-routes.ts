import { pageQuery, type SignInResponse } from '@sallyport/contracts';
import { refusal } from '#domain';
import { err, ok } from '#foundation';
import type { SignIn } from '#identity';
import { pageOf } from '../paging.ts';
import { type RestDeps, type Route, route } from '../route.ts';
import { changeablePerson, knownPerson } from './known-person.ts';

const all = '/people/{id}/sign_ins';

/** Where somebody is signed in, and how to end it. */
export function signInRoutes({ identity: { people, signIns } }: RestDeps): readonly Route[] {
  return [
    route({
      operation: 'people.sign_ins',
      summary: 'Where a person is signed in',
      method: 'GET',
      path: all,
      needs: 'administer',
      query: pageQuery,
      success: 200,
      async run({ query, ...request }) {
        const found = await knownPerson(people, request);
        if (!found.ok) return found;
        const own = request.principal.permissions.has('own');
        const shown = (await signIns.list(found.value.person.id)).filter(
          ({ projectId }) => own || projectId === request.projectId || projectId === '',
        );
        return ok({ status: 200, body: pageOf(shown, query, signInResponse) });
      },
    }),
    route({
      operation: 'people.end_sign_ins',
      summary: 'End all sign-ins of a person: no token of theirs holds any more',
      method: 'DELETE',
      path: all,
      needs: 'administer',
      mutates: true,
      success: 200,
      async run(request) {
        const found = await changeablePerson(people, request);
        if (!found.ok) return found;
        const ended = await signIns.endAllOf(found.value.id);
        return ok({ status: 200, body: { ended }, changed: { ended } });
      },
    }),
    route({
      operation: 'people.end_sign_in',
      summary: 'End one sign-in, and every token of it',
      method: 'DELETE',
      path: `${all}/{sign_in_id}`,
      needs: 'administer',
      mutates: true,
      success: 204,
      async run(request) {
        const found = await changeablePerson(people, request);
        if (!found.ok) return found;
        const id = request.params.sign_in_id ?? '';
        const signIn = (await signIns.list(found.value.id)).find((one) => one.id === id);
        if (signIn === undefined || !(await signIns.end(id))) {
          return err(
            refusal('resource.unknown', `there is no sign-in ${id} to end`, { field: 'sign_in_id' }),
          );
        }
        return ok({ status: 204, changed: { before: signInResponse(signIn), after: null } });
      },
    }),
  ];
}

function signInResponse(signIn: SignIn): SignInResponse {
  return {
    id: signIn.id,
    user_source_id: signIn.sourceId,
    issuer: signIn.issuer,
    user_id: signIn.userId,
    user_agent: signIn.userAgent,
    created_at: signIn.createdAt,
    expires_at: signIn.expiresAt,
    ended_at: signIn.endedAt,
  };
}
