import { z } from 'zod';
import { printable } from './glob.ts';
import { publicJwk } from './public-jwk.ts';

/** Requests and answers of `/v1/service_accounts`: programs that sign in as themselves. */

const fields = {
  description: z.string().max(1000),
  /** What it may do on the API. On gateways it is a user like others, whatever its role. */
  role: z.enum(['admin', 'editor', 'auditor', 'member']),
  /** Public keys: it may sign in with `private_key_jwt`. */
  jwks: z.strictObject({ keys: z.array(publicJwk).min(1).max(10) }).nullable(),
};

export const createServiceAccountRequest = z.strictObject({
  name: printable.max(256),
  description: fields.description.default(''),
  role: fields.role.default('member'),
  jwks: fields.jwks.default(null),
  /** Left out: where there are no keys to sign in with. */
  with_secret: z.boolean().optional(),
});
export type CreateServiceAccountRequest = z.infer<typeof createServiceAccountRequest>;

/** What is left out stays. */
export const updateServiceAccountRequest = z.strictObject({
  name: printable.max(256).optional(),
  description: fields.description.optional(),
  role: fields.role.optional(),
  jwks: fields.jwks.optional(),
  /** Of one that is not, tokens and API keys are refused from the next call on. */
  active: z.boolean().optional(),
});
export type UpdateServiceAccountRequest = z.infer<typeof updateServiceAccountRequest>;

export interface ServiceAccountResponse {
  /** `svc_…`: its OAuth client id, and its user id on gateways. */
  id: string;
  /** Only in the answer to its creation, and to its renewal. */
  client_secret?: string;
  name: string;
  description: string;
  role: string;
  active: boolean;
  /** Whether it has a secret; it is shown nowhere. */
  secret_set: boolean;
  jwks: { keys: { [field: string]: unknown }[] } | null;
  created_at: string;
  updated_at: string;
}
