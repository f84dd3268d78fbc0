import { z } from 'zod';
import { printable } from './glob.ts';
import { pageQuery } from './page.ts';

/** Requests and answers of `/v1/people` and `/v1/invitations`: who there is, and what they may do. */

const role = z.enum(['owner', 'admin', 'editor', 'auditor', 'member']);

export const peopleQuery = pageQuery.extend({ email: z.string().min(1).max(320).optional() });

/** What is left out stays. */
export const updatePersonRequest = z.strictObject({
  name: printable.max(256).optional(),
  /** Of one who is not, every credential is refused from the next call on, and every sign-in ends. */
  active: z.boolean().optional(),
});
export type UpdatePersonRequest = z.infer<typeof updatePersonRequest>;

/** `null`: no role any more. */
export const roleRequest = z.strictObject({ role: role.nullable() });

/** `POST /v1/invitations`. Another one for the same address and place takes the place of the one before. */
export const createInvitationRequest = z.strictObject({
  email: z.email().max(320),
  role,
  /** Where the role holds; an owner's always in the whole organization. */
  scope: z.enum(['project', 'organization']).optional(),
});
export type CreateInvitationRequest = z.infer<typeof createInvitationRequest>;

export interface PersonResponse {
  id: string;
  email: string;
  name: string;
  active: boolean;
  /** In this project; `null`: none. */
  role: string | null;
  /** In the whole organization; `null`: none. */
  organization_role: string | null;
  /** Groups of the directory. */
  groups: string[];
  /** By what they came in: only in the answer about one person. */
  identities?: { issuer: string; user_source_id: string; user_id: string; seen_at: string }[];
  created_at: string;
  last_sign_in_at: string | null;
}

export interface SignInResponse {
  id: string;
  /** Empty: by a link. */
  user_source_id: string;
  issuer: string;
  user_id: string;
  user_agent: string;
  created_at: string;
  expires_at: string;
  ended_at: string | null;
}

export interface InvitationResponse {
  id: string;
  /** The link itself: only in the answer to its creation. */
  url?: string;
  email: string;
  role: string;
  scope: 'project' | 'organization';
  created_by: string | null;
  created_at: string;
  expires_at: string;
  used_at: string | null;
}
