import { z } from 'zod';
import { description, type EntryHead, instant, subject, where } from './parts.ts';

/** `POST /v1/grants`, and an entry of `grants` in the config file. Deny beats allow. */
export const grantRequest = z.strictObject({
  subject,
  ...where,
  effect: z.enum(['allow', 'deny']),
  expires_at: instant.nullable().optional(),
  description: description.optional(),
});
export type GrantRequest = z.infer<typeof grantRequest>;
export type GrantResponse = EntryHead & GrantRequest;
