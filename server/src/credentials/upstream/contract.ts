/** The authorization server of a source, as far as it must be remembered. */
export interface UpstreamServer {
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly registrationEndpoint: string | null;
  readonly revocationEndpoint: string | null;
  readonly responseTypes: readonly string[];
  readonly tokenAuthMethods: readonly string[] | null;
  readonly challengeMethods: readonly string[] | null;
  /** It promised to say who it is in its answers (RFC 9207). */
  readonly saysIssuer: boolean;
  readonly takesMetadataUrl: boolean;
  readonly scopes: readonly string[];
  /** It takes identity assertions (ID-JAG) of the issuers that it trusts. */
  readonly takesAssertions?: boolean;
  /** What tokens are asked for (RFC 8707), in the server's own spelling; `null` where it names nothing. */
  readonly resource: string | null;
}

/** As whom we are known there. */
export interface UpstreamClient {
  readonly id: string;
  readonly secret: string | null;
  readonly authMethod: string | null;
  /** Answers come only here. */
  readonly redirectUri: string;
  /** When the secret is over. */
  readonly expiresAtMs: number | null;
  /** It was registered by itself, so it can be anew. */
  readonly isRegistered: boolean;
}
