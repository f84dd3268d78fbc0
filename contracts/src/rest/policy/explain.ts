import { z } from 'zod';
import type { HookTrace } from '../../audit/event.ts';
import type { ErrorCode } from '../../errors/codes.ts';
import { type GrantRequest, grantRequest } from './grants.ts';
import { instant } from './parts.ts';
import { ruleRequest } from './rules.ts';

/** `POST /v1/policy/explain`. */
export const explainRequest = z.strictObject({
  user_id: z.string().min(1).max(256),
  groups: z.array(z.string().max(512)).max(1000).optional(),
  claims: z.record(z.string(), z.unknown()).optional(),
  /** The OAuth client that the user signed in by; left out: as with an API key. */
  client_id: z.string().max(2048).optional(),
  /** Slug; left out: as over the REST API. */
  gateway: z.string().max(256).nullable().optional(),
  /** As rules or the gateway name it. */
  tool: z.string().min(1).max(512),
  arguments: z.record(z.string(), z.unknown()).optional(),
  /** An output to try the rules for outputs on. */
  output: z.unknown().optional(),
});
export type ExplainRequest = z.infer<typeof explainRequest>;

/** The whole chain, in the order of a call. What comes after a refusal is told all the same, as far as it can be known. */
export interface ExplainResponse {
  decision: 'allowed' | 'refused';
  /** Of the first refusal. */
  code: ErrorCode | null;
  reason: string | null;
  policy_version: string;
  access: 'open' | 'granted';
  /** Every grant that speaks of the tool and the gateway. */
  grants: {
    id: string;
    effect: GrantRequest['effect'];
    subject: GrantRequest['subject'];
    matches: boolean;
    why: string;
  }[];
  /** Every rule of the project. `outcome`: `null` where it does nothing here, and `why` says why. */
  rules: {
    id: string;
    name: string;
    direction: 'input' | 'output';
    action: string;
    mode: 'enforce' | 'log_only';
    outcome: string | null;
    count: number;
    places: string[];
    why: string;
  }[];
  limits: { id: string; name: string; left: number | null; running: number | null }[];
  hooks: HookTrace[];
  /** Arguments as they would be sent. */
  arguments?: Record<string, unknown>;
  /** The given output as the caller would get it; left out where it would be blocked. */
  output?: unknown;
}

/** `POST /v1/policy/simulate`: recorded calls, decided again as if this had been changed. */
export const simulateRequest = z.strictObject({
  add_grants: z.array(grantRequest).max(1000).optional(),
  remove_grants: z.array(z.string().max(256)).max(10_000).optional(),
  add_rules: z.array(ruleRequest).max(1000).optional(),
  remove_rules: z.array(z.string().max(256)).max(10_000).optional(),
  /** What the gateway's access would be. */
  access: z.record(z.string().max(256), z.enum(['open', 'granted'])).optional(),
  since: instant.optional(),
  until: instant.optional(),
  gateway: z.string().max(256).optional(),
  /** How many of the newest records are looked at. */
  limit: z.int().min(1).max(10_000).optional(),
});
export type SimulateRequest = z.infer<typeof simulateRequest>;

export interface SimulateResponse {
  policy_version: string;
  /** Records looked at; those of tools or gateways that are gone are `skipped`. */
  checked: number;
  skipped: number;
  unchanged: number;
  differences: SimulatedDifference[];
}
export interface SimulatedDifference {
  event_id: string;
  time: string;
  user_id: string | null;
  gateway: string | null;
  tool: string;
  recorded: { decision: string; code: string | null };
  /** `undetermined`: a rule would look at arguments or results, which are not recorded. */
  simulated: { decision: 'allowed' | 'refused' | 'undetermined'; code: string | null; reason: string };
}
