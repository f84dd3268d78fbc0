/**
 * Policy: who may call what, what may go in, what may come out, and why. One decision, made for listing and for using alike,
 * by the stable id and the name that rules know, never by the name a gateway displays. Grants say who, rules what, limits how
 * often, hooks ask others, approvals ask people; each in its folder. It knows nothing of protocols and never runs anything.
 */

export type { Approval } from './approvals/contract.ts';
export type {
  Admission,
  Asking,
  Carried,
  ExplainedCall,
  Grant,
  Passing,
  Policy,
  PolicyAdministration,
  PolicyRefusal,
  RecordedCall,
  Release,
  Request,
} from './contract.ts';
export type { Entries, Entry } from './entries.ts';
export type { HookEntry, PluginEntry } from './hooks/contract.ts';
export { createPolicy } from './policy.ts';
export type { Redactions } from './rules/contract.ts';
export { privatePieces } from './rules/private-pieces.ts';
export { checkRule } from './rules/rules.ts';
