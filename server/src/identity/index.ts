/**
 * Identity: who is calling, and as whom. `api-keys/` and `access-tokens/` are what callers present, `assertions/` a signed word
 * for the user beside a key. `people/` knows who there is, in which organisation and with which role, `directory/` whom the
 * company's directory provisions, `user-sources/` asks the company's issuers, `sign-ins/` keeps who is signed in.
 * `subjects.ts` says who users are to other authorization servers. `authorization/` holds what the authorization server signs with and was allowed, `service-accounts/` programs that sign in as
 * themselves. What is revoked is refused on its next call.
 *
 * It is the only room that makes a `Caller`. It never decides what a caller may see or call: that is policy.
 */

export type { AccessTokenClaims, AccessTokens, Place } from './access-tokens/contract.ts';
export { isOperatorKey } from './api-keys/api-keys.ts';
export type { ApiKey, NewApiKey } from './api-keys/contract.ts';
export { presentedToken } from './api-keys/key-text.ts';
export { checkUserAssertion } from './assertions/check-user-assertion.ts';
export type { Consents, SigningKey, SigningKeys } from './authorization/contract.ts';
export type { Identity, NamedUser } from './contract.ts';
export { type Comparison, type Condition, comparisons, type Field, never } from './directory/condition.ts';
export type {
  Directory,
  DirectoryGroup,
  DirectoryUser,
  Found,
  GroupChange,
  GroupChanged,
  MemberChange,
  Related,
  Search,
  UserContent,
} from './directory/contract.ts';
export { createIdentity } from './identity.ts';
export type {
  Link,
  Organization,
  People,
  Person,
  PersonIdentity,
  Project,
  SignedInPerson,
  Standing,
} from './people/contract.ts';
export type { RememberedCaller } from './remembering.ts';
export type { ServiceAccount, ServiceAccounts } from './service-accounts/contract.ts';
export { checkPublicKeys } from './service-accounts/public-keys.ts';
export { isServiceAccountId } from './service-accounts/service-account-id.ts';
export type {
  IssuerTokens,
  NoSubjectToken,
  SignIn,
  SignIns,
  SubjectToken,
  SubjectTokenKind,
} from './sign-ins/contract.ts';
export type { Subjects } from './subjects.ts';
export { checkUserSource } from './user-sources/check-user-source.ts';
export type {
  ClaimPreview,
  SignedInUser,
  SignInAttempt,
  SignInProblem,
  SourceReport,
  UserSource,
  UserSourceDraft,
  UserSources,
} from './user-sources/contract.ts';
export { newUserSourceFromRequest, userSourceEditFromRequest } from './user-sources/from-request.ts';
