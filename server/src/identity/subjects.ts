import { hash } from 'node:crypto';
import type { Caller } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { NoSubjectToken, SignIns, SubjectTokenKind } from './sign-ins/contract.ts';
import type { UserSources } from './user-sources/contract.ts';

/** The signed word for a user by which a caller came, to be shown elsewhere. */
export type AssertionOf = (caller: Caller) => string | null;

/** A token that says at other authorization servers who the user is, for one request. */
export interface SubjectTokenOfCaller {
  readonly token: string;
  readonly kind: SubjectTokenKind | 'jwt';
  /** `sgn_…`, by which it came; `null` where a signed word for the user is the token. */
  readonly signInId: string | null;
}

/** What callers are to other authorization servers: by their own sign-in, or by the signed word for them. */
export interface Subjects {
  /** Names what the caller came by, the same at each of its calls; `null`: by nothing that could be shown elsewhere. */
  nameOf(caller: Caller): string | null;
  /** The user source of this project at which the user of the caller signed in. */
  sourceOf(caller: Caller, projectId: string): Promise<WhereToSignIn['source']>;
  /** Only for its own project: whoever administers another one says where it would be sent. */
  token(
    caller: Caller,
    projectId: string,
    kind: SubjectTokenKind,
  ): Promise<Result<SubjectTokenOfCaller, NoSubjectToken & WhereToSignIn>>;
  /** An identity assertion (ID-JAG) for the user of the caller. */
  identityAssertion(
    caller: Caller,
    projectId: string,
    asked: Omit<Parameters<UserSources['identityAssertion']>[1], 'subject'> & {
      readonly kind: SubjectTokenKind;
    },
  ): Promise<
    Result<{ readonly assertion: string; readonly signInId: string }, NoSubjectToken & WhereToSignIn>
  >;
}

/** The user source at which the user gets such a token; `null`: at none. */
export interface WhereToSignIn {
  readonly source: { readonly projectId: string; readonly id: string; readonly name: string } | null;
}

export interface SubjectsDeps {
  readonly signIns: Pick<SignIns, 'find' | 'subjectToken'>;
  readonly userSources: Pick<UserSources, 'get' | 'identityAssertion'>;
  readonly assertionOf: AssertionOf;
}

export function createSubjects({ signIns, userSources, assertionOf }: SubjectsDeps): Subjects {
  async function signedInAt(caller: Caller, projectId: string) {
    const signIn = caller.signInId === undefined ? null : await signIns.find(caller.signInId);
    const source = signIn?.projectId === projectId ? userSources.get(projectId, signIn.sourceId) : null;
    if (signIn === null || source?.status !== 'active' || source.issuer !== signIn.issuer) return null;
    return { signIn, source, where: { source: { projectId, id: source.id, name: source.name } } };
  }

  async function ofSignIn(caller: Caller, projectId: string, kind: SubjectTokenKind) {
    const at = await signedInAt(caller, projectId);
    if (at === null) {
      const words = 'the user did not sign in at a user source of this project';
      return err({ kind: 'broken' as const, words, source: null });
    }
    const { signIn, source, where } = at;
    const found = await signIns.subjectToken(signIn.id, kind);
    if (!found.ok) return err({ ...found.error, ...where });
    if (found.value === null) {
      const words = `what ${source.name} gave when the user signed in is over, or was not kept`;
      return err({ kind: 'sign_in' as const, words, ...where });
    }
    return ok({ ...found.value, source, where });
  }

  return {
    nameOf(caller) {
      if (caller.signInId !== undefined) return caller.signInId;
      const assertion = assertionOf(caller);
      return assertion === null ? null : `assertion ${hash('sha256', assertion, 'base64url')}`;
    },
    sourceOf: async (caller, projectId) => (await signedInAt(caller, projectId))?.where.source ?? null,
    async token(caller, projectId, kind) {
      const assertion = caller.signInId === undefined ? assertionOf(caller) : null;
      if (assertion !== null) return ok({ token: assertion, kind: 'jwt' as const, signInId: null });
      const found = await ofSignIn(caller, projectId, kind);
      if (!found.ok) return found;
      return ok({ token: found.value.token, kind, signInId: found.value.signInId });
    },
    async identityAssertion(caller, projectId, { kind, ...asked }) {
      const found = await ofSignIn(caller, projectId, kind);
      if (!found.ok) return found;
      const { token, source, where, signInId } = found.value;
      const given = await userSources.identityAssertion(source, { ...asked, subject: { token, kind } });
      return given.ok ? ok({ assertion: given.value, signInId }) : err({ ...given.error, ...where });
    },
  };
}
