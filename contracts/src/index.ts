/**
 * Contracts: every message that crosses a process, as zod schemas and the types they give. Imports only zod and runs
 * in a browser.
 */

export type {
  AuditDecision,
  AuditEvent,
  AuditKind,
  HookTrace,
  PolicyTrace,
  RuleTrace,
} from './audit/event.ts';
export { auditDecisions, auditEvent, auditKinds } from './audit/event.ts';
export type { ErrorCode } from './errors/codes.ts';
export { errorCodes } from './errors/codes.ts';
export type {
  AccessHookRequest,
  AccessHookResult,
  HealthStatus,
  HookCode,
  HookToolkits,
  HookToolMetadata,
  PostHookRequest,
  PostHookResult,
  PreHookRequest,
  PreHookResult,
} from './hooks/protocol.ts';
export {
  accessHookResult,
  healthStatuses,
  hookCodes,
  hookHealthResponse,
  postHookResult,
  preHookResult,
} from './hooks/protocol.ts';
export type { ApiKeyResponse, CreateApiKeyRequest } from './rest/api-keys.ts';
export { createApiKeyRequest, updateApiKeyRequest } from './rest/api-keys.ts';
export type { AuditChain, AuditEventsResponse, AuditProblem, AuditVerifyResponse } from './rest/audit.ts';
export { auditEventsQuery, auditVerifyQuery } from './rest/audit.ts';
export type {
  AuthorizationResponse,
  AuthorizationStatus,
  AuthorizeRequest,
  AuthorizeToolRequest,
  AuthStatusQuery,
  ConfirmUserRequest,
  ConfirmUserResponse,
  ValidateVerifierRequest,
  ValidateVerifierResponse,
} from './rest/auth.ts';
export {
  authorizeRequest,
  authorizeToolRequest,
  authStatusQuery,
  confirmUserRequest,
  validateVerifierRequest,
} from './rest/auth.ts';
export type {
  AuthProviderRequest,
  AuthProviderResponse,
  AuthProviderUpdate,
  CredentialProviderType,
  EntrySettings,
  KnownProviderResponse,
  ProviderHeader,
  TokenExchangeSettings,
} from './rest/auth-providers.ts';
export {
  createAuthProviderRequest,
  credentialProviderTypes,
  declaredAuthProviderRequest,
  enteredFields,
  updateAuthProviderRequest,
} from './rest/auth-providers.ts';
export type {
  ConnectionResponse,
  ConnectionStatus,
  ConnectionsQuery,
  UpdateConnectionRequest,
  UserConnectionResponse,
} from './rest/connections.ts';
export { connectionsQuery, updateConnectionRequest } from './rest/connections.ts';
export type {
  CreateGatewayRequest,
  GatewayResponse,
  ReplaceGatewayRequest,
  UpdateGatewayRequest,
  UserAssertionRequest,
} from './rest/gateways.ts';
export {
  assertionAlgorithms,
  createGatewayRequest,
  gatewaySlug,
  gatewaySlugRequest,
  replaceGatewayRequest,
  updateGatewayRequest,
} from './rest/gateways.ts';
export type {
  CancelExecutionRequest,
  CurateToolRequest,
  ExecuteToolByRefRequest,
  ExecutionMode,
  ExecutionResponse,
  ExecutionStatus,
  FoundTool,
  GetToolDetailsRequest,
  GetToolDetailsResponse,
  HubWhere,
  ListNamespacesRequest,
  ListNamespacesResponse,
  NamespaceNode,
  ReportMissingRequest,
  ResumeExecutionRequest,
  SearchToolsRequest,
  SearchToolsResponse,
  SourceKindName,
  ToolDetails,
  ToolLifecycle,
} from './rest/hub.ts';
export {
  cancelExecutionRequest,
  curateToolRequest,
  executeToolByRefRequest,
  executionModes,
  executionQuery,
  executionStatuses,
  getToolDetailsRequest,
  hubRequests,
  listExecutionsQuery,
  listNamespacesRequest,
  reportMissingRequest,
  resumeExecutionRequest,
  searchToolsRequest,
  sourceKinds,
  toolLifecycles,
  toolRef,
} from './rest/hub.ts';
export type {
  ForgottenResponse,
  HubToolResponse,
  LearnedQueryResponse,
  MissingNeedResponse,
  ReviewItemResponse,
  ToolUsageResponse,
} from './rest/hub-catalogue.ts';
export {
  forgetLearnedQuery,
  hubLearnedQuery,
  hubReviewQuery,
  hubToolsQuery,
  hubUsageQuery,
  reviewKinds,
} from './rest/hub-catalogue.ts';
export type {
  OAuth2Request,
  OAuth2RequestSettings,
  OAuth2Settings,
  OAuth2Update,
  Placeholder,
  TriggeredRequestSettings,
} from './rest/oauth2-settings.ts';
export { oauth2Settings, placeholders, placeholdersIn, reservedParams } from './rest/oauth2-settings.ts';
export type { ErrorResponse, Page } from './rest/page.ts';
export { errorResponse, maxPageLimit, pageQuery } from './rest/page.ts';
export type {
  CreateInvitationRequest,
  InvitationResponse,
  PersonResponse,
  SignInResponse,
  UpdatePersonRequest,
} from './rest/people.ts';
export {
  createInvitationRequest,
  peopleQuery,
  roleRequest,
  updatePersonRequest,
} from './rest/people.ts';
export type { ApprovalResponse, ApprovalStatus, DecideApprovalRequest } from './rest/policy/approvals.ts';
export {
  approvalQuery,
  approvalStatuses,
  approvalsQuery,
  decideApprovalRequest,
} from './rest/policy/approvals.ts';
export type { EntraConfig, OktaConfig, SailpointConfig } from './rest/policy/directories.ts';
export type {
  ExplainRequest,
  ExplainResponse,
  SimulatedDifference,
  SimulateRequest,
  SimulateResponse,
} from './rest/policy/explain.ts';
export { explainRequest, simulateRequest } from './rest/policy/explain.ts';
export type { GrantRequest, GrantResponse } from './rest/policy/grants.ts';
export { grantRequest, grantsQuery, updateGrantRequest } from './rest/policy/grants.ts';
export type {
  BindingType,
  CreateHookRequest,
  DeclaredHookRequest,
  HookPoint,
  HookResponse,
  UpdateHookRequest,
  UpsertHooksRequest,
  UpsertHooksResponse,
} from './rest/policy/hooks.ts';
export {
  bindingQuery,
  createHookRequest,
  declaredHookRequest,
  hookPoints,
  hooksQuery,
  updateHookRequest,
  upsertHooksRequest,
} from './rest/policy/hooks.ts';
export type { LimitRequest, LimitResponse } from './rest/policy/limits.ts';
export { limitDimensions, limitRequest, updateLimitRequest } from './rest/policy/limits.ts';
export type { EntryHead, SubjectSelector } from './rest/policy/parts.ts';
export { entriesQuery, subject } from './rest/policy/parts.ts';
export type {
  CreatePluginRequest,
  CreatePluginResponse,
  DeclaredPluginRequest,
  GroupAccessConfig,
  PluginDefinition,
  PluginResponse,
  PluginType,
  RateLimitConfig,
  RetryConfig,
  UpdatePluginRequest,
  WebhookAuth,
} from './rest/policy/plugins.ts';
export {
  authTypeOf,
  createPluginRequest,
  declaredPluginRequest,
  pluginDefaults,
  pluginDefinition,
  pluginsQuery,
  updatePluginRequest,
} from './rest/policy/plugins.ts';
export type { DetectorName, RuleRequest, RuleResponse } from './rest/policy/rules.ts';
export { detectorNames, ruleRequest, updateRuleRequest } from './rest/policy/rules.ts';
export type {
  CreateOrganizationRequest,
  CreateOrganizationResponse,
  OrganizationResponse,
  ProjectResponse,
} from './rest/projects.ts';
export { createOrganizationRequest, nameRequest } from './rest/projects.ts';
export type { SecretResponse } from './rest/secret-response.ts';
export type { DeclaredSecretRequest, StoredSecretResponse, UpsertSecretRequest } from './rest/secrets.ts';
export { declaredSecretRequest, secretParams, upsertSecretRequest } from './rest/secrets.ts';
export type {
  CreateServiceAccountRequest,
  ServiceAccountResponse,
  UpdateServiceAccountRequest,
} from './rest/service-accounts.ts';
export { createServiceAccountRequest, updateServiceAccountRequest } from './rest/service-accounts.ts';
export type { SessionVerificationRequest, SessionVerificationResponse } from './rest/settings.ts';
export { sessionVerificationRequest } from './rest/settings.ts';
export type {
  StatusInstallation,
  StatusProblem,
  StatusProblemCode,
  StatusResponse,
  StatusSources,
  StatusTraffic,
} from './rest/status.ts';
export { statusProblems } from './rest/status.ts';
export type {
  ExecuteToolRequest,
  ExecuteToolResponse,
  ToolFilter,
  ToolFormat,
  ToolRequirementsRequest,
  ToolRequirementsResponse,
  ToolResponse,
} from './rest/tools.ts';
export {
  executeToolRequest,
  getFormattedToolQuery,
  getToolQuery,
  listFormattedToolsQuery,
  listToolsQuery,
  toolFilter,
  toolFormats,
  toolRequirementsRequest,
} from './rest/tools.ts';
export type {
  CreateUserSourceRequest,
  DeclaredUserSourceRequest,
  ReplaceUserSourceRequest,
  UpdateUserSourceRequest,
  UserClaimPreviewResponse,
  UserSourceResponse,
  UserSourceTestResponse,
} from './rest/user-sources.ts';
export {
  createUserSourceRequest,
  declaredUserSourceRequest,
  previewUserClaimRequest,
  replaceUserSourceRequest,
  updateUserSourceRequest,
  userSourcePresets,
} from './rest/user-sources.ts';
export type {
  ApproveChangesRequest,
  ApproveChangesResponse,
  AuthorizeWorkerRequest,
  AuthorizeWorkerResponse,
  CreateWorkerRequest,
  DeclaredWorkerRequest,
  TestWorkerRequest,
  ToolChangeResponse,
  UpdateWorkerRequest,
  WorkerAuthorizationResponse,
  WorkerHealthResponse,
  WorkerResponse,
  WorkerStatus,
  WorkerTestResponse,
} from './rest/workers.ts';
export {
  approveChangesRequest,
  authorizeWorkerRequest,
  createWorkerRequest,
  declaredWorkerRequest,
  secretReferences,
  testWorkerRequest,
  updateWorkerRequest,
  workerId,
} from './rest/workers.ts';
export type { ScimAttribute, ScimSchema } from './scim/attribute.ts';
export type {
  ScimErrorResponse,
  ScimListResponse,
  ScimOperation,
  ScimPatchRequest,
  ScimSearchRequest,
  ScimType,
} from './scim/messages.ts';
export { scimPatchRequest, scimSearchRequest } from './scim/messages.ts';
export {
  commonAttributes,
  enterpriseUserSchema,
  groupSchema,
  scimUrns,
  userSchema,
} from './scim/schemas.ts';
export type {
  InvokeRequest,
  InvokeResponse,
  ToolDefinition,
  ToolError,
  ToolErrorKind,
  ToolLog,
  ToolMetadata,
  ToolParameter,
  ToolRequirements,
  ValueSchema,
  ValueType,
  WorkerToolOutput,
} from './worker/protocol.ts';
export {
  invokeRequest,
  noRequirements,
  toolDefinition,
  toolErrorKinds,
  toolMetadata,
  toolParameter,
  toolRequirements,
  valueSchema,
  valueTypes,
} from './worker/protocol.ts';
