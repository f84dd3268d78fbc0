import { randomBytes } from 'node:crypto';
import type { Gateway } from '#domain';
import type { ServiceAccount } from '#identity';

export const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** Stands where the library wants a secret; nobody has it, and it is never what is compared with. */
const standIn = randomBytes(32).toString('base64url');

/**
 * A service account as an OAuth client, with the one method to authenticate that this request is made with; `undefined`: it
 * cannot sign in at all, and is told as one that does not exist.
 */
export function serviceAccountClient(account: ServiceAccount | null, presents: 'assertion' | 'secret') {
  if (account === null || !account.active) return undefined;
  const { id, name, jwks, hasSecret } = account;
  const byKey = jwks !== null && (presents === 'assertion' || !hasSecret);
  if (!byKey && !hasSecret) return undefined;
  return {
    client_id: id,
    client_name: name,
    redirect_uris: [],
    response_types: [],
    grant_types: ['client_credentials', jwtBearer],
    ...(byKey
      ? { token_endpoint_auth_method: 'private_key_jwt', jwks }
      : { token_endpoint_auth_method: 'client_secret_basic', client_secret: standIn }),
  };
}

/** Gateways of its own project that take sign-ins; for any other it is as if there were none. */
export function maySignInAt(account: ServiceAccount, gateway: Gateway): boolean {
  return (
    gateway.projectId === account.projectId &&
    gateway.status === 'active' &&
    gateway.authTypes.some((type) => type !== 'arcade_header')
  );
}
