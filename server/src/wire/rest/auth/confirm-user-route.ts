import { type ConfirmUserRequest, type ConfirmUserResponse, confirmUserRequest } from '@sallyport/contracts';
import type { Credentials } from '#credentials';
import { refusal } from '#domain';
import { err, ok } from '#foundation';
import { type Route, route } from '../route.ts';

/** The last step of a flow of a project with a verifier of its own. */
export function confirmUserRoute({
  credentials,
}: {
  readonly credentials: Pick<Credentials, 'authorizations'>;
}): Route {
  return route<ConfirmUserRequest>({
    operation: 'auth.confirm_user',
    summary: "Say, as the project's own verifier, who is at the browser that consented",
    method: 'POST',
    path: '/auth/confirm_user',
    needs: 'call',
    forRestrictedKeys: 'users',
    mutates: true,
    records: 'credential',
    body: confirmUserRequest,
    success: 200,
    async run({ principal, projectId, actAs, body: { flow_id, user_id } }) {
      const caller = actAs(user_id);
      if (!caller.ok) return caller;
      if (principal.kind === 'person') {
        const told = 'a person cannot vouch for a browser: the verifier of the project does, with an API key';
        return err(refusal('identity.user_refused', told, { field: 'user_id' }));
      }
      const confirmed = await credentials.authorizations.confirmUser(
        projectId,
        flow_id,
        caller.value.userId ?? '',
      );
      if (!confirmed.ok) return confirmed;
      const { authId, nextUri } = confirmed.value;
      const answer: ConfirmUserResponse = {
        auth_id: authId,
        ...(nextUri === null ? {} : { next_uri: nextUri }),
      };
      return ok({ status: 200, body: answer, changed: { authorization_id: authId } });
    },
  });
}
