/** How a gateway's clients may sign in. */
export type GatewayAuthType = 'arcade' | 'arcade_header' | 'user_source';

/** Changes one tool's face on one gateway; the tool itself, its id and its policy stay the same. */
export interface ToolCuration {
  /** Qualified name of the tool, `Toolkit.Tool`. */
  readonly tool: string;
  /** The name shown, instead of `Toolkit_Tool`. */
  readonly name: string | null;
  readonly description: string | null;
  readonly arguments: {
    /** Always sent; not in the schema; a caller that sends one is refused. */
    readonly fixed: { readonly [name: string]: unknown };
    /** Sent when the caller leaves the argument out. */
    readonly defaults: { readonly [name: string]: unknown };
    /** Not in the schema and not accepted from the caller. */
    readonly hidden: readonly string[];
  };
}

/** Whose word a gateway takes for who the user is: signed tokens of one issuer. */
export interface UserAssertion {
  readonly issuer: string;
  /** One of these must be among the token's; none: it is not looked at. */
  readonly audience: readonly string[];
  readonly keys:
    | {
        readonly from: 'jwks';
        readonly jwks: { readonly keys: readonly { readonly [field: string]: unknown }[] };
      }
    | { readonly from: 'jwks_uri'; readonly uri: string }
    | { readonly from: 'public_key_pem'; readonly pem: string }
    | { readonly from: 'secret'; readonly secret: string };
  /** Never those of a secret and of public keys together. */
  readonly algorithms: readonly string[];
  /** The name of a claim, or a path with dots. */
  readonly userClaim: string;
  readonly groupsClaim: string;
}

/** Tools that an access token lets its bearer call only with this OAuth scope, beside the one for the gateway itself. */
export interface ToolScope {
  readonly scope: string;
  /** Globs over `Toolkit.Tool`. */
  readonly tools: readonly string[];
}

/** A named endpoint, `/mcp/{slug}`: a chosen set of tools, and who may come in. */
export interface Gateway {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly slug: string;
  readonly description: string;
  readonly instructions: string;
  readonly status: 'active' | 'inactive';
  readonly authTypes: readonly GatewayAuthType[];
  /** By which people sign in where `user_source` is among the auth types. */
  readonly userSourceIds: readonly string[];
  readonly toolScopes: readonly ToolScope[];
  /** OAuth clients that people are not asked about. */
  readonly consentSkipClientIds: readonly string[];
  /** Left out or `null`: the client is believed when it names the user. */
  readonly userAssertion?: UserAssertion | null;
  /** Exact names and globs over `Toolkit.Tool`; `null` means every tool of the project. */
  readonly allowedTools: readonly string[] | null;
  readonly access: 'open' | 'granted';
  readonly presentation: 'tools' | 'hub' | 'auto';
  /** `source`: a gateway over a single MCP source shows that server's own names, unprefixed. */
  readonly naming: 'toolkit' | 'source';
  readonly curation: readonly ToolCuration[];
  /** Fields of the REST shape that are kept and given back but do not act yet. */
  readonly kept: { readonly [field: string]: unknown };
  readonly origin: 'file' | 'api';
  readonly createdAt: string;
  readonly updatedAt: string;
}
