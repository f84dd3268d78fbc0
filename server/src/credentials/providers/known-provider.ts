import type { OAuth2Settings } from '@sallyport/contracts';

/** What is known of a well-known provider: facts of its vendor, and nothing of anybody's app there. */
export interface KnownProvider {
  /** As tools name it (`provider_id`). */
  readonly id: string;
  /** As people name it. */
  readonly label: string;
  /** Where the vendor describes all this. */
  readonly docsUrl: string;
  /** Where an app is registered. */
  readonly registerUrl: string;
  /** What to mind there, in a sentence or two. */
  readonly registerNote: string;
  /** What its addresses take: `{{subdomain}}`. */
  readonly variables?: { readonly [name: string]: KnownVariable };
  /** Addresses may hold `{{…}}` of `variables`; all else is as in a provider that somebody registers. */
  readonly settings: Omit<OAuth2Settings, 'client_id'>;
  /** Asked for where a tool names no scopes. */
  readonly defaultScopes: readonly string[];
  /**
   * Scopes that are granted along with another one, which then is all that the provider tells: without this a user who granted all
   * would be asked again.
   */
  readonly impliedScopes?: { readonly [scope: string]: readonly string[] };
  /** By error code of the provider: what mends it, and who, in a sentence. */
  readonly advice?: { readonly [errorCode: string]: string };
}

export interface KnownVariable {
  readonly label: string;
  readonly example: string;
  /** Taken where nothing is said. */
  readonly default?: string;
  readonly pattern: RegExp;
}
