import { z } from 'zod';
import { printable } from './glob.ts';
import type { SecretResponse } from './secret-response.ts';

/** Requests and answers of `/v1/user_sources`: the OIDC issuers by which people sign in. */

export const userSourcePresets = ['entra', 'okta', 'google', 'keycloak'] as const;

const scope = z
  .string()
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/, 'must be printable, without spaces and quotes');
/** A list, or one text with spaces between them. */
const scopes = z.preprocess(
  (given) => (typeof given === 'string' ? given.split(' ').filter((one) => one !== '') : given),
  z.array(scope).min(1).max(50),
);
const claimPath = printable.max(256);
/** As DNS has it: other scripts in their `xn--` form. */
const domain = z
  .string()
  .max(253)
  .regex(
    /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/i,
    'must be a domain such as example.com, other scripts in their xn-- form',
  );

const fields = {
  description: z.string().max(1000).optional(),
  /** Fills in what is left out, and knows what is special there. */
  preset: z.enum(userSourcePresets).nullable().optional(),
  /** What `iss` is, exactly. */
  issuer: z.string().min(1).max(2048),
  client_id: printable.max(512),
  /** One of these two, or none for a public client. Never shown again. */
  client_secret: z.string().min(1).max(4096).nullable().optional(),
  /** For `private_key_jwt`: a JWK as JSON, or PEM. */
  client_private_key: z.string().min(1).max(16_384).nullable().optional(),
  scopes: scopes.optional(),
  /** Which claim is the user id: a name, or a path with dots. */
  user_claim: claimPath.optional(),
  /** Which claim lists the groups; `''`: none. */
  groups_claim: z.union([claimPath, z.literal('')]).optional(),
  /** Nobody comes in of whom the issuer says nothing of groups. */
  groups_required: z.boolean().optional(),
  /** Of e-mail addresses; none: everybody of the issuer. */
  allowed_domains: z.array(domain).max(100).optional(),
  /** What somebody becomes in the project who signs in and is no member. */
  new_people: z.enum(['member', 'none']).optional(),
  /** OAuth clients whose identity assertions (ID-JAG) of this issuer are taken. */
  assertion_client_ids: z.array(printable.max(2048)).max(100).optional(),
  status: z.enum(['active', 'inactive']).optional(),
};
const name = printable.max(256);
const conduct = {
  /** What the issuer says is not compared with the source. */
  skip_validation: z.boolean().optional(),
  /** The `token` of the preview of this change. */
  confirm_user_claim_change: z.string().max(64).optional(),
};

function checkKeys(
  request: { client_secret?: string | null | undefined; client_private_key?: string | null | undefined },
  context: z.RefinementCtx,
): void {
  if (request.client_secret == null || request.client_private_key == null) return;
  const message = 'expected either client_secret or client_private_key, got both';
  context.addIssue({ code: 'custom', path: ['client_private_key'], message });
}

export const createUserSourceRequest = z
  .strictObject({ name, ...fields, skip_validation: conduct.skip_validation })
  .superRefine(checkKeys);
export type CreateUserSourceRequest = z.infer<typeof createUserSourceRequest>;

/** `PUT`: the source becomes exactly this; what is left out takes its default (what it authenticates with stays). */
export const replaceUserSourceRequest = z
  .strictObject({ id: z.string().optional(), name, ...fields, ...conduct })
  .superRefine(checkKeys);
export type ReplaceUserSourceRequest = z.infer<typeof replaceUserSourceRequest>;

/** `PATCH`: what is left out stays. */
export const updateUserSourceRequest = z
  .strictObject({
    id: z.string().optional(),
    ...z.strictObject({ name, ...fields }).partial().shape,
    ...conduct,
  })
  .superRefine(checkKeys);
export type UpdateUserSourceRequest = z.infer<typeof updateUserSourceRequest>;

/** An entry of `user_sources` in the config file. */
export const declaredUserSourceRequest = z
  .strictObject({
    id: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,100}$/, 'must be 1 to 100 of A-Z a-z 0-9 . _ -')
      .refine((id) => !id.startsWith('usrc_'), 'must not begin with usrc_, as the ids of the API do'),
    name: name.optional(),
    ...fields,
  })
  .superRefine(checkKeys);
export type DeclaredUserSourceRequest = z.infer<typeof declaredUserSourceRequest>;

export const previewUserClaimRequest = z.strictObject({ user_claim: claimPath });

export interface UserSourceResponse {
  id: string;
  name: string;
  description: string;
  preset: (typeof userSourcePresets)[number] | null;
  issuer: string;
  client_id: string;
  /** How we say at the issuer who we are. */
  client_authentication: 'secret' | 'private_key_jwt' | 'none';
  client_secret: SecretResponse;
  client_private_key: SecretResponse;
  scopes: string[];
  user_claim: string;
  groups_claim: string;
  groups_required: boolean;
  allowed_domains: string[];
  new_people: 'member' | 'none';
  assertion_client_ids: string[];
  status: 'active' | 'inactive';
  /** To be registered at the issuer. */
  redirect_uri: string;
  binding: { type: 'static' | 'project'; id: string };
  /** What could not be compared with the issuer; only in the answer to a change. */
  warnings?: string[];
  /** Not for what the config file declares. */
  created_at?: string;
  updated_at?: string;
}

/** `POST /v1/user_sources/{id}/test` */
export interface UserSourceTestResponse {
  success: boolean;
  message: string;
  failed_step: string | null;
  /** `ok` is `null` where it cannot be told without a person. */
  steps: { step: string; ok: boolean | null; detail: string }[];
}

/** `POST /v1/user_sources/{id}/preview`: what another user claim would do. */
export interface UserClaimPreviewResponse {
  user_claim: string;
  current_user_claim: string;
  /** How many have signed in by this source. */
  people_count: number;
  unchanged_count: number;
  changed_count: number;
  /** The first hundred of each. */
  changed: { person_id: string; user_id: string; new_user_id: string }[];
  /** Who could not sign in any more. */
  without_count: number;
  without: { person_id: string; user_id: string }[];
  /** Who would be one and the same user. */
  collisions_count: number;
  collisions: { user_id: string; person_ids: string[] }[];
  /** What names the old user ids, and would be about nobody. */
  named_by: {
    grants: number;
    rules: number;
    limits: number;
    api_keys: number;
    approvals: number;
    connections: number;
  };
  /** Confirms exactly this outcome. */
  token: string;
}
