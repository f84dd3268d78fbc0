import type { Result } from '#foundation';

/** Where a user has an account that a call needs: an `auth_provider`, or an MCP server with an authorization server of its own. */
export interface Target {
  readonly projectId: string;
  readonly kind: 'provider' | 'source';
  readonly id: string;
}

/** What is wanted of a user at a target. */
export interface Wanted {
  readonly scopes: readonly string[];
  /** Of a challenge (RFC 9728); always `null` for providers. */
  readonly metadataUrl: string | null;
  /** A challenge said that the scopes that were granted do not suffice. */
  readonly isInsufficient: boolean;
}

/**
 * What one kind of target does to be authorized, and nothing of flows, browsers and storage. Every request goes through `egress`,
 * within time and size limits; no word of the other side's is repeated but what `Problem` says.
 */
export interface Authority {
  /**
   * Finds out where, and as whom, users are sent. `held` of the answer is kept sealed, and given back to every other function.
   * `null`: this target wants no consent that we know of.
   */
  prepare(target: Target, wanted: Wanted): Promise<Result<Prepared | null, Problem>>;
  /** `Prepared.boundTo` as it is now, of memory; asked at every call. `null`: nothing can be authorized there (any more). */
  boundTo(target: Target): string | null;
  /** The address that a browser is sent to. `scopes` with those that the user granted before. */
  authorize(target: Target, held: Held, asked: AuthorizeAsked): Promise<Result<AuthorizeUrl, Problem>>;
  /** RFC 9207: whether the answer at the callback came from who was asked. Before that, no word of it is believed. */
  isAnswerOf(target: Target, held: Held, iss: string | null): boolean;
  /** What an error at the callback means (`access_denied`); of its description no more is taken than a finer code. */
  explain(target: Target, held: Held, error: string, description: string | null): Problem;
  /** What a code is worth. */
  exchange(target: Target, held: Held, answer: CodeAnswer): Promise<Result<Granted, Problem>>;
  /** What the user entered on our page is worth; only where `Prepared.entry` is. */
  enter(
    target: Target,
    held: Held,
    entered: { readonly [field: string]: string },
  ): Promise<Result<Granted, Problem>>;
  /** New tokens for a refresh token. */
  renew(target: Target, held: Held, tokens: Tokens): Promise<Result<Granted, Problem>>;
  /** Takes the tokens back over there (RFC 7009). */
  revoke(target: Target, held: Held, tokens: Tokens): Promise<Result<'revoked' | 'unsupported', Problem>>;
  /** How an MCP server gets this token, where not as a bearer token; `null`: as one. */
  headerOf(target: Target, accessToken: string): { readonly name: string; readonly value: string } | null;
}

/** JSON of an authority's own; it may hold secrets. */
export type Held = { readonly [member: string]: unknown };

export interface Prepared {
  readonly held: Held;
  /** What the tokens are for: where it is another one, connections of before are not used (the address of an MCP server; a client id). */
  readonly boundTo: string;
  readonly issuer: string;
  /** Where users are sent to, as they are told; `null` where they enter something here. */
  readonly host: string | null;
  /** What users know it by: `GitHub`. */
  readonly label: string;
  /** Scopes to ask for, in the order of the specification, where what is wanted names none. */
  readonly scopes: readonly string[];
  /** What the user enters on a page of ours, in place of being sent anywhere. */
  readonly entry: EntryForm | null;
}

export interface EntryForm {
  /** Where to find what is asked for, in a sentence. */
  readonly instructions: string;
  readonly fields: readonly {
    readonly name: string;
    readonly label: string;
    readonly isSecret: boolean;
  }[];
}

export interface AuthorizeAsked {
  readonly scopes: readonly string[];
  /** Those of them that the user granted before (`{{existing_scopes}}`). */
  readonly existingScopes: readonly string[];
  readonly state: string;
  readonly redirectUri: string;
}

export interface AuthorizeUrl {
  readonly url: string;
  /** `null`: without PKCE. */
  readonly codeVerifier: string | null;
}

export interface CodeAnswer {
  readonly code: string;
  readonly iss: string | null;
  readonly codeVerifier: string | null;
  readonly redirectUri: string;
  /** Those that were asked for. */
  readonly scopes: readonly string[];
}

export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string | null;
  readonly scopes: readonly string[];
}

export interface Granted {
  readonly accessToken: string;
  /** `null`: none was given; of a renewal: the one of before stays. */
  readonly refreshToken: string | null;
  readonly expiresAtMs: number | null;
  /** `null`: it did not say, so they are those that were asked for. */
  readonly scopes: readonly string[] | null;
  /** What the provider says of the user; `null`: nothing. */
  readonly userInfo: { readonly [member: string]: unknown } | null;
  /** Whom the provider knows, the same at every consent; `null`: it does not say. */
  readonly subject: string | null;
  /** What the user would call this account: an e-mail address, a login. */
  readonly name: string | null;
  /** Where what is held changed. */
  readonly held?: Held;
}

export interface Problem {
  /**
   * `consent`: the user did not allow it, or does not any more; `client`: we are not who we say (client id, secret, redirect URI):
   * whoever runs this server mends it; `passing`: it may work later; `broken`: it will not.
   */
  readonly kind: 'consent' | 'client' | 'passing' | 'broken';
  /** The error code of the other side, where it is one of OAuth's shape (`invalid_client`); `null`: it gave none. */
  readonly code: string | null;
  /** What happened, for the user: none of the other side's own words. */
  readonly words: string;
  /** What mends it, and who: one sentence; `''`: nothing is known to. */
  readonly advice: string;
}
