import { z } from 'zod';
import { description, type EntryHead, entriesQuery, instant, subject, updateOf, where } from './parts.ts';

/** `POST /v1/grants`, and an entry of `grants` in the config file. Deny beats allow. */
export const grantRequest = z.strictObject({
  subject,
  ...where,
  effect: z.enum(['allow', 'deny']),
  expires_at: instant.nullable().optional(),
  description: description.optional(),
});
export type GrantRequest = z.infer<typeof grantRequest>;
/** `PATCH /v1/grants/{id}`. */
export const updateGrantRequest = updateOf(grantRequest);
export type GrantResponse = EntryHead & GrantRequest;

/** `GET /v1/grants`: those that name this gateway, this user, this group. */
export const grantsQuery = entriesQuery.extend({
  user_id: z.string().max(256).optional(),
  group: z.string().max(512).optional(),
});
