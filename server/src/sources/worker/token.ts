import { createHmac, createSecretKey, hash, randomUUID } from 'node:crypto';
import type { Clock } from '#foundation';

/** The clock of a worker may be this far behind ours. */
const backdatedSeconds = 10;
/** Longer than a request waits for a connection, and with the above within the 60 s that a strict worker grants. */
const validSeconds = 45;
const header = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url');

/** The token for one request and no other. `path` is that of the worker protocol, with the query. */
export type SignRequest = (method: string, path: string, body: string | Buffer) => string;

/**
 * Signs requests to the worker with this secret. Stock workers look at `aud`, `ver` and the times; strict ones refuse a
 * `jti` that they have seen, and a request that has not the digest. Where the worker lives is not part of the digest, as a
 * proxy before it may take a prefix of the path away.
 */
export function createRequestSigner(secret: string, clock: Clock): SignRequest {
  // A KeyObject, not the bytes: with bytes, Node makes a key anew for every signature, which costs ten times as much.
  const key = createSecretKey(Buffer.from(secret, 'utf8'));
  return (method, path, body) => {
    const now = Math.floor(clock.now() / 1000);
    const times = `"iat":${now - backdatedSeconds},"exp":${now + validSeconds}`;
    const claims = `{"aud":"worker","ver":"1","iss":"sallyport",${times},"jti":"${randomUUID()}","digest":"${digestOf(method, path, body)}"}`;
    const signed = `${header}.${Buffer.from(claims, 'latin1').toString('base64url')}`;
    return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
  };
}

/** Of `METHOD path?query`, a line feed, and the body byte by byte. */
function digestOf(method: string, path: string, body: string | Buffer): string {
  const line = `${method} ${path}\n`;
  const whole = typeof body === 'string' ? line + body : Buffer.concat([Buffer.from(line), body]);
  return `sha-256=${hash('sha256', whole, 'base64url')}`;
}
