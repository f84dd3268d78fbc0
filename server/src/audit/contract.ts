import type { AuditDecision, AuditEvent, AuditKind, ErrorCode, PolicyTrace } from '@sallyport/contracts';
import type { Refusal } from '#domain';
import type { Result } from '#foundation';

/** What a room says of one decision; the audit adds id and time. Fields left out are null in the record. */
export interface AuditEntry {
  readonly kind: AuditKind;
  readonly decision: AuditDecision;
  readonly projectId: string;
  readonly code?: ErrorCode | null;
  readonly reason?: string | null;
  readonly userId?: string | null;
  /** Id of the API key. */
  readonly principal?: string | null;
  readonly gateway?: string | null;
  readonly tool?: string | null;
  readonly toolId?: string | null;
  readonly source?: string | null;
  readonly executionId?: string | null;
  readonly durationMs?: number | null;
  readonly traceId?: string | null;
  readonly changes?: Readonly<Record<string, unknown>> | null;
  readonly policy?: PolicyTrace | null;
}

export interface AuditQuery {
  readonly projectId: string;
  readonly userId?: string;
  /** Exact or a glob over `Toolkit.Tool`. */
  readonly tool?: string;
  readonly gateway?: string;
  readonly kind?: AuditKind;
  readonly decision?: AuditDecision;
  readonly code?: string;
  /** ISO 8601, inclusive. */
  readonly since?: string;
  /** ISO 8601, exclusive. */
  readonly until?: string;
  readonly limit: number;
  /** Opaque, from the previous page. */
  readonly cursor?: string;
}

export interface AuditPage {
  /** Newest first. */
  readonly items: readonly AuditEvent[];
  readonly nextCursor: string | null;
  readonly totalCount: number;
}

export interface Audit {
  /**
   * Journals one record. When it returns `undefined` the record is written (it survives the death of the process);
   * under `strict` durability it returns a promise that settles when it is on the disk (it survives a power cut).
   * Call it before the caller gets the answer. Throws a Fault when the journal cannot be written: then the answer
   * must be withheld.
   */
  record(entry: AuditEntry): void | Promise<void>;
  /** Sees everything recorded before the call. Refuses a cursor or a time that is not one. */
  query(query: AuditQuery): Promise<Result<AuditPage, Refusal>>;
  /**
   * Bytes journalled but not yet in the database, and the error met now. Where the journal is not `writable`, every call is
   * withheld until a restart.
   */
  lag(): { readonly bytes: number; readonly error: string | null; readonly writable: boolean };
  /**
   * Everything recorded is on the disk, and in the database when that answers; what is not is drained by the next
   * start.
   */
  close(): Promise<void>;
}
