import type { Gateway, Refusal } from '#domain';
import type { HttpRequest } from '../http/message.ts';
import { takesSignIns } from '../oauth/targets.ts';
import { nameOf } from '../oauth/well-known.ts';

/** What whoever signs in at a gateway needs at least. */
const gatewayScopes = ['openid', 'mcp'];

/** Credentials that were there and do not hold; whoever presents none is only told where to get one. */
const notHolding = new Set([
  'identity.invalid',
  'identity.expired',
  'identity.token_invalid',
  'identity.token_expired',
]);

/**
 * The `WWW-Authenticate` of a 401: where to learn how to sign in. A gateway that takes no sign-ins, is closed or does not exist
 * has nothing to tell.
 */
export function challengeOf(
  { code }: Refusal,
  gateway: Gateway | null,
  request: HttpRequest,
  issuer: () => string,
): string {
  if (code.startsWith('identity.assertion_')) return 'Bearer error="invalid_token"';
  if (gateway === null || !takesSignIns(gateway)) return 'Bearer';
  const error = notHolding.has(code) ? 'error="invalid_token", ' : '';
  return `Bearer ${error}resource_metadata="${metadataOf(request, issuer)}", scope="${gatewayScopes.join(' ')}"`;
}

/** That of a 403: with which scopes to come back. */
export function stepUpOf({ details }: Refusal, request: HttpRequest, issuer: () => string): string {
  const needed = [...gatewayScopes, ...((details?.scopes ?? []) as readonly string[])].join(' ');
  return `Bearer error="insufficient_scope", scope="${needed}", resource_metadata="${metadataOf(request, issuer)}"`;
}

/** Of the gateway under the name and path by which the client came: it compares. */
function metadataOf(request: HttpRequest, issuer: () => string): string {
  const path = (request.url ?? '').replace(/\?.*$/, '');
  return `${nameOf(request, issuer())}/.well-known/oauth-protected-resource${path}`;
}
