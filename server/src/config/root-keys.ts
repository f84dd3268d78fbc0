import { z } from 'zod';

/** Where a key of 32 random bytes is written down. */
export const rootKeyForm =
  '32 random bytes in base64 or hexadecimal, as `openssl rand -base64 32` makes them';

/** `null` for anything that is not 32 bytes in base64, base64url or hexadecimal. */
export function rootKeyBytes(text: string): Buffer | null {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return Buffer.from(text, 'hex');
  // The last of 43 characters holds four bits of the key, and two that must be zero.
  return /^[A-Za-z0-9+/_-]{42}[AEIMQUYcgkosw048]=?$/.test(text) ? Buffer.from(text, 'base64') : null;
}

/** Root keys that others are named by: those of the environment, of the data directory, of the database. */
const reserved = ['environment', 'file', 'database'];
const text = z.string().min(1).max(2048);
const url = z.url({ protocol: /^https?$/, error: 'expected an http or https URL' });

/** What `security.root_keys` takes: a key, or where the key service is that has it. */
export const rootKeyRequest = z
  .strictObject({
    id: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,64}$/, 'expected 1 to 64 of A-Z a-z 0-9 . _ -')
      .refine((id) => !reserved.includes(id), `expected another than ${reserved.join(', ')}`),
    default: z.boolean().optional(),
    value: z
      .string()
      .refine((value) => rootKeyBytes(value.trim()) !== null, `expected ${rootKeyForm}`)
      .transform((value) => rootKeyBytes(value.trim()) as Buffer)
      .optional(),
    aws_kms: z
      .strictObject({
        key_id: text,
        region: text.optional(),
        endpoint: url.optional(),
        access_key_id: text.optional(),
        secret_access_key: text.optional(),
        session_token: text.optional(),
      })
      .optional(),
    gcp_kms: z
      .strictObject({
        key: z
          .string()
          .regex(
            /^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+$/,
            'expected projects/…/locations/…/keyRings/…/cryptoKeys/…',
          ),
        credentials: z.string().min(1).optional(),
        endpoint: url.optional(),
      })
      .optional(),
    azure_key_vault: z
      .strictObject({
        key: z
          .url({ protocol: /^https?$/, error: 'expected https://{vault}.vault.azure.net/keys/{name}' })
          .regex(
            /\/keys\/[^/?#]+$/,
            'expected https://{vault}.vault.azure.net/keys/{name}, without a version',
          ),
        tenant_id: text.optional(),
        client_id: text.optional(),
        client_secret: text.optional(),
        federated_token_file: text.optional(),
        authority: url.optional(),
      })
      .optional(),
    vault_transit: z
      .strictObject({
        url: url.optional(),
        key: z.string().regex(/^[A-Za-z0-9._-]+$/, 'expected the name of a transit key'),
        mount: z
          .string()
          .regex(/^[A-Za-z0-9._/-]+$/, 'expected a path')
          .default('transit'),
        namespace: text.optional(),
        token: text.optional(),
        kubernetes: z
          .strictObject({
            role: text,
            mount: z
              .string()
              .regex(/^[A-Za-z0-9._/-]+$/, 'expected a path')
              .default('kubernetes'),
            token_file: text.default('/var/run/secrets/kubernetes.io/serviceaccount/token'),
          })
          .optional(),
      })
      .optional(),
  })
  .refine(
    (key) => kinds.filter((kind) => key[kind] !== undefined).length === 1,
    'expected exactly one of value, aws_kms, gcp_kms, azure_key_vault, vault_transit',
  );
const kinds = ['value', 'aws_kms', 'gcp_kms', 'azure_key_vault', 'vault_transit'] as const;

/** Holds secrets. */
export type RootKeyRequest = z.output<typeof rootKeyRequest>;

export const rootKeysRequest = z
  .array(rootKeyRequest)
  .refine(
    (keys) => new Set(keys.map(({ id }) => id)).size === keys.length,
    'two have the same id; expected another',
  )
  .refine(
    (keys) => keys.filter((key) => key.default === true).length < 2,
    'more than one has "default: true"; expected one',
  );
