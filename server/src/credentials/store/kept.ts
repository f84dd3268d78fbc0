import type { EntryForm, Granted, Held, Target } from '../authority.ts';
import type { FlowFailure } from '../flows/contract.ts';

/** A user's own place at a target, where they may have several accounts. */
export interface Place {
  readonly target: Target;
  /** `''`: nobody in particular. */
  readonly userId: string;
}

/** A source whose lists are asked for as a user, at the address that it had when they consented. */
export interface Listed {
  readonly sourceId: string;
  readonly uri: string;
}

/** What a user let us do with one account of theirs. Its tokens are sealed, in memory too. */
export interface Connection extends Place {
  /** `con_…` */
  readonly id: string;
  /** Who consented; `null`: somebody for whom an API key vouched. */
  readonly personId: string | null;
  readonly name: string;
  /** Whom the provider knows; `''`: it does not say. */
  readonly subject: string;
  readonly isDefault: boolean;
  readonly gateways: readonly string[];
  readonly tools: readonly string[];
  /** What the tokens are for: `Authority.boundTo`. */
  readonly boundTo: string;
  readonly issuer: string;
  readonly askedScopes: readonly string[];
  readonly grantedScopes: readonly string[];
  readonly userInfo: { readonly [member: string]: unknown };
  readonly consentedAtMs: readonly number[];
  readonly status: 'active' | 'revoked';
  readonly expiresAtMs: number | null;
  /** From then on it is renewed; `null`: it cannot be. */
  readonly renewAtMs: number | null;
  /** Grows whenever the tokens change. */
  readonly version: number;
  readonly createdAtMs: number;
  /** When the tokens changed last. */
  readonly changedAtMs: number;
  readonly lastUsedAtMs: number | null;
  readonly sealed: string;
}

export interface ConnectionSecret {
  readonly accessToken: string;
  readonly refreshToken: string | null;
  readonly held: Held;
}

/** What a renewal, or the end of it all, changes. */
export type TokenChange = Pick<
  Connection,
  'grantedScopes' | 'userInfo' | 'status' | 'expiresAtMs' | 'renewAtMs'
> & { readonly secret: ConnectionSecret };

/** A consent that a user is asked for. */
export interface Flow extends Place {
  /** `ac_…`; also the reference in words to the user. */
  readonly id: string;
  /** Who must be at the browser; `null`: an API key vouches for the user. */
  readonly personId: string | null;
  /** The account that is meant; `null`: whichever it turns out to be. */
  readonly account: string | null;
  /** The lists of this source are asked for with it. */
  readonly lists: Listed | null;
  readonly scopes: readonly string[];
  readonly nextUri: string | null;
  readonly label: string;
  readonly host: string | null;
  readonly status: 'pending' | 'verifying' | 'completed' | 'failed';
  /** Only where it failed. */
  readonly failure: FlowFailure | null;
  readonly connectionId: string | null;
  /** Of the browser that opened it last; `null` before one did. */
  readonly browserHash: string | null;
  readonly isAnswered: boolean;
  readonly wasTold: boolean;
  readonly expiresAtMs: number;
  readonly endedAtMs: number | null;
  readonly sealed: string;
}

export interface FlowSecret {
  /** In the address that the user opens. */
  readonly token: string;
  readonly held: Held;
  readonly boundTo: string;
  readonly issuer: string;
  readonly entry: EntryForm | null;
  /** Those of the scopes that the user granted before. */
  readonly existingScopes: readonly string[];
  /** Of the browser that opened it last. */
  readonly opening: { readonly codeVerifier: string | null; readonly redirectUri: string } | null;
  /** What was consented to, until the project's own verifier says that it was the user. */
  readonly granted: Granted | null;
}
