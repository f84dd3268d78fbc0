import { createPublicKey, type KeyObject } from 'node:crypto';
import { type Refusal, refusal } from '#domain';
import type { ServiceAccount } from './contract.ts';

type Jwks = NonNullable<ServiceAccount['jwks']>;

/** All that a key has to say; whatever else was sent along (certificates, URLs) is not kept. */
const kept = ['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'use', 'alg'];
const algorithmsOf: Readonly<Record<string, readonly string[]>> = {
  rsa: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  prime256v1: ['ES256'],
  secp384r1: ['ES384'],
  secp521r1: ['ES512'],
  ed25519: ['EdDSA', 'Ed25519'],
};
const minRsaBits = 2048;

/** What is wrong with keys for `private_key_jwt` that their schema cannot see. */
export function checkPublicKeys(jwks: Jwks | null | undefined): Refusal | null {
  const seen = new Set<unknown>();
  for (const [index, key] of (jwks?.keys ?? []).entries()) {
    const problem = seen.has(key.kid) ? 'kid: several keys need each a kid of its own' : problemOf(key);
    const field = `jwks.keys.${index}`;
    if (problem !== null) return refusal('request.params_invalid', `${field}: ${problem}`, { field });
    seen.add(key.kid);
  }
  return null;
}

export function withoutExtras(jwks: Jwks | null): Jwks | null {
  if (jwks === null) return null;
  return {
    keys: jwks.keys.map((key) =>
      Object.fromEntries(Object.entries(key).filter(([name]) => kept.includes(name))),
    ),
  };
}

function problemOf(key: Jwks['keys'][number]): string | null {
  if (key.use !== undefined && key.use !== 'sig') return 'use: must be sig';
  if (key.kid !== undefined && (typeof key.kid !== 'string' || key.kid === '')) return 'kid: must be text';
  let read: KeyObject;
  try {
    read = createPublicKey({ key: { ...key }, format: 'jwk' });
  } catch {
    return 'must be a public key that can be read';
  }
  const { namedCurve, modulusLength } = read.asymmetricKeyDetails ?? {};
  if (modulusLength !== undefined && modulusLength < minRsaBits)
    return `n: must have at least ${minRsaBits} bits`;
  const algorithms = algorithmsOf[namedCurve ?? read.asymmetricKeyType ?? ''];
  if (algorithms === undefined) return 'must be an RSA, P-256, P-384, P-521 or Ed25519 key';
  if (key.alg === undefined || algorithms.includes(String(key.alg))) return null;
  return `alg: this kind of key takes ${algorithms.join(', ')}`;
}
