import {
  type AuthorizationServerMetadata,
  assertSecureTokenEndpoint,
  discoverOAuthServerInfo,
  extractWWWAuthenticateParams,
  type FetchLike,
  InsecureTokenEndpointError,
  IssuerMismatchError,
  selectResourceURL,
} from '@modelcontextprotocol/client';
import type { Challenge } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { Problem, Wanted } from '../authority.ts';
import type { UpstreamServer } from './contract.ts';
import { brokenBy, problemOf } from './problems.ts';

/** What a challenge says; a metadata address that is none is passed over. */
export function wantedBy({ status, header }: Challenge): Wanted {
  const headers = header === null ? [] : [['www-authenticate', header] as [string, string]];
  const { resourceMetadataUrl, scope, error } = extractWWWAuthenticateParams(new Response(null, { headers }));
  return {
    metadataUrl: resourceMetadataUrl?.href ?? null,
    scopes: scopesIn(scope),
    isInsufficient: status === 403 && error === 'insufficient_scope',
  };
}

export function scopesIn(text: string | undefined): readonly string[] {
  const scopes = new Set(
    (text ?? '').split(/\s+/).filter((scope) => /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/.test(scope)),
  );
  return [...scopes].slice(0, maxScopes);
}

const maxScopes = 200;

export interface Found {
  readonly server: UpstreamServer;
  /** Those that the resource says suffice for ordinary work; `null`: it says nothing. */
  readonly scopesSupported: readonly string[] | null;
}

/**
 * The authorization server of an MCP server (RFC 9728, then RFC 8414 or OpenID Connect discovery). `null`: it has none that can
 * be found, so that whatever it wants is not this.
 */
export async function discover(
  uri: string,
  { metadataUrl }: Wanted,
  fetchFn: FetchLike,
): Promise<Result<Found | null, Problem>> {
  try {
    const { authorizationServerMetadata: metadata, resourceMetadata } = await discoverOAuthServerInfo(uri, {
      fetchFn,
      ...(metadataUrl === null ? {} : { resourceMetadataUrl: new URL(metadataUrl) }),
    });
    if (metadata === undefined) return ok(null);
    const named = await resourceOf(uri, resourceMetadata);
    if (!named.ok) return named;
    const { authorization_endpoint, token_endpoint, registration_endpoint } = metadata;
    const revocation_endpoint = revocationEndpointOf(metadata);
    const endpoints = [authorization_endpoint, token_endpoint, registration_endpoint, revocation_endpoint];
    for (const endpoint of endpoints) {
      if (endpoint !== undefined) assertSecureTokenEndpoint(endpoint);
    }
    const scopesSupported = resourceMetadata?.scopes_supported ?? null;
    return ok({ server: serverOf(metadata, named.value), scopesSupported });
  } catch (thrown) {
    if (thrown instanceof IssuerMismatchError) return err(brokenBy(otherIssuer));
    if (thrown instanceof InsecureTokenEndpointError) return err(brokenBy(insecure));
    return err(problemOf(thrown, 'its authorization server could not be found'));
  }
}

const otherIssuer = 'the document of its authorization server names another issuer than it was fetched from';
const insecure = 'its authorization server wants to be spoken to over http, without encryption';

/** The resource in the spelling of its own document, where that is about this server. */
async function resourceOf(
  uri: string,
  metadata: Parameters<typeof selectResourceURL>[2],
): Promise<Result<string | null, Problem>> {
  try {
    const selected = await selectResourceURL(uri, {} as Parameters<typeof selectResourceURL>[1], metadata);
    return ok(selected === undefined ? null : (metadata?.resource ?? null));
  } catch {
    return err(brokenBy('its metadata describe another resource than the server that was called'));
  }
}

function serverOf(metadata: AuthorizationServerMetadata, resource: string | null): UpstreamServer {
  return {
    issuer: metadata.issuer,
    authorizationEndpoint: metadata.authorization_endpoint,
    tokenEndpoint: metadata.token_endpoint,
    registrationEndpoint: metadata.registration_endpoint ?? null,
    revocationEndpoint: revocationEndpointOf(metadata) ?? null,
    responseTypes: metadata.response_types_supported,
    tokenAuthMethods: metadata.token_endpoint_auth_methods_supported ?? null,
    challengeMethods: metadata.code_challenge_methods_supported ?? null,
    saysIssuer: metadata.authorization_response_iss_parameter_supported === true,
    takesMetadataUrl: metadata.client_id_metadata_document_supported === true,
    scopes: (metadata.scopes_supported ?? []).slice(0, maxScopes),
    takesAssertions: grantProfilesOf(metadata).includes(assertionProfile),
    resource,
  };
}

const assertionProfile = 'urn:ietf:params:oauth:grant-profile:id-jag';

function grantProfilesOf(metadata: AuthorizationServerMetadata): readonly unknown[] {
  const { authorization_grant_profiles_supported: profiles } = metadata as {
    readonly authorization_grant_profiles_supported?: unknown;
  };
  return Array.isArray(profiles) ? profiles : [];
}

/** The type leaves it out for OpenID Connect, which knows it as well. */
function revocationEndpointOf(metadata: AuthorizationServerMetadata): string | undefined {
  const { revocation_endpoint: endpoint } = metadata as { readonly revocation_endpoint?: unknown };
  return typeof endpoint === 'string' ? endpoint : undefined;
}

/** The same for the functions of the official client. */
export function metadataOf(server: UpstreamServer): AuthorizationServerMetadata {
  return {
    issuer: server.issuer,
    authorization_endpoint: server.authorizationEndpoint,
    token_endpoint: server.tokenEndpoint,
    response_types_supported: [...server.responseTypes],
    ...(server.registrationEndpoint === null ? {} : { registration_endpoint: server.registrationEndpoint }),
    ...(server.tokenAuthMethods === null
      ? {}
      : { token_endpoint_auth_methods_supported: [...server.tokenAuthMethods] }),
    ...(server.challengeMethods === null
      ? {}
      : { code_challenge_methods_supported: [...server.challengeMethods] }),
    authorization_response_iss_parameter_supported: server.saysIssuer,
  };
}

/** Scopes to ask for (the specification's order): those of the challenge, else those of the resource, else none. */
export function scopesToAsk(
  wanted: readonly string[],
  { server, scopesSupported }: Found,
): readonly string[] {
  const scopes = wanted.length > 0 ? wanted : scopesIn(scopesSupported?.join(' '));
  const mayStay = scopes.length > 0 && server.scopes.includes('offline_access');
  return mayStay ? [...new Set([...scopes, 'offline_access'])] : scopes;
}
