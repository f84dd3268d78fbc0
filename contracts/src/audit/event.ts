import { z } from 'zod';
import { type ErrorCode, errorCodes } from '../errors/codes.ts';

export const auditKinds = [
  'tool_call',
  'tool_list',
  'prompt_get',
  'prompt_list',
  'resource_read',
  'resource_list',
  'resource_subscribe',
  'completion',
  'task',
  'extension',
  /** A tool's definition changed, was held back or approved. */
  'tool_change',
  'admin',
  'sign_in',
  'credential',
  'inference',
] as const;
export const auditDecisions = ['allowed', 'refused', 'failed'] as const;
export type AuditKind = (typeof auditKinds)[number];
export type AuditDecision = (typeof auditDecisions)[number];

/**
 * One decision, as the log book keeps it. `allowed`: it ran; `refused`: it did not run, and `code` says why;
 * `failed`: it was allowed and did not succeed. Never holds arguments, results, tokens or secrets.
 */
export const auditEvent = z.object({
  id: z.string(),
  time: z.iso.datetime(),
  kind: z.enum(auditKinds),
  decision: z.enum(auditDecisions),
  code: z.enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]).nullable(),
  reason: z.string().nullable(),
  user_id: z.string().nullable(),
  principal: z.string().nullable(),
  project_id: z.string(),
  gateway: z.string().nullable(),
  /** `Toolkit.Tool` for tool calls, `source.prompt`, `source.uri`; the operation (`workers.create`) for `admin`. */
  tool: z.string().nullable(),
  tool_id: z.string().nullable(),
  source: z.string().nullable(),
  execution_id: z.string().nullable(),
  duration_ms: z.number().nullable(),
  trace_id: z.string().nullable(),
  changes: z.record(z.string(), z.unknown()).nullable(),
});
export type AuditEvent = z.infer<typeof auditEvent>;
