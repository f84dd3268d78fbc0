import { createHmac } from 'node:crypto';

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
