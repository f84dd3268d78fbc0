import type { KeyObject } from 'node:crypto';
import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';

export type WorkerClaims = Readonly<Record<string, unknown>>;

/** The claims of a good token, or why it is refused, in the words Python workers use. */
export type WorkerTokenCheck = (
  token: string,
) => { ok: true; claims: WorkerClaims } | { ok: false; problem: string };

/** Checks the HS256 tokens a gateway signs with the worker secret. */
export function createWorkerTokenCheck(secret: string, nowMs: () => number): WorkerTokenCheck {
  const key = createSecretKey(Buffer.from(secret, 'utf8'));
  const refuse = (problem: string) => ({ ok: false, problem }) as const;
  return (token) => {
    const segments = token.split('.');
    const [header, payload, signature] = segments;
    if (segments.length < 3 || header === undefined || payload === undefined || signature === undefined) {
      return refuse('Not enough segments');
    }
    if (segments.length > 3) return refuse('Too many segments');
    const head = decode(header);
    if (head === null) return refuse('Invalid header string');
    if (head.alg !== 'HS256') return refuse('The specified alg value is not allowed');
    if (!signedBy(key, `${header}.${payload}`, signature)) return refuse('Signature verification failed');
    const claims = decode(payload);
    if (claims === null) return refuse('Invalid payload string');
    const problem = refusedClaim(claims, nowMs() / 1000);
    return problem === null ? { ok: true, claims } : refuse(problem);
  };
}

function signedBy(key: KeyObject, signed: string, signature: string): boolean {
  const expected = createHmac('sha256', key).update(signed).digest();
  const given = Buffer.from(signature, 'base64url');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function decode(segment: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(segment, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

function refusedClaim(claims: Record<string, unknown>, now: number): string | null {
  const { exp, nbf, iat, aud, ver } = claims;
  if (iat !== undefined && typeof iat !== 'number') return 'Issued At claim (iat) must be an integer.';
  if (nbf !== undefined && typeof nbf !== 'number') return 'Not Before claim (nbf) must be an integer.';
  if (exp !== undefined && typeof exp !== 'number') return 'Expiration Time claim (exp) must be an integer.';
  if (iat !== undefined && iat > now) return 'The token is not yet valid (iat)';
  if (nbf !== undefined && nbf > now) return 'The token is not yet valid (nbf)';
  if (exp !== undefined && exp <= now) return 'Signature has expired';
  if (aud === undefined) return 'Token is missing the "aud" claim';
  if (aud !== 'worker' && !(Array.isArray(aud) && aud.includes('worker'))) return "Audience doesn't match";
  if (ver !== '1') return `Unsupported token version: ${ver === undefined ? 'None' : String(ver)}`;
  return null;
}
