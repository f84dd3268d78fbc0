/**
 * Domain: the words of the platform, as types and pure functions. What a Source, a Tool, a Gateway, a Caller and a
 * Refusal are is written here once; rooms give them behaviour. Nothing here does input or output.
 */

export type {
  CallNotification,
  Challenge,
  Credential,
  CredentialProvider,
  DispatchedCall,
  DispatchedRequest,
  DispatchedSubscription,
  ForUser,
  LargeResult,
  ProbeStep,
  RpcError,
  SourceFailure,
  SourceReturn,
  SubscriptionTopic,
} from './call.ts';
export { probeSteps } from './call.ts';
export type { ClientSide, InputAnswer, InputMethod, InputRequest, LogLevel } from './client-side.ts';
export { inputMethods, logLevels, silentClient, taskExtension } from './client-side.ts';
export type { ConsentNeeded } from './consent-needed.ts';
export { consentRequired, consentsIn } from './consent-needed.ts';
export { consentIdsOf, isConsentState, stateOfConsent } from './consent-state.ts';
export {
  gatewayEditFromRequest,
  gatewayReplacementFromRequest,
  headersAsWritten,
  newGatewayFromRequest,
  newSourceFromRequest,
  sourceEditFromRequest,
} from './from-request.ts';
export type { Gateway, GatewayAuthType, ToolCuration, ToolScope, UserAssertion } from './gateway.ts';
export type { GlobSet } from './glob.ts';
export { compileGlob, compileGlobs, foldName, literalPrefix } from './glob.ts';
export type {
  PromptListing,
  ResourceListing,
  RuleTarget,
  SeenTools,
  SourceOffer,
  TemplateListing,
  ToolTraits,
} from './offer.ts';
export type { BlockPlace, ListingHead, ListingKind, Packer } from './packed-listing.ts';
export {
  Block,
  blockId,
  createPacker,
  newBlock,
  PackedListing,
  packAgain,
  packed,
} from './packed-listing.ts';
export type { Place } from './place.ts';
export { keyOfPlace, placeOfKey } from './place.ts';
export type { Caller, Permission, Principal, Role, Scope, Subject } from './principal.ts';
export { permissionsOfRole, permissionsOfScope, roles } from './principal.ts';
export type { Refusal } from './refusal.ts';
export { refusal } from './refusal.ts';
export type { PinMode, Source, SourceStatus, StdioCommand } from './source.ts';
export { timeoutMsOf } from './source.ts';
export type { JsonSchema, Tool, ToolListing } from './tool.ts';
export { uiUrisOf } from './tool-traits.ts';
export type { TraceContext } from './trace.ts';
export { traceHeaders, traceMeta, withBaggage } from './trace.ts';
