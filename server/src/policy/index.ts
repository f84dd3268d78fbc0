/**
 * Policy: who may call what. One decision, made for listing and for calling alike, by the stable id and the qualified
 * name of a tool, never by the name a gateway displays. It knows nothing of protocols and never runs anything.
 */

export type { Grant, Policy } from './contract.ts';
export { createPolicy } from './policy.ts';
