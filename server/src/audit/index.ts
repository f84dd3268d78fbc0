/**
 * Audit: what happened. Journals every decision in a file before anybody gets an answer, moves the journal into the
 * log book (a table) behind the callers' backs, and answers questions about it. It never holds arguments, results,
 * tokens or secrets, and nothing is ever changed or taken out: each journal is a chain of hashes, which shows it.
 */

export type { AuditDeps } from './audit.ts';
export { createAudit } from './audit.ts';
export type {
  Audit,
  AuditCall,
  AuditCallsQuery,
  AuditEntry,
  AuditPage,
  AuditQuery,
  AuditToolUse,
  ChainAnchor,
  VerifyOptions,
} from './contract.ts';
