import {
  type AuthorizationResponse,
  type AuthorizeRequest,
  authorizeRequest,
  type ValidateVerifierRequest,
  type ValidateVerifierResponse,
  validateVerifierRequest,
} from '@sallyport/contracts';
import { ok } from '#foundation';
import { type RestDeps, type Route, route } from '../route.ts';
import { authorize } from './authorize.ts';
import { confirmUserRoute } from './confirm-user-route.ts';
import { statusRoute } from './status-route.ts';
import { whomOf } from './whom.ts';

/** Authorizations as Arcade's clients drive them. */
export function authRoutes(deps: RestDeps): readonly Route[] {
  return [authorizeRoute(deps), statusRoute(deps), confirmUserRoute(deps), validateVerifierRoute(deps)];
}

function authorizeRoute(deps: RestDeps): Route {
  return route<AuthorizeRequest>({
    operation: 'auth.authorize',
    summary: 'Authorize a user at a provider: completed, or the address at which the user allows it',
    method: 'POST',
    path: '/auth/authorize',
    needs: 'call',
    forRestrictedKeys: 'users',
    mutates: true,
    records: 'credential',
    body: authorizeRequest,
    success: 200,
    async run({ actAs, body: { user_id, auth_requirement, next_uri } }) {
      const caller = actAs(user_id);
      if (!caller.ok) return caller;
      const { id, provider_id, oauth2 } = auth_requirement;
      const answer = await authorize(deps, caller.value, {
        requirement: { id: id || null, providerId: provider_id || null, scopes: oauth2?.scopes ?? [] },
        nextUri: next_uri ?? null,
      });
      return answer.ok ? ok({ status: 200, body: answer.value, changed: begun(answer.value) }) : answer;
    },
  });
}

/** What the record of an authorization says: neither address nor token. */
export function begun({ id, status, provider_id, scopes }: AuthorizationResponse) {
  return { authorization_id: id, status, provider_id, scopes };
}

function validateVerifierRoute({ credentials }: RestDeps): Route {
  return route<ValidateVerifierRequest>({
    operation: 'auth.validate_custom_verifier',
    summary: 'Try out a verifier: a flow that leads to it and nowhere else',
    method: 'POST',
    path: '/auth/validate_custom_verifier',
    needs: 'administer',
    mutates: true,
    body: validateVerifierRequest,
    success: 200,
    async run({ actAs, body: { user_id, verifier_url } }) {
      const caller = actAs(user_id);
      const whom = caller.ok ? whomOf(caller.value) : caller;
      if (!whom.ok) return whom;
      const made = await credentials.authorizations.testVerifier(whom.value, verifier_url);
      if (!made.ok) return made;
      const answer: ValidateVerifierResponse = {
        flow_id: made.value.flowId,
        next_uri: made.value.nextUri,
      };
      return ok({ status: 200, body: answer });
    },
  });
}
