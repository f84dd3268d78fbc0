import type { Caller, Gateway, Principal, Refusal, Scope, UserAssertion } from '#domain';
import type { Result } from '#foundation';

export interface ApiKey {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  /** The first characters of the key, to recognise it by. */
  readonly hint: string;
  readonly scopes: readonly Scope[];
  readonly users: readonly string[] | null;
  readonly gateways: readonly string[] | null;
  readonly tools: readonly string[] | null;
  readonly expiresAt: string | null;
  readonly createdAt: string;
}

export type NewApiKey = Pick<
  ApiKey,
  'projectId' | 'name' | 'scopes' | 'users' | 'gateways' | 'tools' | 'expiresAt'
>;

/** How a client names the user. */
export interface NamedUser {
  /** As it stands; may be a signed token, too. */
  readonly userId: string | null;
  /** A signed token. */
  readonly assertion: string | null;
}

export interface Identity {
  /**
   * Who presents this `Authorization` header: an API key, with or without `Bearer`. `identity.missing`, `.invalid`
   * (unknown and revoked keys alike) or `.expired`. Takes no database round trip.
   */
  authenticate(authorization: string | undefined): Result<Principal, Refusal>;
  /** The principal acting as this user; `identity.user_refused` when the key may not. */
  actAs(principal: Principal, userId: string | null): Result<Caller, Refusal>;
  /**
   * The principal acting as the user whom a signed token names, which the gateway demands with this `user_assertion`.
   * Immediate, unless a signature must be checked: a token that was checked is known until it expires, or until keys that
   * its issuer publishes are looked at again.
   */
  actAsAsserted(
    principal: Principal,
    named: NamedUser,
    by: UserAssertion,
    gateway: Gateway,
  ): Result<Caller, Refusal> | Promise<Result<Caller, Refusal>>;
  /** The same user again, as long as the token by which this caller came holds, and is one that the gateway demands. */
  stillActs(principal: Principal, caller: Caller, gateway: Gateway): Result<Caller, Refusal>;
  createKey(key: NewApiKey): Promise<{ readonly key: ApiKey; readonly plaintext: string }>;
  listKeys(projectId: string): readonly ApiKey[];
  revokeKey(projectId: string, id: string): Promise<boolean>;
  /** Makes sure that `plaintext` is an admin key, or, where there is no key at all, makes one. Returns a key only when it made one. */
  ensureAdminKey(plaintext: string | null): Promise<string | null>;
}
