import { z } from 'zod';
import { type AuditEvent, auditDecisions, auditKinds } from '../audit/event.ts';

/** `GET /v1/audit_events`, `GET /v1/audit_events/verify`. */

const instant = z
  .union(
    [z.iso.datetime({ offset: true }), z.iso.date()],
    'must be an ISO 8601 date, or date and time with a zone',
  )
  .transform((text) => new Date(text).toISOString());

/** Unknown filters are refused: an answer that ignored one would claim too much. */
export const auditEventsQuery = z.strictObject({
  user_id: z.string().optional(),
  /** Exact, or a glob over `Toolkit.Tool`. */
  tool: z.string().optional(),
  gateway: z.string().optional(),
  /** Id of an API key. */
  principal: z.string().optional(),
  client_id: z.string().optional(),
  execution_id: z.string().optional(),
  /** Id of a rule: records of what it blocked, redacted or held, or would have. */
  rule: z.string().optional(),
  kind: z.enum(auditKinds).optional(),
  decision: z.enum(auditDecisions).optional(),
  code: z.string().optional(),
  /** Inclusive. */
  since: instant.optional(),
  /** Exclusive. */
  until: instant.optional(),
  limit: z.coerce.number().int().min(1).default(25),
  /** `next_cursor` of the page before. */
  cursor: z.string().max(1024).optional(),
});

/** Newest first. */
export interface AuditEventsResponse {
  items: AuditEvent[];
  limit: number;
  /** Always 0: pages are asked for by cursor, so that records that come in meanwhile shift nothing. */
  offset: 0;
  page_count: number;
  total_count: number;
  next_cursor: string | null;
}

const anchor = z
  .string()
  .regex(
    /^[\w-]{1,100}:[1-9]\d{0,14}:[0-9a-f]{64}$/,
    'must be the anchor of a chain, as an earlier answer gave it',
  )
  .transform((text) => {
    const [journalId = '', seq, hash = ''] = text.split(':');
    return { journalId, seq: Number(seq), hash };
  });

export const auditVerifyQuery = z
  .strictObject({
    /** Inclusive; what was before is not looked at, and its last hash is trusted. */
    since: instant.optional(),
    /** Of an earlier answer, kept elsewhere: whether the chain still goes through it. */
    anchor: anchor.optional(),
  })
  .refine(({ since, anchor }) => since === undefined || anchor === undefined, {
    path: ['since'],
    message: 'must be left out with an anchor: what was before would not be looked at',
  });

export interface AuditVerifyResponse {
  /** Nothing was altered, taken out or put in, as far as the chains can tell. */
  valid: boolean;
  /** Records whose hash was made again. */
  checked: number;
  /** Records from before there were chains, of which nothing can be told. */
  unchained: number;
  /** Each process writes a journal, and each journal is a chain. */
  chains: AuditChain[];
  /** Records in no chain though there were chains by then: at most 100. */
  problems: AuditProblem[];
}
export interface AuditChain {
  journal_id: string;
  /** Found in the log book, since the time that was asked for. */
  records: number;
  first_seq: number | null;
  last_seq: number | null;
  /** The hash that the chain ends with. */
  head_hash: string;
  /** The head as one text, to be kept elsewhere and asked with later. */
  anchor: string;
  /** In their order, at most 100. */
  problems: AuditProblem[];
}
export interface AuditProblem {
  /** `altered`: not what was written; `missing`: taken out; `inserted`: never written. */
  kind: 'altered' | 'missing' | 'inserted';
  /** Its place in the chain, or the first that is missing. */
  seq: number | null;
  /** The last that is missing. */
  through?: number;
  event_id?: string;
  message: string;
}
