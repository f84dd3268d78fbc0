import { assertionAlgorithms } from '@sallyport/contracts';
import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import { err, ok, type Result } from '#foundation';
import type { KeySet } from '../assertions/key-set.ts';

/** Signatures that only the issuer can make. */
const publicAlgorithms: string[] = [...assertionAlgorithms];

/** Where the fault lies when a token does not hold: with it, or with keys that are not to be had. */
export interface TokenFault {
  readonly at: 'token' | 'keys';
  readonly reason: string;
}

/** What a token says, once one of the issuer's keys has signed it. A key that is not known is looked for again. */
export async function verified(
  token: string,
  keys: KeySet,
  demands: JWTVerifyOptions,
  renewAtMostEveryMs?: number,
): Promise<Result<JWTPayload, TokenFault>> {
  const current = await keys.current();
  if (!current.ok) return err({ at: 'keys', reason: current.error });
  const options = { ...demands, algorithms: publicAlgorithms };
  try {
    return ok((await jwtVerify(token, current.value, options)).payload);
  } catch (error) {
    // An issuer may renew a key and leave it its name.
    const mayBeNewKey =
      error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWSSignatureVerificationFailed;
    const renewed = mayBeNewKey ? await keys.renewed(renewAtMostEveryMs) : null;
    if (renewed === null) return err(faultOf(error));
    try {
      return ok((await jwtVerify(token, renewed, options)).payload);
    } catch (again) {
      return err(faultOf(again));
    }
  }
}

/** The library's messages name claims and headers, never their values. */
function faultOf(error: unknown): TokenFault {
  if (error instanceof errors.JWKSNoMatchingKey)
    return { at: 'token', reason: 'it is signed with a key that is not among the keys of the issuer' };
  return {
    at: 'token',
    reason: error instanceof errors.JOSEError ? error.message : 'the keys of the issuer cannot check it',
  };
}
