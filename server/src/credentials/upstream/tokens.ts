import {
  exchangeAuthorization,
  type FetchLike,
  IssuerMismatchError,
  type OAuthTokens,
  refreshAuthorization,
  startAuthorization,
  validateAuthorizationResponseIssuer,
} from '@modelcontextprotocol/client';
import { type Clock, err, isMembers, ok, type Result } from '#foundation';
import type { AuthorizeUrl, CodeAnswer, Granted, Problem } from '../authority.ts';
import type { UpstreamClient, UpstreamServer } from './contract.ts';
import { metadataOf, scopesIn } from './discover.ts';
import { brokenBy, problemOf, problemOfCode } from './problems.ts';

/** Where a user is sent to, and what proves later that it was us. */
export async function authorizationUrlOf(
  server: UpstreamServer,
  client: UpstreamClient,
  scopes: readonly string[],
  state: string,
): Promise<Result<AuthorizeUrl, Problem>> {
  try {
    const { authorizationUrl, codeVerifier } = await startAuthorization(server.issuer, {
      metadata: metadataOf(server),
      clientInformation: informationOf(client),
      redirectUrl: client.redirectUri,
      state,
      ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
      ...resourceOf(server),
    });
    return ok({ url: authorizationUrl.href, codeVerifier });
  } catch {
    return err(brokenBy('its authorization server does not do authorization codes with S256'));
  }
}

/** RFC 9207: whether an answer came from the server that was asked. Before that, nothing of the answer is believed. */
export function isAnswerOf(server: UpstreamServer, iss: string | null): boolean {
  try {
    const expected = { expectedIssuer: server.issuer, issParameterSupported: server.saysIssuer };
    validateAuthorizationResponseIssuer({ iss: iss ?? undefined, ...expected });
    return true;
  } catch (thrown) {
    if (thrown instanceof IssuerMismatchError) return false;
    throw thrown;
  }
}

export interface TokenDeps {
  readonly fetchFn: FetchLike;
  readonly clock: Clock;
}

export async function tokensFor(
  { code, iss, codeVerifier }: CodeAnswer,
  server: UpstreamServer,
  client: UpstreamClient,
  { fetchFn, clock }: TokenDeps,
): Promise<Result<Granted, Problem>> {
  try {
    const given = await exchangeAuthorization(server.issuer, {
      metadata: metadataOf(server),
      clientInformation: informationOf(client),
      authorizationCode: code,
      ...(iss === null ? {} : { iss }),
      codeVerifier: codeVerifier ?? '',
      redirectUri: client.redirectUri,
      fetchFn,
      ...resourceOf(server),
    });
    return tokensOf(given, clock);
  } catch (thrown) {
    return err(problemOf(thrown, 'its authorization server gave no token'));
  }
}

export async function tokensAgain(
  refreshToken: string,
  server: UpstreamServer,
  client: UpstreamClient,
  { fetchFn, clock }: TokenDeps,
): Promise<Result<Granted, Problem>> {
  try {
    const given = await refreshAuthorization(server.issuer, {
      metadata: metadataOf(server),
      clientInformation: informationOf(client),
      refreshToken,
      fetchFn,
      ...resourceOf(server),
    });
    return tokensOf(given, clock);
  } catch (thrown) {
    return err(problemOf(thrown, 'its authorization server did not renew the token'));
  }
}

/** RFC 7009. */
export async function revokeToken(
  token: string,
  server: UpstreamServer,
  client: UpstreamClient,
  fetchFn: FetchLike,
): Promise<Result<'revoked' | 'unsupported', Problem>> {
  if (server.revocationEndpoint === null) return ok('unsupported');
  const body = new URLSearchParams({ token });
  const headers = authenticated(client, body);
  const doing = 'its authorization server did not take the token back';
  try {
    const answer = await fetchFn(server.revocationEndpoint, { method: 'POST', headers, body });
    return answer.ok ? ok('revoked') : err(brokenBy(`${doing} (HTTP ${answer.status})`));
  } catch (thrown) {
    return err(problemOf(thrown, doing));
  }
}

/** RFC 7523: for an identity assertion (ID-JAG) of an issuer that it trusts. */
export async function tokensByAssertion(
  { assertion, scopes }: { readonly assertion: string; readonly scopes: readonly string[] },
  server: UpstreamServer,
  client: UpstreamClient,
  { fetchFn, clock }: TokenDeps,
): Promise<Result<Granted, Problem>> {
  const body = new URLSearchParams({ grant_type: jwtBearer, assertion });
  if (scopes.length > 0) body.set('scope', scopes.join(' '));
  if (server.resource !== null) body.set('resource', server.resource);
  const headers = authenticated(client, body);
  const doing = 'its authorization server gave no token for the identity assertion';
  try {
    const answer = await fetchFn(server.tokenEndpoint, { method: 'POST', headers, body });
    const said: unknown = await answer.json().catch(() => null);
    const members = isMembers(said) ? said : {};
    if (!answer.ok && typeof members.error === 'string') return err(problemOfCode(members.error));
    if (answer.status >= 500) return err(problemOfCode('server_error'));
    const { access_token: token, token_type: type } = members;
    if (!answer.ok || typeof token !== 'string' || typeof type !== 'string') return err(brokenBy(doing));
    return tokensOf(members as unknown as OAuthTokens, clock);
  } catch (thrown) {
    return err(problemOf(thrown, doing));
  }
}

const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** Says who we are: in the headers, or in the body. */
function authenticated({ id, secret, authMethod }: UpstreamClient, body: URLSearchParams): Headers {
  const headers = new Headers();
  if (secret !== null && authMethod !== 'client_secret_post') {
    const pair = `${encodeURIComponent(id)}:${encodeURIComponent(secret)}`;
    headers.set('authorization', `Basic ${Buffer.from(pair).toString('base64')}`);
  } else {
    body.set('client_id', id);
    if (secret !== null) body.set('client_secret', secret);
  }
  return headers;
}

function resourceOf({ resource }: UpstreamServer): { resource?: URL } {
  // The type says URL, the functions take the text as it is: a URL would spell it in its own way.
  return resource === null ? {} : { resource: resource as unknown as URL };
}

function informationOf({ id, secret, authMethod }: UpstreamClient) {
  return {
    client_id: id,
    ...(secret === null ? {} : { client_secret: secret }),
    ...(authMethod === null ? {} : { token_endpoint_auth_method: authMethod }),
  };
}

/** A header has to carry it. */
const maxTokenLength = 16 * 1024;
const longestLifeS = 10 * 365 * 24 * 3600;

function tokensOf(given: OAuthTokens, clock: Clock): Result<Granted, Problem> {
  const { access_token, refresh_token, expires_in, scope, token_type } = given;
  const broken = (words: string) => err(brokenBy(words));
  if (token_type.toLowerCase() !== 'bearer') return broken('its authorization server gives no bearer tokens');
  if (access_token.length > maxTokenLength || (refresh_token ?? '').length > maxTokenLength) {
    return broken('its authorization server gave a token that is too long');
  }
  if (!/^[\x21-\x7e]+$/.test(access_token)) {
    return broken('its authorization server gave a token that a header cannot carry');
  }
  const lifeS = expires_in === undefined || !(expires_in >= 0) ? null : Math.min(expires_in, longestLifeS);
  return ok({
    accessToken: access_token,
    refreshToken: refresh_token ?? null,
    expiresAtMs: lifeS === null ? null : clock.now() + lifeS * 1000,
    scopes: scope === undefined ? null : scopesIn(scope),
    userInfo: null,
    subject: null,
    name: null,
  });
}
