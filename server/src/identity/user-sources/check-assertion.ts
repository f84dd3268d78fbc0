import { decodeProtectedHeader, type JWTPayload, type ProtectedHeaderParameters } from 'jose';
import { type Clock, err, ok } from '#foundation';
import type { UserSource, UserSources } from './contract.ts';
import { type Issuer, skewSeconds } from './issuer.ts';
import { userOf } from './said-of-user.ts';
import { verified } from './signed-token.ts';

const maxLength = 64 * 1024;
/** It is made to be exchanged at once. */
const maxAgeSeconds = 60 * 60;
/** Headers that bring, or point to, the key to check with: the issuer's own are the only ones. */
const foreignKeys = ['jku', 'jwk', 'x5u', 'x5c', 'crit'];

/** Whom an identity assertion (ID-JAG) names. */
export function createAssertionCheck(
  issuerOf: (source: UserSource) => Issuer,
  clock: Clock,
): UserSources['checkAssertion'] {
  return async (source, assertion, { audience, clientId }) => {
    if (source.status !== 'active') return err('the user source is inactive');
    if (!source.assertionClients.includes(clientId))
      return err('the client is not among assertion_client_ids of the user source');
    if (assertion.length > maxLength) return err(`it is longer than ${maxLength} characters`);
    const foreign = foreignHeader(assertion);
    if (foreign !== null) return err(foreign);
    const found = await issuerOf(source).discover();
    if (!found.ok) return err(found.error.reason);
    const token = await verified(assertion, found.value.keys, {
      typ: 'oauth-id-jag+jwt',
      issuer: source.issuer,
      audience,
      requiredClaims: ['sub', 'exp', 'iat', 'jti', 'client_id'],
      maxTokenAge: maxAgeSeconds,
      clockTolerance: skewSeconds,
      currentDate: new Date(clock.now()),
    });
    if (!token.ok) return err(token.error.reason);
    const exchange = exchangeOf(token.value, clientId);
    if (!exchange.ok) return exchange;
    const user = userOf(source, token.value);
    if (!user.ok) return err(user.error.reason);
    return ok({ ...user.value, ...exchange.value });
  };
}

/** What it is to be exchanged for, and by whom. */
function exchangeOf(
  { aud, jti, exp, client_id: ofClient, resource = '', scope = '' }: JWTPayload,
  clientId: string,
) {
  if (Array.isArray(aud) && aud.length !== 1) return err('its "aud" names others, too');
  if (ofClient !== clientId) return err('its "client_id" is another client');
  if (typeof jti !== 'string' || jti === '' || jti.length > 512) return err('its "jti" is no name');
  if (typeof resource !== 'string' || typeof scope !== 'string')
    return err('its "resource" or "scope" is no text');
  return ok({ resource, scope, jti, expiresAtMs: ((exp as number) + skewSeconds) * 1000 });
}

function foreignHeader(assertion: string): string | null {
  let header: ProtectedHeaderParameters;
  try {
    header = decodeProtectedHeader(assertion);
  } catch {
    return 'it is no signed token';
  }
  const name = foreignKeys.find((one) => Object.hasOwn(header, one));
  return name === undefined ? null : `its header has "${name}", which is not taken`;
}
