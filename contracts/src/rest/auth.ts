import { z } from 'zod';

/** Requests and answers of `/v1/auth/…`, and of what else begins or asks for an authorization. */

const userId = z.string().min(1).max(256);
const scope = z
  .string()
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,500}$/, 'must be one scope: printable, without spaces and quotes');

/** Where a browser goes on: an address of the web, and nothing that a browser would run. */
export const nextUri = z
  .string()
  .max(2048)
  .refine(isWebAddress, 'must be an http:// or https:// URL without user name and password');

/** `POST /v1/auth/authorize`. `null` is as good as left out: Python's clients, and the tools of its workers, say it like that. */
export const authorizeRequest = z.strictObject({
  auth_requirement: z
    .strictObject({
      /** Of the auth provider. */
      id: z.string().max(100).nullish(),
      /** A well-known provider (`github`); the only one of its kind in the project, or the one whose id is its name. */
      provider_id: z.string().max(100).nullish(),
      /** Clients of Arcade say `oauth2` whatever it is; the provider knows. */
      provider_type: z.string().max(100).nullish(),
      oauth2: z.strictObject({ scopes: z.array(scope).max(200).nullish() }).nullish(),
    })
    .refine(({ id, provider_id }) => Boolean(id) || Boolean(provider_id), 'must have an id or a provider_id'),
  user_id: userId,
  next_uri: nextUri.nullish(),
});
export type AuthorizeRequest = z.infer<typeof authorizeRequest>;

/** `POST /v1/tools/authorize`. `user_id` may be left out where the credential stands for a user. */
export const authorizeToolRequest = z.strictObject({
  tool_name: z.string().min(1).max(512),
  tool_version: z.string().max(256).nullish(),
  user_id: userId.nullish(),
  next_uri: nextUri.nullish(),
});
export type AuthorizeToolRequest = z.infer<typeof authorizeToolRequest>;

const maxWaitSeconds = 59;

/** `GET /v1/auth/status`. A longer `wait` (seconds) is read as the longest. */
export const authStatusQuery = z.object({
  id: z.string().min(1).max(256),
  wait: z.coerce
    .number()
    .int()
    .min(0)
    .default(0)
    .transform((seconds) => Math.min(seconds, maxWaitSeconds)),
});
export type AuthStatusQuery = z.infer<typeof authStatusQuery>;

/** `POST /v1/auth/confirm_user`: the project's own verifier says who is at the browser. */
export const confirmUserRequest = z.strictObject({ flow_id: z.string().min(1).max(256), user_id: userId });
export type ConfirmUserRequest = z.infer<typeof confirmUserRequest>;

export interface ConfirmUserResponse {
  /** `ac_…` */
  auth_id: string;
  /** Where the browser goes on; left out where it has nowhere to go. */
  next_uri?: string;
}

/** Where browsers may be sent with the id of a flow: nobody else may read it on the way. */
export const verifierUrl = z
  .string()
  .max(2048)
  .refine(
    isSafeAddress,
    'must be an https:// URL (http:// only on this machine) without user name, password and #',
  );

/** `POST /v1/auth/validate_custom_verifier`: a flow that leads to a verifier and nowhere else. */
export const validateVerifierRequest = z.strictObject({ user_id: userId, verifier_url: verifierUrl });
export type ValidateVerifierRequest = z.infer<typeof validateVerifierRequest>;

export interface ValidateVerifierResponse {
  flow_id: string;
  /** To be opened in a browser that is signed in as the user. */
  next_uri: string;
}

export type AuthorizationStatus = 'not_started' | 'pending' | 'completed' | 'failed';

export interface AuthorizationResponse {
  /** `ac_…` */
  id: string;
  status: AuthorizationStatus;
  /** To be opened in the user's browser; only while it is pending. */
  url?: string;
  scopes: string[];
  /** Of the auth provider, or of the MCP server. */
  provider_id: string;
  user_id: string;
  /** Only where it is completed, and not for API keys that are restricted to tools. */
  context?: { token: string; user_info: Record<string, unknown> };
  /** Only where it failed; told once. */
  error?: { code: string; message: string; advice: string };
}

function isWebAddress(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    url.username === '' &&
    url.password === '' &&
    isOneLine(text)
  );
}

function isSafeAddress(text: string): boolean {
  if (!isWebAddress(text) || text.includes('#')) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
}

/** Parsers of addresses leave out line breaks and tabs, which not everybody does. */
function isOneLine(text: string): boolean {
  return /^[^\p{Cc}\s]+$/u.test(text);
}
