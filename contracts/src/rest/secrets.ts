import { z } from 'zod';

/** Requests and answers of `/v1/admin/secrets`: values that tools and servers are given. No answer holds a value. */

const key = z
  .string()
  .regex(/^[A-Za-z0-9_.-]{1,100}$/, 'must be 1 to 100 of A-Z a-z 0-9 _ . -, as tools name what they need');
const value = z.string().min(1).max(5000);
const description = z.string().max(1000);

/** What the address of a secret names. */
export const secretParams = z.object({ secret_key: key });

/** `POST /v1/admin/secrets/{secret_key}`: makes it, or gives it another value; a description that is left out stays. */
export const upsertSecretRequest = z.strictObject({ value, description: description.optional() });
export type UpsertSecretRequest = z.infer<typeof upsertSecretRequest>;

/** An entry of `secrets` in the config file. */
export const declaredSecretRequest = z.strictObject({ key, value, description: description.optional() });
export type DeclaredSecretRequest = z.infer<typeof declaredSecretRequest>;

export interface StoredSecretResponse {
  /** `sec_…`; of the config file: its key. */
  id: string;
  key: string;
  description: string;
  /** `tenant`: of every project of the organisation; `static`: declared in the config file, read-only here. */
  binding: { type: 'project' | 'tenant' | 'static'; id: string };
  /** Always: nothing of a value is told. Arcade's command line reads it. */
  hint: null;
  /** `null` for what the config file declares. */
  created_at: string | null;
  updated_at: string | null;
  /** To the minute; `null`: never. */
  last_accessed_at: string | null;
}
