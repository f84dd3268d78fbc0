import { z } from 'zod';
import { type AuditEvent, auditDecisions, auditKinds } from '../audit/event.ts';

/** `GET /v1/audit_events`. */

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
