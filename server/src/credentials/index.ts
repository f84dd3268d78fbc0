/**
 * Credentials: what a call must carry to act as the user in another system. Users consent at the authorization servers of MCP
 * servers; what they gave is kept sealed, and renewed. A credential is open only between two steps of the pipeline; it is never
 * written to a log, a record or an answer, and never sent to another address than it was given for. There is no fallback: a tool
 * that asks for what we do not have is refused.
 */

export type { EntryForm, Target } from './authority.ts';
export type {
  ConnectionChange,
  ConnectionFilter,
  ConnectionView,
  UserConnections,
} from './connections/contract.ts';
export type { ConsentAsked, ConsentEvent, Credentials, SourceName } from './contract.ts';
export { createCredentials } from './credentials.ts';
export { demandsAssertion } from './exchange/at-sources.ts';
export type { Subjects } from './exchange/contract.ts';
export type {
  Authorization,
  Authorizations,
  ConnectProblem,
  Consenting,
  Ended,
  FailedConsent,
  Finished,
  FlowFailure,
  ForWhom,
  Opened,
  Verification,
  Verifier,
} from './flows/contract.ts';
export { checkAuthProvider } from './providers/complete.ts';
export type { AuthProvider, Providers, Requirement } from './providers/contract.ts';
export { knownProviders } from './providers/known/known-providers.ts';
export type { KnownProvider } from './providers/known-provider.ts';
export { requirementOf } from './requirement-of.ts';
export type { Secret, SecretPlace, Secrets } from './secrets/contract.ts';
