import type { GlobSet } from './glob.ts';

/** `approve`: decide over calls that wait for approval. `admin` includes all others. */
export type Scope = 'admin' | 'read' | 'call' | 'approve';

/** Who presented the credential: an API key of a project. Restrictions that are `null` do not restrict. */
export interface Principal {
  readonly kind: 'api_key';
  /** `key_…`; written in audit records, never the key itself. */
  readonly id: string;
  readonly name: string;
  readonly projectId: string;
  readonly scopes: ReadonlySet<Scope>;
  readonly users: GlobSet | null;
  readonly gateways: ReadonlySet<string> | null;
  readonly tools: GlobSet | null;
  readonly expiresAtMs: number | null;
}

/** Whom a decision is about: a user, and what is known of them. */
export interface Subject {
  /** As the client names them; `null` only on the REST API, where not every call needs one. */
  readonly userId: string | null;
  /** Names of groups, from an assertion or a sign-in; none where only a key vouches for the user. */
  readonly groups: readonly string[];
  /** Claims of the assertion or the sign-in. */
  readonly claims: { readonly [name: string]: unknown };
}

declare const authenticated: unique symbol;

/**
 * A principal whose credential was checked, and the user it acts as. Only `identity` makes one, so code that
 * holds a `Caller` cannot have skipped authentication.
 */
export interface Caller extends Subject {
  readonly [authenticated]: true;
  readonly principal: Principal;
}
