/**
 * Sources: where tools live. Owns which workers and MCP servers are registered, their health, what they list and how
 * one of their tools is run; speaks both protocols and says in words what is wrong. It never decides who may call
 * what, never keeps the catalog (it reports lists and their changes), and never opens a connection itself.
 */

export type {
  Announcement,
  CallFailure,
  Inspection,
  InspectionFailure,
  NewSource,
  RejectedTool,
  SourceChange,
  SourceConnection,
  SourceDeps,
  SourceEvents,
  SourceKind,
  Sources,
  SourcesDeps,
} from './contract.ts';
export { mcpKind } from './mcp/mcp.ts';
export { createSources } from './registry.ts';
export { veilOf } from './veil.ts';
export { workerKind } from './worker/worker.ts';
