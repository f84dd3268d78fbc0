import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

const none = hash('sha256', randomBytes(32), 'buffer');

/** A secret as its program holds it: `sps_` and 256 random bits. */
export function newSecret(): string {
  return `sps_${randomBytes(32).toString('base64url')}`;
}

export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'hex');
}

/** Takes the same time whether there is one to compare with or not, and wherever they differ. */
export function isHashOf(kept: string | null, secret: string): boolean {
  const given = hash('sha256', secret, 'buffer');
  const same = timingSafeEqual(kept === null ? none : Buffer.from(kept, 'hex'), given);
  return same && kept !== null;
}
