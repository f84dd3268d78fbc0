/** A private key (JWK, RS256) that signs tokens. */
export interface SigningKey {
  readonly kid: string;
  readonly jwk: { readonly [field: string]: unknown };
}

/**
 * The keys of the authorization server: the same in every replica and after every restart, made when needed, replaced by the
 * next every 30 days, and published until nothing signed with them can hold any more.
 */
export interface SigningKeys {
  /** The first one signs; all are published. Of memory. */
  current(): readonly SigningKey[];
  /** The same, once there is one that signs. */
  ready(): Promise<readonly SigningKey[]>;
  /** Called when they are others. Returns what stops it. */
  onChange(listener: () => void): () => void;
}

/** What a person allowed a client. */
export interface Consents {
  /** The scopes; `[]` where nothing was allowed. `gatewayId` `''`: the API. */
  of(personId: string, clientId: string, gatewayId: string): Promise<readonly string[]>;
  /** Adds to what was allowed before. */
  give(personId: string, clientId: string, gatewayId: string, scopes: readonly string[]): Promise<void>;
  list(personId: string): Promise<
    readonly {
      readonly clientId: string;
      readonly gatewayId: string;
      readonly scopes: readonly string[];
      readonly createdAt: string;
    }[]
  >;
  /** Takes it back, and ends every grant and token that came of it. */
  withdraw(personId: string, clientId: string, gatewayId: string): Promise<boolean>;
}
