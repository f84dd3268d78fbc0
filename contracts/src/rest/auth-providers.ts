import { z } from 'zod';
import { printable } from './glob.ts';
import {
  declaredOAuth2Request,
  endpoint,
  type OAuth2Request,
  oauth2Request,
  oauth2Update,
  scopeDelimiter,
  template,
} from './oauth2-settings.ts';
import type { SecretResponse } from './secret-response.ts';

/** Requests and answers of `/v1/admin/auth_providers`: where users of a project have accounts that tools need. */

/**
 * How users prove themselves there. `api_key`, `basic`, `token`: by what they enter on a page of ours; `token_exchange`: by their
 * own sign-in here, without being asked.
 */
export const credentialProviderTypes = ['oauth2', 'api_key', 'basic', 'token', 'token_exchange'] as const;
export type CredentialProviderType = (typeof credentialProviderTypes)[number];

/** What users enter, by type. */
export const enteredFields = {
  api_key: ['api_key'],
  basic: ['username', 'password'],
  token: ['token'],
} as const;

const expression = printable.max(500);
const label = printable.max(100);

/** How an MCP server gets the token, where not as a bearer token. */
const header = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$/, 'is not a valid header name'),
  /** `{{token}}` where it stands; of `basic` it is user name and password as RFC 7617 joins them. */
  format: template(['token'], 200)
    .refine((text) => text.includes('{{token}}'), 'must hold {{token}}')
    .refine((text) => /^[\x20-\x7e]*$/.test(text), 'must be printable ASCII'),
});
export type ProviderHeader = z.infer<typeof header>;

/** Of the types whose credentials users enter themselves. */
const entry = z.strictObject({
  /** Where to find what is asked for. */
  instructions: printable.max(1000).optional(),
  /** What is asked for, as users know it: `{ api_key: 'Datadog application key' }`. */
  labels: z
    .strictObject({ api_key: label, username: label, password: label, token: label })
    .partial()
    .optional(),
  /** Asked with what was entered, as `header` has it: anything but 2xx refuses it. */
  check_request: z.strictObject({ endpoint, method: z.enum(['GET', 'POST']).optional() }).optional(),
  /** Whom the provider knows, read from what the check answers. */
  account: z.strictObject({ subject: expression.optional(), name: expression.optional() }).optional(),
});
export type EntrySettings = z.infer<typeof entry>;

const scope = z
  .string()
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,500}$/, 'must be printable, without spaces and quotes');

const exchangeFields = {
  /**
   * `rfc8693`: the token endpoint exchanges the user's token; `entra_obo`: on-behalf-of at Microsoft Entra (jwt-bearer); `id_jag`:
   * the user's issuer gives an identity assertion, which the token endpoint takes.
   */
  profile: z.enum(['rfc8693', 'entra_obo', 'id_jag']),
  /** Who gives the token that tools get. */
  token_endpoint: endpoint,
  client_id: printable.max(1000),
  client_secret: z.string().min(1).max(1000).optional(),
  /** How the client says there who it is; `client_secret_basic` unless said, `none` without a secret. */
  auth_method: z.enum(['client_secret_basic', 'client_secret_post', 'none']).optional(),
  /** Which token of the user's own sign-in is exchanged; `access_token`, and of `id_jag` `id_token`, unless said. */
  subject_token: z.enum(['id_token', 'access_token']).optional(),
  /** Whom the token is for; of `id_jag` the issuer behind `token_endpoint`. */
  audience: printable.max(1000).optional(),
  resource: printable.max(1000).optional(),
  /** What is asked for where a tool names none. */
  scopes: z.array(scope).max(100).optional(),
  scope_delimiter: scopeDelimiter.optional(),
  requested_token_type: printable.max(200).optional(),
  params: z
    .record(printable.max(100), printable.max(2000))
    .refine((params) => Object.keys(params).length <= 50, 'must have at most 50 members')
    .optional(),
  /** Only `id_jag`: where the user's issuer gives assertions; its token endpoint unless said. */
  assertion_endpoint: endpoint.optional(),
};
const tokenExchange = z.strictObject(exchangeFields);
export type TokenExchangeRequest = z.infer<typeof tokenExchange>;
/** Without the secret. */
export type TokenExchangeSettings = Omit<TokenExchangeRequest, 'client_secret'>;

const id = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
    'must be 1 to 100 of A-Z a-z 0-9 . _ - and begin with a letter or digit',
  )
  .refine((text) => text !== 'known', 'must not be "known", which names the list of well-known providers');

const head = {
  /** A well-known provider, whose facts need not be said: `github`. */
  provider_id: printable.max(100).optional(),
  description: z.string().max(1000).optional(),
  status: z.enum(['active', 'inactive']).optional(),
  external_id: z.string().max(50).optional(),
  /** What the addresses of a well-known provider take: `{ subdomain: 'acme' }`. */
  variables: z
    .record(printable.max(50), printable.max(300))
    .refine((variables) => Object.keys(variables).length <= 10, 'must have at most 10 members')
    .optional(),
  header: header.optional(),
  entry: entry.optional(),
  token_exchange: tokenExchange.optional(),
};

/** `POST /v1/admin/auth_providers`. */
export const createAuthProviderRequest = z
  .strictObject({
    id,
    type: z.enum(credentialProviderTypes).default('oauth2'),
    ...head,
    oauth2: oauth2Request.optional(),
  })
  .superRefine(checkBlocks);
export type AuthProviderRequest = z.infer<typeof createAuthProviderRequest>;

/** `PATCH`: what is left out stays, inside of blocks, too; maps are replaced as a whole, and `null` takes away. */
export const updateAuthProviderRequest = z.strictObject({
  id: id.optional(),
  type: z.enum(credentialProviderTypes).optional(),
  ...head,
  provider_id: head.provider_id.nullable(),
  header: header.nullable().optional(),
  entry: z
    .strictObject({
      instructions: entry.shape.instructions.nullable(),
      labels: entry.shape.labels.nullable(),
      check_request: entry.shape.check_request.nullable(),
      account: entry.shape.account.nullable(),
    })
    .partial()
    .optional(),
  token_exchange: z
    .strictObject({
      ...exchangeFields,
      client_secret: exchangeFields.client_secret.nullable(),
      audience: exchangeFields.audience.nullable(),
      resource: exchangeFields.resource.nullable(),
      requested_token_type: exchangeFields.requested_token_type.nullable(),
      assertion_endpoint: exchangeFields.assertion_endpoint.nullable(),
    })
    .partial()
    .optional(),
  oauth2: oauth2Update.optional(),
});
export type AuthProviderUpdate = z.infer<typeof updateAuthProviderRequest>;

/** An entry of `auth_providers` in the config file: as over the API, or with the client beside `oauth2` as Arcade's file has it. */
export const declaredAuthProviderRequest = z
  .strictObject({
    id,
    type: z.enum(credentialProviderTypes).default('oauth2'),
    enabled: z.boolean().optional(),
    client_id: printable.max(1000).optional(),
    client_secret: z.string().min(1).max(1000).optional(),
    ...head,
    oauth2: declaredOAuth2Request.optional(),
  })
  .superRefine((declared, context) => {
    const { oauth2, enabled, status } = declared;
    const issue = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    for (const field of ['client_id', 'client_secret'] as const) {
      if (declared[field] === undefined) continue;
      if (declared.type !== 'oauth2') issue(field, `belongs to type "oauth2", not "${declared.type}"`);
      if (oauth2?.[field] !== undefined) issue(field, 'expected here or in oauth2, got both');
    }
    const clientId = declared.client_id ?? oauth2?.client_id;
    if (declared.type === 'oauth2' && clientId === undefined)
      issue('client_id', 'is missing; expected a string');
    if (enabled !== undefined && status !== undefined)
      issue('enabled', 'expected enabled or status, got both');
    checkBlocks({ ...declared, oauth2: declared.type === 'oauth2' ? {} : oauth2 }, context);
  })
  .transform(({ enabled, client_id, client_secret, ...declared }): AuthProviderRequest => {
    const status = enabled === undefined ? {} : ({ status: enabled ? 'active' : 'inactive' } as const);
    if (declared.type !== 'oauth2') return { ...declared, ...status, oauth2: undefined };
    const client = {
      client_id: declared.oauth2?.client_id ?? client_id ?? '',
      client_secret: declared.oauth2?.client_secret ?? client_secret,
    };
    return { ...declared, ...status, oauth2: { ...declared.oauth2, ...client } };
  });

/** Each type has its own block, and no other. */
function checkBlocks(
  request: {
    readonly type: CredentialProviderType;
    oauth2?: unknown;
    entry?: unknown;
    token_exchange?: unknown;
  },
  context: z.RefinementCtx,
): void {
  const { type } = request;
  const issue = (field: string, message: string) =>
    context.addIssue({ code: 'custom', path: [field], message });
  const own = type === 'oauth2' || type === 'token_exchange' ? type : 'entry';
  for (const block of ['oauth2', 'entry', 'token_exchange'] as const) {
    if (block !== own && request[block] !== undefined) issue(block, `does not belong to type "${type}"`);
  }
  if (own !== 'entry' && request[own] === undefined) issue(own, `is required for type "${type}"`);
}

/** What an answer shows: the settings as they were written, and of secrets that they are there. */
export interface AuthProviderResponse {
  id: string;
  type: CredentialProviderType;
  provider_id?: string;
  /** What users know it by. */
  label: string;
  description: string;
  status: 'active' | 'inactive';
  external_id?: string;
  variables?: Record<string, string>;
  header?: ProviderHeader;
  oauth2?: Omit<OAuth2Request, 'client_secret'> & {
    client_secret: SecretResponse;
    /** To be registered at the provider: an address of its own. */
    redirect_uri: string;
  };
  entry?: EntrySettings;
  token_exchange?: TokenExchangeSettings & { client_secret: SecretResponse };
  binding: { type: 'static' | 'project'; id: string };
  /** Not for what the config file declares. */
  created_at?: string;
  updated_at?: string;
}

/** `GET /v1/admin/auth_providers/known`: a well-known provider, for who sets one up. */
export interface KnownProviderResponse {
  provider_id: string;
  label: string;
  /** The vendor's own words on how to register an app. */
  docs_url: string;
  /** Where apps are registered. */
  register_url: string;
  /** What to mind there. */
  register_note: string;
  /** What is asked for where a tool names no scopes. */
  default_scopes: string[];
  /** What `variables` must say. */
  variables: { name: string; label: string; example: string; default?: string }[];
  /** Whether tokens are renewed without asking the user again. */
  refreshes: boolean;
  pkce: boolean;
}
