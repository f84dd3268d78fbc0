import { Fault } from '#foundation';
import type { KeyService } from '../contract.ts';
import { decrypt, encrypt } from '../envelope.ts';

/** A root key of 32 bytes that this process holds itself. `from` says in words where it comes from. */
export function createLocalKey(id: string, key: Buffer, from: string): KeyService {
  return {
    id,
    async wrap(bytes, context) {
      return encrypt(key, bytes, context).toString('base64url');
    },
    async unwrap(wrapped, context) {
      const bytes = decrypt(key, Buffer.from(wrapped, 'base64url'), context);
      if (bytes !== null) return bytes;
      throw new Fault(
        `root key "${id}" (${from}) is not the one that sealed the secrets in this database. Put back the one that did; ` +
          'to change it, declare both in security.root_keys, the new one with "default: true". Nothing was changed.',
      );
    },
  };
}
