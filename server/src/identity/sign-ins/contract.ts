import type { Result } from '#foundation';
import type { SignedInPerson } from '../people/contract.ts';

/** A person at a browser (or a headless client that proved who they are), until it ends. Tokens hang on it. */
export interface SignIn {
  /** `sgn_…` */
  readonly id: string;
  readonly personId: string;
  /** Of the source: its id says nothing by itself. `''`: by a link. */
  readonly projectId: string;
  /** `''`: by a link. */
  readonly sourceId: string;
  readonly issuer: string;
  readonly subject: string;
  /** What the source's user claim said. */
  readonly userId: string;
  readonly groups: readonly string[];
  readonly claims: { readonly [name: string]: unknown };
  readonly userAgent: string;
  readonly createdAt: string;
  /** How long the browser is believed without signing in again. */
  readonly browserUntil: string;
  /** From then on no token of it is renewed. */
  readonly expiresAt: string;
  readonly endedAt: string | null;
}

/** What an issuer gave at a sign-in beside its word for the person. */
export interface IssuerTokens {
  readonly idToken: IssuerToken | null;
  readonly accessToken: IssuerToken | null;
  readonly refreshToken: string | null;
}

export interface IssuerToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

export type SubjectTokenKind = 'id_token' | 'access_token';

/** A token of a sign-in, for one request. */
export interface SubjectToken extends IssuerToken {
  /** By which it came: the one that was asked about, or another of the same person at the same issuer. */
  readonly signInId: string;
}

/** Why there is no such token just now; `sign_in`: there is one where the user signs in again. */
export interface NoSubjectToken {
  readonly kind: 'sign_in' | 'client' | 'passing' | 'broken';
  readonly words: string;
}

/** Sign-ins: made, found by the browser's cookie or by id, listed, ended. An end is told to other replicas (topic `sign_ins`). */
export interface SignIns {
  /**
   * Always a new one, with a new cookie: whatever the browser brought along is forgotten. `untilMs`: it ends sooner than others,
   * where something else than a browser vouches for the person. `tokens` are kept where the project exchanges them.
   */
  start(
    personId: string,
    said: SignedInPerson,
    userAgent: string,
    more?: { readonly untilMs?: number; readonly tokens?: IssuerTokens },
  ): Promise<{ readonly signIn: SignIn; readonly cookie: string }>;
  /** Of this browser; `null` where it ended, or the person is not active any more. */
  ofBrowser(cookie: string): Promise<SignIn | null>;
  /** As long as it lasts; `null` afterwards. */
  find(id: string): Promise<SignIn | null>;
  list(personId: string): Promise<readonly SignIn[]>;
  /** Ends it and everything that hangs on it: grants, refresh tokens, access tokens. */
  end(id: string): Promise<boolean>;
  endAllOf(personId: string): Promise<number>;
  /**
   * The token that the issuer gave in this sign-in, or in a later one of the same person there; renewed where it is over. `null`:
   * there is none any more.
   */
  subjectToken(id: string, kind: SubjectTokenKind): Promise<Result<SubjectToken | null, NoSubjectToken>>;
  /** Those by a source that names people by something else from now on. */
  endAllBy(source: { readonly projectId: string; readonly id: string }): Promise<number>;
}
