import type { GlobSet } from './glob.ts';

export type Scope = 'admin' | 'read' | 'call';

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

declare const authenticated: unique symbol;

/**
 * A principal whose credential was checked, and the user it acts as. Only `identity` makes one, so code that
 * holds a `Caller` cannot have skipped authentication.
 */
export interface Caller {
  readonly [authenticated]: true;
  readonly principal: Principal;
  /** The calling user, as the client names them. `null` only on the REST API, where not every call needs one. */
  readonly userId: string | null;
}
