/**
 * Hub: a catalogue too large for any model, behind six tools: search, details, execute, resume, cancel, namespaces. It finds tools
 * by meaning among those that the caller may use, and runs them through the pipeline like any other call, durably. It decides
 * nothing: who may see and call what is policy's to say, and is asked again at every step.
 *
 * `search/` ranks, and knows texts and bits only. `executions/` keeps calls that outlive their request. `governance/` keeps what
 * people, and use, say of tools.
 */

export type { Hub, HubAsking } from './contract.ts';
export type { Asking, ExecuteRequest, Executions } from './executions/contract.ts';
export { createExecutions } from './executions/executions.ts';
export { bearerOf } from './governance/bearer.ts';
export type {
  Adviser,
  Curation,
  Governance,
  GovernanceAdministration,
  ReviewItem,
} from './governance/contract.ts';
export { createGovernance } from './governance/governance.ts';
export { createHub, type HubDeps } from './hub.ts';
export { type KeptIndexes, openKeptIndexes } from './kept-indexes.ts';
export type { Models } from './models/contract.ts';
export { createModels } from './models/models.ts';
export type {
  Hit,
  Permitted,
  SearchDocument,
  SearchEngine,
  SearchIndex,
  SearchQuery,
} from './search/contract.ts';
export { createToolRefs, readRef, type ToolRefs } from './tool-ref.ts';
