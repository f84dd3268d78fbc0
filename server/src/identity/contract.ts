import type { Caller, Gateway, Principal, Refusal, UserAssertion } from '#domain';
import type { MaybePromise, Result } from '#foundation';
import type { AccessTokens, Place } from './access-tokens/contract.ts';
import type { ApiKeys } from './api-keys/contract.ts';
import type { Consents, SigningKeys } from './authorization/contract.ts';
import type { Directory } from './directory/contract.ts';
import type { People } from './people/contract.ts';
import type { Remembering } from './remembering.ts';
import type { ServiceAccounts } from './service-accounts/contract.ts';
import type { SignIns } from './sign-ins/contract.ts';
import type { Subjects } from './subjects.ts';
import type { UserSources } from './user-sources/contract.ts';

/** How a client names the user. */
export interface NamedUser {
  /** As it stands; may be a signed token, too. */
  readonly userId: string | null;
  /** A signed token. */
  readonly assertion: string | null;
}

export interface Identity extends Omit<ApiKeys, 'authenticate' | 'principalOf'>, Remembering {
  /** Of an API key. */
  readonly authenticateKey: ApiKeys['authenticate'];
  /**
   * Who presents this `Authorization` header on the API, at this place: an API key, or an access token. Immediate, unless a token
   * is seen for the first time. A key's own place is for who asks to compare.
   */
  authenticate(authorization: string | undefined, place?: Place): MaybePromise<Result<Principal, Refusal>>;
  readonly people: People;
  readonly directory: Directory;
  readonly userSources: UserSources;
  readonly signIns: SignIns;
  readonly serviceAccounts: ServiceAccounts;
  readonly accessTokens: AccessTokens;
  readonly signingKeys: SigningKeys;
  readonly consents: Consents;
  readonly subjects: Subjects;
  /** The principal acting as this user; `identity.user_refused` when it may not. */
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
  ): MaybePromise<Result<Caller, Refusal>>;
  /** The same user again, as long as the token by which this caller came holds, and is one that the gateway demands. */
  stillActs(principal: Principal, caller: Caller, gateway: Gateway): Result<Caller, Refusal>;
}
