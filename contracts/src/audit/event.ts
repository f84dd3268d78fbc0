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

/** What one rule did: `would_…` where it only logs. */
export interface RuleTrace {
  id: string;
  name: string;
  outcome: 'blocked' | 'redacted' | 'held' | 'would_block' | 'would_redact' | 'would_hold';
  /** How often it matched, and where: `arguments.note`, `content[0].text`; never what. */
  count: number;
  places: string[];
  /** Why it could not be evaluated; it then blocks. */
  error?: string;
}
export interface HookTrace {
  hook_id: string;
  plugin_id: string;
  hook_point: string;
  /** `OK`, `CHECK_FAILED`, `RATE_LIMIT_EXCEEDED`, or `failed` where it did not answer. */
  code: string;
  /** What it changed: `inputs`, `secrets`, `output`. */
  override?: string[];
  cached?: boolean;
  duration_ms?: number;
  /** Why it did not answer. */
  error?: string;
}

/** Why a decision was what it was: what the policy of that moment said. Never holds values of arguments or results. */
export interface PolicyTrace {
  /** Names the state of all grants, rules, limits and hooks at that moment. */
  version: string;
  access: 'open' | 'granted';
  /** Ids of the grants that decided: those that deny, else those that allow; none where the gateway is open. */
  grants: string[];
  rules: RuleTrace[];
  limits: { id: string; name: string; outcome: 'passed' | 'refused' }[];
  hooks: HookTrace[];
  approval?: { id: string; decided_by?: string };
  /** By what else than the user's id the caller was known; claims only where the policy speaks of them. */
  groups?: string[];
  claims?: Record<string, unknown>;
}

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
  /** The OAuth client; `null` where an API key spoke. */
  client_id: z.string().nullable(),
  changes: z.record(z.string(), z.unknown()).nullable(),
  /** Why; `null` where policy was not asked. */
  policy: z.custom<PolicyTrace>().nullable(),
});
export type AuditEvent = z.infer<typeof auditEvent>;
