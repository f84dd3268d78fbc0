import { createHash, randomBytes } from 'node:crypto';
import type { OAuth2Settings } from '@sallyport/contracts';
import { err, ok, type Result } from '#foundation';
import type { AuthorizeAsked, AuthorizeUrl, Problem } from '../authority.ts';
import type { Known } from './grant.ts';
import { broken } from './problems.ts';
import { paramsOf, queryWith } from './request.ts';
import { says } from './template.ts';

/** Where a browser is sent to. */
export function authorizeUrlOf(
  { told, settings }: Known,
  { scopes, existingScopes, state, redirectUri }: AuthorizeAsked,
): Result<AuthorizeUrl, Problem> {
  const request = settings.authorize_request;
  const url = new URL(request.endpoint);
  if (url.protocol !== 'https:' && !isLoopback(url)) {
    return err(broken(told, `browsers are not sent to ${told.provider.label}, whose address is not https`));
  }
  const codeVerifier = settings.pkce?.enabled === false ? null : randomBytes(32).toString('base64url');
  const values = {
    client_id: settings.client_id,
    redirect_uri: redirectUri,
    scopes,
    existing_scopes: existingScopes,
    delimiter: settings.scope_delimiter ?? ' ',
  } as const;
  const params = paramsOf({
    settings: request,
    values,
    also: {
      response_type: 'code',
      client_id: says(request, 'client_id') ? null : settings.client_id,
      redirect_uri: says(request, 'redirect_uri') ? null : redirectUri,
    },
  });
  const challenge =
    codeVerifier === null
      ? {}
      : {
          code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
          code_challenge_method: 'S256',
        };
  url.search = queryWith(url.search, { ...params, state, ...challenge });
  return ok({ url: url.href, codeVerifier });
}

/**
 * RFC 9207. Who says nothing is believed, for each provider answers at an address of its own; who says something must be who was
 * asked: at the origin where users were sent to, or where the token is from.
 */
export function isIssuerOf(
  { authorize_request, token_request }: OAuth2Settings,
  iss: string | null,
): boolean {
  if (iss === null) return true;
  const origin = URL.parse(iss)?.origin;
  return [authorize_request, token_request].some(({ endpoint }) => new URL(endpoint).origin === origin);
}

function isLoopback({ hostname, protocol }: URL): boolean {
  return protocol === 'http:' && /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}
