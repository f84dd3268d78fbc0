import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';

/**
 * Puts what we must remember into the hands of those who bring it back: nobody can read it, change it, or use it in
 * another place than the one it was made for.
 */
export interface Sealer {
  /**
   * `payload` as URL-safe text. It opens only for the same `purpose` and the same `boundTo`: whom and what it is for. It
   * says itself when it is over, where it should be.
   */
  seal(purpose: string, payload: unknown, boundTo: string): string;
  /** The payload; `null` for anything that was not sealed so. */
  open(purpose: string, sealed: string, boundTo: string): unknown;
}

const nonceBytes = 12;
const tagBytes = 16;

/** AES-256-GCM, with a key of its own for each purpose. `key` holds 32 random bytes. */
export function createSealer(key: Buffer): Sealer {
  const keys = new Map<string, KeyObject>();

  function keyFor(purpose: string): KeyObject {
    let own = keys.get(purpose);
    if (own === undefined) {
      own = createSecretKey(Buffer.from(hkdfSync('sha256', key, '', `sallyport ${purpose}`, 32)));
      keys.set(purpose, own);
    }
    return own;
  }

  return {
    seal(purpose, payload, boundTo) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', keyFor(purpose), nonce);
      cipher.setAAD(Buffer.from(boundTo));
      const text = cipher.update(JSON.stringify(payload), 'utf8');
      return Buffer.concat([nonce, text, cipher.final(), cipher.getAuthTag()]).toString('base64url');
    },
    open(purpose, sealed, boundTo) {
      const bytes = Buffer.from(sealed, 'base64url');
      // One text for one payload: what decodes the same but is written otherwise is not ours.
      if (bytes.length < nonceBytes + tagBytes || bytes.toString('base64url') !== sealed) return null;
      const decipher = createDecipheriv('aes-256-gcm', keyFor(purpose), bytes.subarray(0, nonceBytes));
      decipher.setAAD(Buffer.from(boundTo));
      decipher.setAuthTag(bytes.subarray(-tagBytes));
      try {
        const text = decipher.update(bytes.subarray(nonceBytes, -tagBytes), undefined, 'utf8');
        return JSON.parse(text + decipher.final('utf8'));
      } catch {
        return null;
      }
    },
  };
}
