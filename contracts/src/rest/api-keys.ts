import { z } from 'zod';
import { gatewaySlug } from './gateways.ts';
import { glob, printable, toolGlob } from './glob.ts';

/** Requests and answers of `/v1/api_keys`. */

const globs = <Glob extends z.ZodType>(one: Glob) => z.array(one).min(1).max(1000).nullable().optional();

const expiry = z.iso
  .datetime({ offset: true, error: 'must be an ISO 8601 date and time with a zone' })
  .nullable()
  .optional();

/**
 * `POST /v1/api_keys`. A key that names users, gateways or tools is restricted to them and can do nothing else. Scopes
 * that are left out are `read` and `call`.
 */
export const createApiKeyRequest = z.strictObject({
  name: printable.max(256),
  expires_at: expiry,
  scopes: z
    .array(z.enum(['admin', 'read', 'call', 'approve', 'provision']))
    .min(1)
    .max(5)
    .default(['read', 'call']),
  users: globs(glob(512)),
  gateways: z.array(gatewaySlug).min(1).max(1000).nullable().optional(),
  tools: globs(toolGlob),
  /** `svc_…`: the key acts as this account where it names no user, may do no more than it, and is gone with it. */
  service_account_id: z.string().min(1).max(100).nullable().optional(),
});
export type CreateApiKeyRequest = z.infer<typeof createApiKeyRequest>;

/** What is left out stays; `null`: it does not expire. What a key may do never changes: make another. */
export const updateApiKeyRequest = z.strictObject({
  name: printable.max(256).optional(),
  expires_at: expiry,
});

export interface ApiKeyResponse {
  id: string;
  /** The key itself: only in the answer to its creation. */
  key?: string;
  name: string;
  /** The first characters of the key, to recognise it by. */
  hint: string;
  scopes: string[];
  users: string[] | null;
  gateways: string[] | null;
  tools: string[] | null;
  service_account_id: string | null;
  expires_at: string | null;
  created_at: string;
}
