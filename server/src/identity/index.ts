/**
 * Identity: who is calling, and as whom. It owns the API keys: makes them, keeps only their hashes, holds them all in
 * memory so that checking one takes no database round trip, and refuses a revoked or expired key on its next call. Where a
 * gateway wants more than a key's word for the user, it checks the token that names them (`assertions/`).
 *
 * It is the only room that makes a `Caller`. It never decides what a caller may see or call: that is policy.
 */

export { checkUserAssertion } from './assertions/check-user-assertion.ts';
export type { ApiKey, Identity, NamedUser, NewApiKey } from './contract.ts';
export { createIdentity } from './identity.ts';
