import { createHash, createHmac, randomUUID } from 'node:crypto';

/** A token as a gateway signs it, or with the parts given replaced. */
export function signWorkerToken(
  secret: string,
  claims: Record<string, unknown> = { aud: 'worker', ver: '1' },
  alg = 'HS256',
): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg, typ: 'JWT' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

/** The claims of a token that is good for this request alone, as a strict worker wants them. */
export function requestClaims(
  nowSeconds: number,
  { method, target, body = '' }: { method: string; target: string; body?: string | Buffer },
): Record<string, unknown> {
  const digest = createHash('sha256').update(`${method} ${target}\n`).update(body).digest('base64url');
  return {
    aud: 'worker',
    ver: '1',
    iss: 'gateway',
    iat: nowSeconds,
    exp: nowSeconds + 30,
    jti: randomUUID(),
    digest: `sha-256=${digest}`,
  };
}
