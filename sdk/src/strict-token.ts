import { createHash, timingSafeEqual } from 'node:crypto';
import type { WorkerClaims } from './worker-token.ts';

/** A request as it was received. */
export interface ReceivedRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly body: Buffer;
}

/** What strict mode asks of a token beyond its signature. Each says why it is refused; null where it is good. */
export interface StrictTokenCheck {
  /** Before the body is read: does it say who signed it, for how long, and for which request? */
  ofClaims(claims: WorkerClaims): string | null;
  /** Is it the token of this very request, and used for the first time? From now on it is used. */
  ofRequest(claims: WorkerClaims, request: ReceivedRequest): string | null;
}

const longestLifeSeconds = 60;
const longestTokenId = 128;
/** With tokens that live for a minute: some 3,000 requests a second, all the time. */
const defaultCapacity = 200_000;

/**
 * Each used token is remembered until it has expired. Where `capacity` of them are, new ones are refused: to forget one would
 * let it in again. Only who knows the worker secret can bring that about.
 */
export function createStrictTokenCheck(
  nowMs: () => number,
  capacity: number = defaultCapacity,
): StrictTokenCheck {
  /** When each expires, by its id; in the order of their use. */
  const used = new Map<string, number>();

  /** One that lives longer than those after it holds them for a minute at most. */
  function forgetExpired(): void {
    const now = nowMs() / 1000;
    for (const [id, expiresAt] of used) {
      if (expiresAt > now) return;
      used.delete(id);
    }
  }

  return {
    ofClaims(claims) {
      for (const name of ['iat', 'exp', 'iss', 'jti', 'digest'] as const) {
        if (claims[name] === undefined) return `Token is missing the "${name}" claim`;
      }
      const { iat, exp, iss, jti } = claims;
      if (!(Number(exp) - Number(iat) <= longestLifeSeconds)) {
        return `The token lives longer than ${longestLifeSeconds} s`;
      }
      if (typeof iss !== 'string' || iss === '') return 'Issuer claim (iss) must be a string.';
      if (typeof jti !== 'string' || jti === '' || jti.length > longestTokenId) {
        return `JWT ID claim (jti) must be a string of 1 to ${longestTokenId} characters.`;
      }
      return null;
    },
    ofRequest(claims, request) {
      if (!isDigestOf(claims.digest, request)) return 'The digest is not that of this request';
      forgetExpired();
      const id = String(claims.jti);
      if (used.has(id)) return 'The token was used before';
      if (used.size >= capacity) return 'Too many tokens were used within a minute; try again later';
      used.set(id, Number(claims.exp));
      return null;
    },
  };
}

function isDigestOf(digest: unknown, { method, target, body }: ReceivedRequest): boolean {
  const expected = createHash('sha256').update(`${method} ${target}\n`).update(body).digest('base64url');
  const given = Buffer.from(String(digest));
  const right = Buffer.from(`sha-256=${expected}`);
  return given.length === right.length && timingSafeEqual(given, right);
}
