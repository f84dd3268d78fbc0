import { createPublicKey } from 'node:crypto';
import { type Refusal, refusal, type UserAssertion } from '#domain';

/** What is wrong with a gateway's `user_assertion` that its schema cannot see. */
export function checkUserAssertion(by: UserAssertion | null | undefined): Refusal | null {
  if (by == null) return null;
  const { keys } = by;
  const field = `user_assertion.${keys.from}`;
  try {
    if (keys.from === 'public_key_pem') createPublicKey(keys.pem);
    if (keys.from === 'jwks') {
      for (const key of keys.jwks.keys) createPublicKey({ key: { ...key }, format: 'jwk' });
    }
    return null;
  } catch {
    return refusal('request.params_invalid', `${field}: must hold public keys that can be read`, { field });
  }
}
