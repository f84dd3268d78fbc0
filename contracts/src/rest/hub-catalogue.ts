import { z } from 'zod';
import { type ToolLifecycle, toolLifecycles, toolRef } from './hub.ts';
import { pageQuery } from './page.ts';

/** Governance of the hub's catalogue: `/v1/hub/tools`, `/v1/hub/review`, `/v1/hub/missing`, `/v1/hub/learned`, `/v1/hub/usage`. */

const yesOrNo = z.enum(['true', 'false']);

export const hubToolsQuery = pageQuery.extend({
  /** A part of its name, its description, or of what people say of it. */
  q: z.string().trim().min(1).max(200).optional(),
  lifecycle: z.enum(toolLifecycles).optional(),
  owner: z.string().optional(),
  /** And those below it. */
  namespace: z.string().min(1).max(512).optional(),
  /** Only those of which a model is told too little, or only the others. */
  undocumented: yesOrNo.optional(),
});

/** A tool as those see it who govern the catalogue. */
export interface HubToolResponse {
  tool: string;
  id: string;
  name: string;
  namespace: string;
  source: string;
  version?: string;
  description: string;
  available: boolean;
  owner: string | null;
  lifecycle: ToolLifecycle;
  successor: string | null;
  when_to_use: string | null;
  synonyms: string[];
  tags: string[];
  example_queries: string[];
  /** As they were given; those that the tool no longer takes are shown to nobody else. */
  examples: Record<string, unknown>[];
  /** What to mend, in words. */
  advice: string[];
}

export const reviewKinds = ['documentation', 'missed_query', 'missing_tool'] as const;
export const hubReviewQuery = pageQuery.extend({ kind: z.enum(reviewKinds).optional() });

export interface ReviewItemResponse {
  id: string;
  kind: (typeof reviewKinds)[number];
  /** Left out where there is none yet. */
  tool?: string;
  /** What to mend, in words. */
  advice: string[];
  /** What failed to find it, or what nothing was found for. */
  query?: string;
  /** How much it would help: the queue is in this order. */
  help: number;
}

export interface MissingNeedResponse {
  id: string;
  need: string;
  /** Different ones. */
  callers: number;
  /** Each caller once a day. */
  reports: number;
  last_reported: string;
}

export const hubLearnedQuery = pageQuery.extend({ tool: toolRef.optional() });

export interface LearnedQueryResponse {
  /** Left out where the tool is not there now. */
  tool?: string;
  tool_id: string;
  query: string;
  /** 0 to 1: how much the search makes of it. */
  weight: number;
  /** Different ones. */
  callers: number;
  /** Each caller once a day. */
  uses: number;
  last_used: string;
}

/** Whoever wants to forget everything says so. */
export const forgetLearnedQuery = z
  .strictObject({
    tool: toolRef.optional(),
    query: z.string().min(1).max(2000).optional(),
    all: z.literal('true').optional(),
  })
  .refine(({ tool, query, all }) => (tool === undefined && query === undefined) === (all !== undefined), {
    path: ['all'],
    message: 'give a tool, a query or both; or all=true to forget everything',
  });
export interface ForgottenResponse {
  forgotten: number;
}

export const hubUsageQuery = pageQuery.extend({
  tool: toolRef.optional(),
  /** Up to now. */
  days: z.coerce.number().int().min(1).max(90).default(30),
});

/** By how often it was called, on any way into the gateway. */
export interface ToolUsageResponse {
  /** Left out where the tool is not there now. */
  tool?: string;
  tool_id: string;
  calls: number;
  failures: number;
  refusals: number;
  /** Of calls that succeeded, the geometric mean. */
  typical_ms: number | null;
  last_used: string;
}
