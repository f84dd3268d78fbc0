import { z } from 'zod';
import { description, type EntryHead, entryName, subject, updateOf, where } from './parts.ts';

export const limitDimensions = ['user', 'key', 'tool', 'gateway', 'project'] as const;

/** `POST /v1/limits`, and an entry of `limits` in the config file. */
export const limitRequest = z
  .strictObject({
    name: entryName,
    description: description.optional(),
    ...where,
    subjects: z.array(subject).min(1).max(1000).optional(),
    /** What is counted apart: `["user", "tool"]` gives every user so much of every tool. `["project"]`: all together. */
    per: z.array(z.enum(limitDimensions)).min(1).max(5),
    /** A token bucket: `limit` calls in `per_seconds`, `burst` of them at once (as many as `limit` where it is left out). */
    rate: z
      .strictObject({
        limit: z.int().min(1).max(1_000_000_000),
        per_seconds: z.int().min(1).max(2_678_400),
        burst: z.int().min(1).max(1_000_000_000).optional(),
      })
      .optional(),
    /** Calls under way at once. */
    concurrency: z.int().min(1).max(1_000_000).optional(),
    enabled: z.boolean().optional(),
  })
  .superRefine(({ rate, concurrency, per }, context) => {
    if (rate === undefined && concurrency === undefined)
      context.addIssue({
        code: 'custom',
        path: ['rate'],
        message: 'a limit has a rate, a concurrency or both',
      });
    if (new Set(per).size !== per.length)
      context.addIssue({ code: 'custom', path: ['per'], message: 'names something twice' });
  });
export type LimitRequest = z.infer<typeof limitRequest>;
/** `PATCH /v1/limits/{id}`. */
export const updateLimitRequest = updateOf(limitRequest);
export type LimitResponse = EntryHead & LimitRequest;
