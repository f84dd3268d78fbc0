import type { Caller, Gateway, Principal, Refusal } from '#domain';
import type { Result } from '#foundation';

/** What our access tokens (RFC 9068, RS256, `typ: at+jwt`) say beside `iss`, `aud`, `exp`, `iat`, `jti`, `client_id`, `scope`. */
export interface AccessTokenClaims {
  /** The user id at that audience; the id of the service account where no person is behind it. */
  readonly sub: string;
  /** `sgn_…`; left out for a service account. */
  readonly sid?: string;
  /** `usr_…` or `svc_…` */
  readonly principal: string;
  /** The authorization server's grant; left out where there is none. */
  readonly grant?: string;
  /** The gateway that it is for: a slug may get another owner. Left out for the API. */
  readonly gateway?: string;
}

export interface AccessTokens {
  /**
   * Whom an access token lets into this gateway. Immediate for one that was checked before; such a check costs no signature,
   * no database and less than 3 µs. `identity.token_invalid`, `.token_expired`, `.deactivated`, `gateway.auth_unavailable`.
   */
  enter(token: string, gateway: Gateway): Result<Caller, Refusal> | Promise<Result<Caller, Refusal>>;
  /** The caller of something that lasts, as they are now; of memory. */
  still(caller: Caller, gateway: Gateway): Result<Caller, Refusal>;
  /** The principal of a token for the API, in this project; `null`: the person's first. */
  principal(
    token: string,
    place: { readonly organizationId: string | null; readonly projectId: string | null },
  ): Result<Principal, Refusal> | Promise<Result<Principal, Refusal>>;
}
