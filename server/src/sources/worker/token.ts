import { createHmac, createSecretKey } from 'node:crypto';
import type { Clock } from '#foundation';

const lifeSeconds = 60;
const renewBeforeMs = 20_000;
const header = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url');

/** The token that a worker with this secret accepts; the same one until 20 s before it expires. */
export function createTokens(secret: string, clock: Clock): () => string {
  // A KeyObject, not the bytes: with bytes, Node makes a key anew for every signature, which costs ten times as much.
  const key = createSecretKey(Buffer.from(secret, 'utf8'));
  let token = '';
  let renewAtMs = Number.NEGATIVE_INFINITY;
  let madeAtMs = 0;
  return () => {
    const now = clock.now();
    // A wall clock that was set back must not keep a token from the future alive.
    if (now < renewAtMs && now >= madeAtMs) return token;
    const iat = Math.floor(now / 1000);
    const claims = JSON.stringify({ aud: 'worker', ver: '1', iat, exp: iat + lifeSeconds });
    const signed = `${header}.${Buffer.from(claims).toString('base64url')}`;
    token = `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
    madeAtMs = now;
    renewAtMs = now + lifeSeconds * 1000 - renewBeforeMs;
    return token;
  };
}
