import { z } from 'zod';
import { printable } from './glob.ts';

/** How a provider speaks OAuth 2: what an `auth_provider` lays down of it, in Arcade's words and a few of ours. */

/** What `{{…}}` may stand for in what is sent to a provider. */
export const placeholders = [
  'client_id',
  'client_secret',
  'redirect_uri',
  'scopes',
  'existing_scopes',
  'refresh_token',
  'access_token',
] as const;
export type Placeholder = (typeof placeholders)[number];

/** The names between `{{` and `}}`; `''` for a pair of braces that is no placeholder at all. */
export function placeholdersIn(text: string): readonly string[] {
  return [...text.matchAll(/\{\{([^{}]*)\}\}|\{\{|\}\}/g)].map((match) => (match[1] ?? '').trim());
}

/** Text with placeholders, of which only these are known. */
export function template(known: readonly string[], maxLength: number) {
  return z
    .string()
    .max(maxLength)
    .superRefine((text, context) => {
      const unknown = placeholdersIn(text).find((name) => !known.includes(name));
      if (unknown === undefined) return;
      const list = known.map((name) => `{{${name}}}`).join(', ');
      const message =
        unknown === ''
          ? 'holds braces that are no placeholder'
          : `holds {{${unknown}}}, which is not known; expected ${known.length === 0 ? 'no placeholder' : `one of ${list}`}`;
      context.addIssue({ code: 'custom', message });
    });
}

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Where secrets go: never in the clear beyond this machine. */
export const endpoint = z
  .string()
  .min(1)
  .max(1000)
  .refine(
    isSafeEndpoint,
    'must be an https:// URL (http:// only on the loopback interface) without user name, password, placeholder and fragment',
  );

function isSafeEndpoint(text: string): boolean {
  if (!URL.canParse(text) || /[{}#\s]/.test(text)) return false;
  const { protocol, username, password, hostname } = new URL(text);
  if (username !== '' || password !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && loopback.test(hostname));
}

const contentType = z.enum(['application/x-www-form-urlencoded', 'application/json']);
export const scopeDelimiter = z.enum([',', ' ']);
/** An expression such as `$.data.id`, `join('$.scopes', ' ')`, `jwt_decode('$.id_token', '$.sub')`. */
const expression = printable.max(500);

/** What is sent along. `reserved`: what we set ourselves, which may be named as in `{ state: '{{state}}' }` and nothing else. */
function paramsWith(known: readonly Placeholder[], reserved: readonly string[]) {
  const value = template([...known, ...reserved], 2000);
  return z
    .record(printable.max(100), value)
    .superRefine((params, context) => {
      for (const [name, text] of Object.entries(params)) {
        if (name === 'client_secret' && text !== '{{client_secret}}') {
          const message = 'must be {{client_secret}}: the secret itself belongs beside client_id';
          context.addIssue({ code: 'custom', path: [name], message });
        }
        const isOwn = text.replaceAll(' ', '') === `{{${name}}}`;
        const names = placeholdersIn(text).filter((placeholder) => reserved.includes(placeholder));
        if (isOwn || (names.length === 0 && !reserved.includes(name))) continue;
        context.addIssue({ code: 'custom', path: [name], message: 'is set by the gateway itself' });
      }
    })
    .refine((params) => Object.keys(params).length <= 50, 'must have at most 50 members');
}

/** Where an answer holds what. `null`: any member. */
function mapOf(members: readonly string[] | null) {
  return z
    .record(printable.max(100), expression)
    .superRefine((map, context) => {
      for (const name of Object.keys(map).filter((name) => members?.includes(name) === false)) {
        const message = `is not known; expected ${members?.length === 0 ? 'none' : `one of ${members?.join(', ')}`}`;
        context.addIssue({ code: 'custom', path: [name], message });
      }
    })
    .refine((map) => Object.keys(map).length <= 50, 'must have at most 50 members');
}

const authMethod = z.enum(['', 'client_secret_basic', 'bearer_access_token']);

interface RequestKind {
  readonly known: readonly Placeholder[];
  readonly reserved: readonly string[];
  readonly members: readonly string[] | null;
}

function requestFields({ known, reserved, members }: RequestKind) {
  return {
    method: z.enum(['GET', 'POST']).optional(),
    /** Left out or `''`: by nothing but what `params` say. */
    auth_method: authMethod.optional(),
    /** The `Authorization` header, where it is another than the method makes. */
    auth_header_value_format: template(known, 200)
      .refine((text) => !/[\r\n\0]/.test(text), 'must not contain line breaks or control characters')
      .optional(),
    params: paramsWith(known, reserved).optional(),
    request_content_type: contentType.optional(),
    response_content_type: contentType.optional(),
    response_map: mapOf(members).optional(),
    /** What `expires_in` of the answer is. */
    expiration_format: z.enum(['absolute_unix_timestamp', 'relative_seconds']).optional(),
  };
}

/** Added to requests without being asked for. */
export const reservedParams = ['state', 'code_challenge', 'code_challenge_method', 'code', 'code_verifier'];

const client = ['client_id', 'client_secret'] as const;
const tokenMembers = ['access_token', 'expires_in', 'refresh_token', 'scope', 'token_type', 'id_token'];
const kinds = {
  authorize: {
    known: ['client_id', 'redirect_uri', 'scopes', 'existing_scopes'],
    reserved: reservedParams.slice(0, 3),
    members: [],
  },
  token: {
    known: [...client, 'redirect_uri', 'scopes', 'existing_scopes'],
    reserved: reservedParams.slice(3),
    members: tokenMembers,
  },
  refresh: {
    known: [...client, 'redirect_uri', 'scopes', 'existing_scopes', 'refresh_token', 'access_token'],
    reserved: [],
    members: tokenMembers,
  },
  user_info: { known: [...client, 'access_token'], reserved: [], members: null },
  introspection: {
    known: [...client, 'access_token', 'refresh_token'],
    reserved: [],
    members: ['expires_in', 'scope'],
  },
  revocation: { known: [...client, 'access_token', 'refresh_token'], reserved: [], members: [] },
} as const satisfies Record<string, RequestKind>;

const triggers = z.strictObject({
  on_token_grant: z.boolean().optional(),
  on_token_refresh: z.boolean().optional(),
});

const authorizeFields = requestFields(kinds.authorize);
const tokenFields = requestFields(kinds.token);
const refreshFields = requestFields(kinds.refresh);
const userInfoFields = { ...requestFields(kinds.user_info), triggers: triggers.optional() };
const introspectionFields = {
  ...requestFields(kinds.introspection),
  /** `false`: as if it were not there. */
  enabled: z.boolean().optional(),
  triggers: triggers.optional(),
};
const revocationFields = requestFields(kinds.revocation);

const general = {
  /** How scopes are joined; a space unless said. */
  scope_delimiter: scopeDelimiter.optional(),
  pkce: z
    .strictObject({ enabled: z.boolean().optional(), code_challenge_method: z.enum(['S256']).optional() })
    .optional(),
  /**
   * Whom the provider knows: `subject` is the same at every consent, `name` is what people call the account. Read from what the
   * user info request answers, or, without one, from the answer with the tokens.
   */
  account: z.strictObject({ subject: expression.optional(), name: expression.optional() }).optional(),
};
const credentials = {
  client_id: printable.max(1000),
  client_secret: z.string().min(1).max(1000).optional(),
};

const whole = <Fields extends z.ZodRawShape>(fields: Fields) => z.strictObject({ endpoint, ...fields });
/** On top of what there is, so that nothing but what is said has to be there. */
const layer = <Fields extends z.ZodRawShape>(fields: Fields) =>
  z.strictObject({ endpoint: endpoint.optional(), ...fields });

const layers = {
  ...general,
  authorize_request: layer(authorizeFields).optional(),
  token_request: layer(tokenFields).optional(),
  refresh_request: layer(refreshFields).optional(),
  user_info_request: layer(userInfoFields).optional(),
  token_introspection_request: layer(introspectionFields).optional(),
  /** RFC 7009. */
  revocation_request: layer(revocationFields).optional(),
};

/** As it is registered: on top of a well-known provider it says only what is different there. */
export const oauth2Request = z.strictObject({ ...credentials, ...layers }).superRefine(checkClientAuth);
export type OAuth2Request = z.infer<typeof oauth2Request>;

/** Of the config file, whose entries may have the client beside this block. */
export const declaredOAuth2Request = z
  .strictObject({ ...credentials, client_id: credentials.client_id.optional(), ...layers })
  .superRefine(checkClientAuth);

/** `PATCH`: what is left out stays; `params` and `response_map` are replaced as a whole; `null` takes a request away. */
export const oauth2Update = z
  .strictObject({
    client_id: credentials.client_id.optional(),
    client_secret: credentials.client_secret.nullable(),
    ...general,
    authorize_request: layers.authorize_request,
    token_request: layers.token_request,
    refresh_request: layers.refresh_request.nullable(),
    user_info_request: layers.user_info_request.nullable(),
    token_introspection_request: layers.token_introspection_request.nullable(),
    revocation_request: layers.revocation_request.nullable(),
  })
  .superRefine(checkClientAuth);
export type OAuth2Update = z.infer<typeof oauth2Update>;

/** Complete: what is done. */
export const oauth2Settings = z
  .strictObject({
    client_id: credentials.client_id,
    ...general,
    authorize_request: whole(authorizeFields),
    token_request: whole(tokenFields),
    refresh_request: whole(refreshFields).optional(),
    user_info_request: whole(userInfoFields).optional(),
    token_introspection_request: whole(introspectionFields).optional(),
    revocation_request: whole(revocationFields).optional(),
  })
  .superRefine(checkClientAuth);
export type OAuth2Settings = z.infer<typeof oauth2Settings>;

/** One request to a provider; its `params` may hold placeholders such as `{{client_id}}`. */
export type OAuth2RequestSettings = OAuth2Settings['token_request'];
export type TriggeredRequestSettings = NonNullable<OAuth2Settings['user_info_request']>;

/** Providers refuse a client that says who it is in two ways (RFC 6749 §2.3), and seldom say why. */
function checkClientAuth(settings: { readonly [member: string]: unknown }, context: z.RefinementCtx): void {
  for (const [name, request] of Object.entries(settings)) {
    if (!name.endsWith('_request') || typeof request !== 'object' || request === null) continue;
    const { auth_method: method, params = {} } = request as Partial<OAuth2RequestSettings>;
    const twice = Object.entries(params).find(([, value]) => value.includes('{{client_secret}}'));
    if (method !== 'client_secret_basic' || twice === undefined) continue;
    const message =
      'sends the client secret a second time, which providers refuse: auth_method sends it already';
    context.addIssue({ code: 'custom', path: [name, 'params', twice[0]], message });
  }
}
