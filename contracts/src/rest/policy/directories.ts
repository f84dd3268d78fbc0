import { z } from 'zod';
import { printable } from '../glob.ts';
import type { SecretResponse } from '../secret-response.ts';
import { httpUrl, printableSecret } from './plugin-parts.ts';

/** Where `group_access` looks up who is in which group. The user's id is their login there. */

const text = printable.max(256);

const okta = z.strictObject({ org_url: httpUrl, api_token: printableSecret });
const entra = z.strictObject({
  tenant_id: z.string().regex(/^[A-Za-z0-9.-]{1,256}$/, 'must be the id or the domain of a tenant'),
  client_id: text,
  client_secret: printableSecret,
  /** Of sovereign clouds: `https://login.microsoftonline.com` where it is left out. */
  login_url: httpUrl.optional(),
  /** `https://graph.microsoft.com` where it is left out. */
  base_url: httpUrl.optional(),
});
const sailpoint = z.strictObject({
  /** `https://{tenant}.api.identitynow.com`. */
  tenant_url: httpUrl,
  client_id: text,
  client_secret: printableSecret,
});

export const directories = {
  backend: z.enum(['okta', 'entra', 'sailpoint']),
  okta: okta.optional(),
  entra: entra.optional(),
  sailpoint: sailpoint.optional(),
};

export type OktaConfig = z.infer<typeof okta>;
export type EntraConfig = z.infer<typeof entra>;
export type SailpointConfig = z.infer<typeof sailpoint>;

export interface GroupAccessResponse {
  backend: 'okta' | 'entra' | 'sailpoint';
  okta?: Omit<OktaConfig, 'api_token'> & { api_token: SecretResponse };
  entra?: Omit<EntraConfig, 'client_secret'> & { client_secret: SecretResponse };
  sailpoint?: Omit<SailpointConfig, 'client_secret'> & { client_secret: SecretResponse };
}
