import type { AuthorizationResponse } from '@sallyport/contracts';
import type { Authorizations } from '#credentials';
import type { Caller, Refusal } from '#domain';
import type { Result } from '#foundation';
import type { RestDeps } from '../route.ts';
import { authorizationResponse } from './response.ts';
import { whomOf } from './whom.ts';

type Asked = Parameters<Authorizations['authorize']>[1];

/** How it is, and the address to open where the user has to be asked. */
export async function authorize(
  deps: RestDeps,
  caller: Caller,
  asked: Asked,
): Promise<Result<AuthorizationResponse, Refusal>> {
  const whom = whomOf(caller);
  if (!whom.ok) return whom;
  const { authorizations } = deps.credentials;
  const begun = await authorizations.authorize(whom.value, asked);
  if (!begun.ok) return begun;
  const answer = await authorizationResponse(deps, caller.principal, begun.value);
  if (answer.ok || answer.error.code !== 'credentials.consent_required') return answer;
  // It was renewed for this answer, and turned out to be taken back over there.
  const anew = await authorizations.authorize(whom.value, asked);
  return anew.ok ? authorizationResponse(deps, caller.principal, anew.value) : anew;
}
