import { z } from 'zod';

const url = z
  .url({ protocol: /^https?$/, error: 'expected an http or https URL' })
  .max(2048)
  .refine((text) => !/^[^?#]*@|#/.test(text), 'expected a URL without user name, password and #');

const timeoutMs = (byDefault: number, most: number) =>
  z
    .int()
    .min(50, 'expected 50 or more milliseconds')
    .max(most, `expected at most ${most} milliseconds`)
    .default(byDefault);

/** What every endpoint of a model has. */
const endpoint = {
  url,
  model: z.string().regex(/^\S{1,200}$/, 'expected 1 to 200 characters without spaces'),
  key: z
    .string()
    .regex(/^[\x21-\x7e]{1,4096}$/, 'expected 1 to 4096 printable characters without spaces')
    .optional(),
};

/** Models that search may use. Each may be left out, and whatever one of them does not do is done without it. */
export const hubRequest = z.strictObject({
  learning: z.enum(['on', 'off']).default('on'),
  auto: z
    .strictObject({
      tools: z.int().min(1).max(1_000_000).default(60),
      tokens: z.int().min(1).max(100_000_000).default(20_000),
    })
    .prefault({}),
  embeddings: z
    .strictObject({
      ...endpoint,
      format: z.enum(['openai', 'voyage', 'cohere']),
      dimensions: z.int().min(8).max(4096).optional(),
      weight: z.number().min(0).max(1).default(0.5),
      batch: z.int().min(1).max(96).default(32),
      timeout_ms: timeoutMs(400, 10_000),
    })
    .optional(),
  rerank: z
    .strictObject({
      ...endpoint,
      format: z.enum(['cohere', 'voyage', 'jina']),
      candidates: z.int().min(2).max(100).default(50),
      timeout_ms: timeoutMs(800, 10_000),
    })
    .optional(),
  rewrite: z
    .strictObject({
      ...endpoint,
      format: z.enum(['openai']).default('openai'),
      timeout_ms: timeoutMs(1500, 10_000),
    })
    .optional(),
  enrichment: z
    .strictObject({
      ...endpoint,
      format: z.enum(['openai']).default('openai'),
      per_day: z.int().min(1).max(1_000_000).default(2000),
      timeout_ms: timeoutMs(60_000, 300_000),
    })
    .optional(),
});

/** Holds secrets. */
export type HubRequest = z.output<typeof hubRequest>;
