import { z } from 'zod';
import { verifierUrl } from './auth.ts';

/** Requests and answers of `/v1/admin/settings/…`. */

/** `PUT /v1/admin/settings/session_verification`. What is left out stays; `verifier_url: null`: none. */
export const sessionVerificationRequest = z.strictObject({
  verifier_url: verifierUrl.nullable().optional(),
  unsafe_skip_verification: z.boolean().optional(),
});
export type SessionVerificationRequest = z.infer<typeof sessionVerificationRequest>;

export interface SessionVerificationResponse {
  /** Where browsers go after a consent, so that the project's own application says who is there; `null`: nowhere. */
  verifier_url: string | null;
  /** Where nobody is signed in here, and no verifier asks: not even the page asks whether it is the user. */
  unsafe_skip_verification: boolean;
  unsafe_skip_verification_choice_allowed: true;
}
