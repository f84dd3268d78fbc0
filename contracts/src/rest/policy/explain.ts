import { z } from 'zod';
import { grantRequest } from './grants.ts';
import { instant } from './parts.ts';
import { ruleRequest } from './rules.ts';

/** `POST /v1/policy/explain`. */
export const explainRequest = z.strictObject({
  user_id: z.string().min(1).max(256),
  groups: z.array(z.string().max(512)).max(1000).optional(),
  claims: z.record(z.string(), z.unknown()).optional(),
  /** Slug; left out: as over the REST API. */
  gateway: z.string().max(256).nullable().optional(),
  /** As rules or the gateway name it. */
  tool: z.string().min(1).max(512),
  arguments: z.record(z.string(), z.unknown()).optional(),
  /** An output to try the rules for outputs on. */
  output: z.unknown().optional(),
});
export type ExplainRequest = z.infer<typeof explainRequest>;

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
