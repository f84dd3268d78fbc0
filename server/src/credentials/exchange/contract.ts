import type { Caller } from '#domain';
import type { Result } from '#foundation';

/** Who users are to other authorization servers: by their own sign-in here, or by the signed word for them. Never in a log or record. */
export interface Subjects {
  /** Names what the caller came by, the same at each of its calls; `null`: by nothing that could be shown elsewhere. */
  nameOf(caller: Caller): string | null;
  /** The user source at which the caller's user signed in, where it is one of this project. */
  sourceOf(caller: Caller, projectId: string): Promise<NoSubject['source']>;
  token(caller: Caller, projectId: string, kind: SubjectKind): Promise<Result<Subject, NoSubject>>;
  /** An identity assertion (ID-JAG) that the user's issuer gives for another authorization server. */
  identityAssertion(
    caller: Caller,
    projectId: string,
    asked: {
      readonly kind: SubjectKind;
      readonly audience: string;
      readonly resource: string | null;
      readonly scopes: readonly string[];
      /** Where the issuer gives them; `null`: at its token endpoint. */
      readonly endpoint: string | null;
    },
  ): Promise<Result<{ readonly assertion: string; readonly signInId: string }, NoSubject>>;
}

export type SubjectKind = 'id_token' | 'access_token';

export interface Subject {
  readonly token: string;
  readonly kind: SubjectKind | 'jwt';
  /** `sgn_…`, by which it came: with its end ends what was made of it. `null`: by none. */
  readonly signInId: string | null;
}

/** Why there is none; `sign_in`: there is one where the user signs in again at this user source. */
export interface NoSubject {
  readonly kind: 'sign_in' | 'client' | 'passing' | 'broken';
  readonly words: string;
  readonly source: { readonly projectId: string; readonly id: string; readonly name: string } | null;
}
