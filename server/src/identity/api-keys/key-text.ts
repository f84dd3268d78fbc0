import { hash, randomBytes } from 'node:crypto';

/** A key as its owner holds it: `sp_` and 256 random bits. */
export function newKeyText(): string {
  return `sp_${randomBytes(32).toString('base64url')}`;
}

export function hashKey(plaintext: string): string {
  return hash('sha256', plaintext, 'hex');
}

/** Enough to recognise one of our keys by. Of a key that a person chose nothing is kept. */
export function hintOf(plaintext: string): string {
  return /^sp_[\w-]{43}$/.test(plaintext) ? plaintext.slice(0, 7) : 'chosen by you';
}

/** An access token of an `Authorization` header; `null` where it can only be a key. Which of them speaks is told by its form. */
export function presentedToken(authorization: string | undefined): string | null {
  const text = presentedKey(authorization);
  return text.startsWith('eyJ') && text.includes('.') ? text : null;
}

/** The key of an `Authorization` header, or the bare key; empty where there is none. */
export function presentedKey(authorization: string | undefined): string {
  if (authorization === undefined) return '';
  const text = authorization.trim();
  if (text.length < 6 || text.slice(0, 6).toLowerCase() !== 'bearer') return text;
  if (text.length === 6) return '';
  const after = text.charCodeAt(6);
  return after === 0x20 || after === 0x09 ? text.slice(7).trim() : text;
}
