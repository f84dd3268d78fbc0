import { createLocalJWKSet, errors, type JWTPayload, type JWTVerifyResult, jwtVerify } from 'jose';
import { type Refusal, refusal } from '#domain';
import { type Clock, err, ok, type Result } from '#foundation';
import type { Changes } from '#storage';
import type { SigningKey, SigningKeys } from '../authorization/contract.ts';

const field = 'Authorization';

/** What a token says whose signature, issuer and time hold. For whom it is good is not decided yet. */
export interface VerifiedToken {
  readonly audience: string;
  readonly subject: string;
  readonly signInId: string | null;
  readonly principalId: string;
  readonly grantId: string | null;
  readonly gatewayId: string | null;
  readonly clientId: string;
  readonly scopes: ReadonlySet<string>;
  readonly keyId: string;
  readonly expiresAtMs: number;
}

export function tokenInvalid(reason: string): Refusal {
  return refusal('identity.token_invalid', 'this access token does not hold here: sign in again', {
    field,
    reason: `the access token is refused: ${reason}`,
  });
}

export const otherPlace = err(tokenInvalid('it is for another place'));

export const tokenExpired = refusal(
  'identity.token_expired',
  'this access token has expired: renew it, or sign in again',
  { field },
);

interface VerifierDeps {
  readonly changes: Pick<Changes, 'look'>;
  readonly signingKeys: SigningKeys;
  readonly clock: Clock;
  readonly issuer: () => string;
}

export function createVerifier({ changes, signingKeys, clock, issuer }: VerifierDeps) {
  let published: { kids: string; find: ReturnType<typeof createLocalJWKSet> } | null = null;

  /** Made anew only when the keys are others: what was imported of them is kept in it. */
  function keySet() {
    const keys = signingKeys.current();
    const kids = keys.map(({ kid }) => kid).join(' ');
    if (published?.kids !== kids)
      published = { kids, find: createLocalJWKSet({ keys: keys.map(publicJwk) }) };
    return published.find;
  }

  function check(token: string): Promise<JWTVerifyResult> {
    return jwtVerify(token, keySet(), {
      issuer: issuer(),
      typ: 'at+jwt',
      algorithms: ['RS256'],
      requiredClaims: ['exp', 'iat', 'jti', 'sub'],
      currentDate: new Date(clock.now()),
    });
  }

  /** Another replica may have begun to sign with a key that is not known here yet. */
  async function checkAgain(token: string): Promise<JWTVerifyResult> {
    await changes.look();
    return check(token);
  }

  return async (token: string): Promise<Result<VerifiedToken, Refusal>> => {
    try {
      const verified = await check(token).catch((error) => {
        if (error instanceof errors.JWKSNoMatchingKey) return checkAgain(token);
        throw error;
      });
      return readClaims(verified);
    } catch (error) {
      if (error instanceof errors.JWTExpired) return err(tokenExpired);
      // The library's messages name claims and headers, never their values.
      return err(tokenInvalid(error instanceof errors.JOSEError ? error.message : 'it cannot be checked'));
    }
  };
}

function publicJwk({ kid, jwk: { kty, n, e } }: SigningKey) {
  return { kty: kty as string, n: n as string, e: e as string, kid, alg: 'RS256', use: 'sig' };
}

function readClaims({ payload, protectedHeader }: JWTVerifyResult): Result<VerifiedToken, Refusal> {
  const { aud, sub, exp } = payload as { aud: unknown; sub: string; exp: number };
  const texts = { principal: payload.principal, client_id: payload.client_id, kid: protectedHeader.kid, aud };
  for (const [name, value] of Object.entries(texts)) {
    if (typeof value !== 'string' || value === '') return err(tokenInvalid(`it has no ${name}`));
  }
  for (const name of ['sid', 'grant', 'gateway', 'scope']) {
    const value = payload[name];
    if (value !== undefined && typeof value !== 'string') return err(tokenInvalid(`its ${name} is no text`));
  }
  return ok({
    audience: texts.aud as string,
    subject: sub,
    signInId: textOrNull(payload, 'sid'),
    principalId: texts.principal as string,
    grantId: textOrNull(payload, 'grant'),
    gatewayId: textOrNull(payload, 'gateway'),
    clientId: texts.client_id as string,
    scopes: new Set((textOrNull(payload, 'scope') ?? '').split(' ').filter((scope) => scope !== '')),
    keyId: texts.kid as string,
    expiresAtMs: exp * 1000,
  });
}

function textOrNull(payload: JWTPayload, name: string): string | null {
  return (payload[name] as string | undefined) ?? null;
}
