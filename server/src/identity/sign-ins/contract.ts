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

/** Sign-ins: made, found by the browser's cookie or by id, listed, ended. An end is told to other replicas (topic `sign_ins`). */
export interface SignIns {
  /**
   * Always a new one, with a new cookie: whatever the browser brought along is forgotten. `untilMs`: it ends sooner than others,
   * where something else than a browser vouches for the person.
   */
  start(
    personId: string,
    said: SignedInPerson,
    userAgent: string,
    untilMs?: number,
  ): Promise<{ readonly signIn: SignIn; readonly cookie: string }>;
  /** Of this browser; `null` where it ended, or the person is not active any more. */
  ofBrowser(cookie: string): Promise<SignIn | null>;
  /** As long as it lasts; `null` afterwards. */
  find(id: string): Promise<SignIn | null>;
  list(personId: string): Promise<readonly SignIn[]>;
  /** Ends it and everything that hangs on it: grants, refresh tokens, access tokens. */
  end(id: string): Promise<boolean>;
  endAllOf(personId: string): Promise<number>;
  /** Those by a source that names people by something else from now on. */
  endAllBy(source: { readonly projectId: string; readonly id: string }): Promise<number>;
}
