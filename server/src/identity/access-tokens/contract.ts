import type { Caller, Gateway, Principal, Refusal } from '#domain';
import type { MaybePromise, Result } from '#foundation';
import type { SignIn } from '../sign-ins/contract.ts';

/** What our access tokens (RFC 9068, RS256, `typ: at+jwt`) say beside `iss`, `aud`, `exp`, `iat`, `jti`, `client_id`, `scope`. */
export interface AccessTokenClaims {
  /** The user id at that audience; the id of the service account where no person is behind it. */
  readonly sub: string;
  /** `sgn_…`; left out for a service account. */
  readonly sid?: string;
  /** `usr_…` or `svc_…` */
  readonly principal: string;
  /** The authorization server's grant, by the id of its row of model `Grant`; left out where there is none. */
  readonly grant?: string;
  /** The gateway that it is for: a slug may get another owner. Left out for the API. */
  readonly gateway?: string;
}

/**
 * What is revoked ends here at once where it was revoked (`changes.here`), elsewhere within a second (`changes.tell`): topics
 * `sign_ins` and `grants`, by their ids. People, sources and service accounts are looked at on every call.
 */
export interface AccessTokens {
  /**
   * Whom an access token lets into this gateway; nobody into one that is closed, or not there. Immediate for one that was checked before; such a check costs no signature,
   * no database and less than 3 µs. `identity.token_invalid`, `.token_expired` or `.deactivated`.
   */
  enter(token: string, gateway: Gateway | null): MaybePromise<Result<Caller, Refusal>>;
  /** The caller of something that lasts, as they are now; of memory. */
  still(caller: Caller, gateway: Gateway): Result<Caller, Refusal>;
  /** The grant by which this caller came, at a gateway or on the API; `null`: by none. */
  grantOf(caller: Caller): string | null;
  /**
   * Somebody who came by a token, as they are now, by what that hung on. The token itself may be over: as long as the sign-in and the
   * grant last, its client gets another.
   */
  callerAgain(who: CameByToken, gateway: Gateway): Promise<Result<Caller, Refusal>>;
  /** The same on the API, in this project. */
  principalAgain(who: CameByToken, projectId: string): Promise<Result<Principal, Refusal>>;
  /** The rule of `enter` before there is a token: as whom a sign-in would come in; refused where it would not. */
  admits(signIn: SignIn, gateway: Gateway): Result<{ readonly userId: string }, Refusal>;
  /** The principal of a token for the API, in this project; `null`: the person's first. `resource.unknown` where they have no role. */
  principal(token: string, place: Place): MaybePromise<Result<Principal, Refusal>>;
  /** Whose a token is, and of which grant (`null`: of none); `null` where its signature or its time does not hold. */
  originOf(token: string): Promise<{ readonly clientId: string; readonly grantId: string | null } | null>;
  /** How many tokens are in memory. */
  remembered(): number;
}

/** Where something is asked for on the API; `null`: not said. */
export interface Place {
  readonly organizationId: string | null;
  readonly projectId: string | null;
}

/** What an access token said, but for the token. */
export interface CameByToken {
  readonly principalId: string;
  /** `null` for a service account. */
  readonly signInId: string | null;
  /** `null`: of none. */
  readonly grantId: string | null;
  readonly clientId: string;
  readonly scopes: readonly string[];
}
