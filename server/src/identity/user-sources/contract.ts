import type { Refusal } from '#domain';
import type { Result } from '#foundation';
import type { SaidOfPerson } from '../people/contract.ts';
import type { IssuerTokens, NoSubjectToken, SubjectTokenKind } from '../sign-ins/contract.ts';

/** An OIDC issuer by which people sign in. */
export interface UserSource {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly description: string;
  /** What its `iss` is, exactly. */
  readonly issuer: string;
  readonly preset: 'entra' | 'okta' | 'google' | 'keycloak' | null;
  readonly clientId: string;
  readonly clientAuth:
    | { readonly by: 'secret'; readonly secret: string }
    | { readonly by: 'private_key_jwt'; readonly jwk: { readonly [field: string]: unknown } }
    | { readonly by: 'none' };
  readonly scopes: readonly string[];
  /** Names of claims, or paths with dots. */
  readonly userClaim: string;
  /** `''`: groups are not looked for. */
  readonly groupsClaim: string;
  /** Nobody comes in of whom the issuer says nothing of groups. */
  readonly groupsRequired: boolean;
  /** Of the e-mail address; none: everybody of the issuer. */
  readonly allowedDomains: readonly string[];
  /** What somebody becomes in the project who signs in and is no member: `null`: nothing, they must be invited. */
  readonly newPeople: 'member' | null;
  /** Client ids whose identity assertions (ID-JAG) of this issuer are taken; none: its assertions are not. */
  readonly assertionClients: readonly string[];
  readonly status: 'active' | 'inactive';
  readonly origin: 'file' | 'api';
  readonly createdAt: string;
  readonly updatedAt: string;
}

export type UserSourceDraft = Omit<UserSource, 'origin' | 'createdAt' | 'updatedAt'>;

/** A sign-in that is under way at an issuer; kept by us, bound to one browser. */
export interface SignInAttempt {
  readonly sourceId: string;
  readonly projectId: string;
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  /** Where to send the browser afterwards: a path of ours. */
  readonly goOnAt: string;
}

/** Whom the issuer says it is. */
export interface SignedInUser extends SaidOfPerson {
  readonly source: UserSource;
}

/** Why a sign-in did not work: plain words for the person, the cause for the operator, never a secret or a token. */
export interface SignInProblem {
  readonly code:
    | 'sign_in.source_unreachable'
    | 'sign_in.source_misconfigured'
    | 'sign_in.source_refused'
    | 'sign_in.answer_invalid'
    | 'sign_in.not_allowed'
    | 'sign_in.expired';
  readonly message: string;
  readonly reason: string;
}

/** One step that every sign-in takes at an issuer, tried out. */
export interface SourceStep {
  readonly step: 'discovery' | 'scopes' | 'keys' | 'client_authentication';
  /** `null`: it could not be told. */
  readonly ok: boolean | null;
  readonly detail: string;
}

/** How the issuer fits the source. */
export interface SourceReport {
  readonly steps: readonly SourceStep[];
  /** The first step that failed. */
  readonly failed: SourceStep | null;
  /** It failed because nothing answered: the source may be right all the same. */
  readonly unreachable: boolean;
}

/** What another user claim would do to those who have signed in by a source. */
export interface ClaimPreview {
  readonly seen: number;
  readonly unchanged: number;
  readonly changed: readonly { readonly personId: string; readonly was: string; readonly willBe: string }[];
  /** Who could not sign in any more. */
  readonly without: readonly { readonly personId: string; readonly was: string }[];
  /** Who would be one and the same user. */
  readonly collisions: readonly { readonly userId: string; readonly personIds: readonly string[] }[];
  /** Names exactly this outcome. */
  readonly token: string;
}

export interface UserSources {
  get(projectId: string, id: string): UserSource | null;
  list(projectId: string): readonly UserSource[];
  /** A new id, which no other source of any project has. */
  newId(): string;
  create(source: UserSourceDraft): Promise<Result<UserSource, Refusal>>;
  replace(
    projectId: string,
    id: string,
    source: Omit<UserSourceDraft, 'id' | 'projectId'>,
  ): Promise<Result<UserSource, Refusal>>;
  remove(projectId: string, id: string): Promise<Result<UserSource, Refusal>>;
  applyFile(projectId: string, sources: readonly UserSource[]): void;
  /** Where the issuer sends browsers back to; to be registered there. */
  redirectUri(id: string): string;
  /** Walks what a sign-in needs of the issuer. */
  test(source: UserSource): Promise<SourceReport>;
  preview(source: UserSource, userClaim: string): Promise<ClaimPreview>;
  /** Where to send the browser, and what to keep of it. */
  begin(
    source: UserSource,
    to: {
      readonly redirectUri: string;
      readonly goOnAt: string;
      readonly loginHint?: string;
      /** Whoever is signed in there already is not taken for who they are: people choose. */
      readonly asSomebodyElse?: boolean;
    },
  ): Promise<Result<{ readonly url: string; readonly attempt: SignInAttempt }, SignInProblem>>;
  /** `callback`: the whole URL that the browser came back to. */
  finish(
    source: UserSource,
    attempt: SignInAttempt,
    callback: URL,
  ): Promise<Result<SignedInUser & { readonly tokens: IssuerTokens }, SignInProblem>>;
  /** New tokens of the same person (`sub`) for a refresh token. */
  renewTokens(
    source: UserSource,
    refreshToken: string,
    subject: string,
  ): Promise<Result<IssuerTokens, NoSubjectToken>>;
  /**
   * An identity assertion (ID-JAG) of the issuer, by which the user behind a subject token is known at another authorization server.
   * `endpoint`: where the issuer gives them, if not at its token endpoint; of the same origin.
   */
  identityAssertion(
    source: UserSource,
    asked: {
      readonly subject: { readonly token: string; readonly kind: SubjectTokenKind };
      readonly audience: string;
      readonly resource: string | null;
      readonly scopes: readonly string[];
      readonly endpoint: string | null;
    },
  ): Promise<Result<string, NoSubjectToken>>;
  /** Whom a signed identity assertion (ID-JAG) of this source names; the reason where it does not hold. */
  checkAssertion(
    source: UserSource,
    assertion: string,
    expect: { readonly audience: string; readonly clientId: string },
  ): Promise<
    Result<
      SignedInUser & {
        readonly resource: string;
        readonly scope: string;
        readonly jti: string;
        readonly expiresAtMs: number;
      },
      string
    >
  >;
}
