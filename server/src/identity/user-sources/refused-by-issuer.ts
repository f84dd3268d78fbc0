import { AuthorizationResponseError, ResponseBodyError, WWWAuthenticateChallengeError } from 'openid-client';
import { isMembers } from '#foundation';

/** A "no" of the issuer, in its own words. */
export interface IssuerRefusal {
  readonly by: 'the issuer' | 'the token endpoint';
  readonly error: string;
  readonly description: string;
}

/** `null`: the error is something else. */
export async function refusedByIssuer(error: unknown): Promise<IssuerRefusal | null> {
  if (error instanceof AuthorizationResponseError)
    return { by: 'the issuer', error: error.error, description: error.error_description ?? '' };
  const by = 'the token endpoint';
  if (error instanceof ResponseBodyError)
    return { by, error: error.error, description: error.error_description ?? '' };
  if (!(error instanceof WWWAuthenticateChallengeError)) return null;
  // Who does not take our credentials says so in a header, too, and the library stops there.
  const body = await error.response.json().catch(() => null);
  const words = isMembers(body) ? body : {};
  const { error: code, error_description: description } = words;
  return {
    by,
    error: typeof code === 'string' ? code : 'invalid_client',
    description: typeof description === 'string' ? description : '',
  };
}
