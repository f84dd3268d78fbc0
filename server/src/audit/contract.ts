import type {
  AuditDecision,
  AuditEvent,
  AuditKind,
  AuditVerifyResponse,
  ErrorCode,
  PolicyTrace,
} from '@sallyport/contracts';
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
  /** Id of the API key, the person or the service account. */
  readonly principal?: string | null;
  /** The OAuth client that an access token was given to. */
  readonly clientId?: string | null;
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
  /** Id of the API key, the person or the service account. */
  readonly principal?: string;
  readonly clientId?: string;
  readonly executionId?: string;
  /** Id of a rule that did something. */
  readonly rule?: string;
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

export interface AuditCallsQuery {
  readonly projectId: string;
  /** ISO 8601, inclusive. */
  readonly since?: string;
  /** ISO 8601, exclusive. */
  readonly until?: string;
  /** Slug. */
  readonly gateway?: string;
  readonly limit: number;
}

/** How often a tool was called, and how it went. */
export interface AuditToolUse {
  readonly toolId: string;
  readonly calls: number;
  readonly failures: number;
  readonly refusals: number;
  /** Of calls that succeeded, the geometric mean: what one takes as a rule, whatever a few of them took. */
  readonly typicalMs: number | null;
  readonly lastUsed: string;
}

/** A tool call, as far as a decision on it needs it. */
export type AuditCall = Pick<
  AuditEvent,
  'id' | 'time' | 'decision' | 'code' | 'user_id' | 'client_id' | 'gateway' | 'tool' | 'tool_id' | 'policy'
>;

/** A hash that a chain had at this record; kept elsewhere, so that a chain written anew is found. */
export interface ChainAnchor {
  readonly journalId: string;
  readonly seq: number;
  readonly hash: string;
}

export interface VerifyOptions {
  /** ISO 8601: only from there on, trusting the hash before it. */
  readonly since?: string;
  readonly anchor?: ChainAnchor;
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
  /** One record; `null` where the project has none of this id. Sees everything recorded before the call. */
  get(projectId: string, id: string): Promise<AuditEvent | null>;
  /** Newest first. Sees everything recorded before the call. The times must be times. */
  calls(query: AuditCallsQuery): Promise<readonly AuditCall[]>;
  /** How each tool was used since then (ISO 8601). Sees everything recorded before the call. */
  toolUse(query: { readonly projectId: string; readonly since: string }): Promise<readonly AuditToolUse[]>;
  /**
   * Makes every record's hash again, of all projects and all journals, a few records at a time. Finds records that were
   * altered, taken out or put in since they were journalled. The time must be one.
   */
  verify(options?: VerifyOptions): Promise<AuditVerifyResponse>;
  /** Everything recorded before the call is in the database. */
  settled(): Promise<void>;
  /**
   * Bytes journalled but not yet in the database, and the error met now. Where the journal is not `writable`, every call is
   * withheld: until there is room again, or until a restart where what was written could not be brought to the disk.
   */
  lag(): { readonly bytes: number; readonly error: string | null; readonly writable: boolean };
  /**
   * Everything recorded is on the disk, and in the database when that answers; what is not is drained by the next
   * start.
   */
  close(): Promise<void>;
}
