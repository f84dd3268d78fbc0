import { z } from 'zod';
import type { SecretResponse } from './secret-response.ts';

/** Requests and answers of `/v1/workers`: sources of tools, in Arcade's words. */

const uri = z
  .string()
  .max(2048)
  .refine(isHttpUrl, 'must be an http:// or https:// URL without user name and password');
const timeoutSeconds = z.int().min(1).max(3600);
const retry = z.int().min(0).max(10);
/** Seconds for single tools, by the name that their source gives them. */
const toolTimeouts = z.record(z.string().min(1).max(256), timeoutSeconds);
const workerSecret = z.string().min(1).max(100);

const secretNameForm = /^[A-Za-z0-9_.-]{1,100}$/;
const headerName = z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$/, 'is not a valid header name');
const headerValue = z
  .string()
  .max(8192)
  .refine(isHeaderText, 'must not contain line breaks or control characters')
  .refine(namesSecrets, 'refers to a secret by a name that no secret can have');
const headers = z.record(headerName, headerValue).superRefine((given, context) => {
  for (const name of Object.keys(given)) {
    if (connectionHeaders.has(name.toLowerCase())) {
      context.addIssue({ code: 'custom', path: [name], message: 'is set by the connection itself' });
    }
  }
});
const connectionHeaders = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
]);
const secretName = z.string().regex(secretNameForm, 'is not a valid secret name');
const secretValue = z
  .string()
  .min(1)
  .max(5000)
  .refine(isHeaderText, 'must not contain line breaks or control characters');

/** Of which provider each call carries the user's token; an `auth_provider` of the project. */
const authProvider = z.strictObject({
  id: z.string().min(1).max(100),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,500}$/, 'is not a valid scope'))
    .max(100)
    .default([]),
});

const oauth2Update = z.strictObject({
  client_id: z.string().max(1000).optional(),
  client_secret: z.string().max(1000).optional(),
  authorization_url: z.string().max(2048).optional(),
  /** Users are known there by the word of their own issuer (ID-JAG), and never asked to consent. */
  identity_assertion: z.boolean().optional(),
});
const oauth2 = oauth2Update.extend({ external_id: z.string().max(100).optional() });

export const workerId = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
    'must be 1 to 100 of A-Z a-z 0-9 . _ - and begin with a letter or digit',
  );

const httpBlock = z.strictObject({
  uri,
  secret: workerSecret,
  timeout: timeoutSeconds.default(30),
  tool_timeouts: toolTimeouts.optional(),
  retry: retry.default(3),
});
/** Whoever may declare a process may run anything on this machine: that is for whoever writes the config file. */
const fileOnly = z
  .never('belongs in the config file: over the API no process is started; give the uri of a server')
  .optional();
const mcpBlock = z.strictObject({
  // First, as what is said of it explains that the uri is missing.
  stdio: fileOnly,
  uri,
  timeout: timeoutSeconds.default(30),
  tool_timeouts: toolTimeouts.optional(),
  retry: retry.default(3),
  /** `${secret:NAME}` stands for an entry of `secrets`, or else for a secret of the project. */
  headers: headers.default({}),
  secrets: z.record(secretName, secretValue).default({}),
  oauth2: oauth2.optional(),
  auth_provider: authProvider.optional(),
});

const processText = z.string().max(10_000).refine(isProcessText, 'must not contain a NUL character');
const environmentName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,255}$/, 'is not a valid name of an environment variable');

/** An MCP server that we start ourselves and speak to over its standard input and output. */
const stdioBlock = z.strictObject({
  command: processText.min(1),
  args: z.array(processText).max(1000).default([]),
  env: z.record(environmentName, processText).default({}),
  /** Where it runs; where we do unless given. */
  cwd: processText.min(1).optional(),
  /** A process for each user instead of one for all. */
  per_user: z.boolean().default(false),
});

/** What becomes of a tool whose definition differs from the one that was approved. */
const pin = z.enum(['off', 'warn', 'quarantine']);

const workerHead = {
  id: workerId,
  enabled: z.boolean().default(true),
  /** `off` unless given. */
  pin: pin.optional(),
  type: z.enum(['http', 'mcp']).optional(),
  http: httpBlock.optional(),
};

/** `POST /v1/workers`. `type` may be left out: one block is enough. */
export const createWorkerRequest = z
  .strictObject({ ...workerHead, mcp: mcpBlock.optional() })
  .superRefine(checkBlocks);
export type CreateWorkerRequest = z.infer<typeof createWorkerRequest>;

/** An entry of `workers` in the config file: as over the API, or an MCP server that we start ourselves. */
export const declaredWorkerRequest = z
  .strictObject({
    ...workerHead,
    mcp: mcpBlock.extend({ uri: uri.optional(), stdio: stdioBlock.optional() }).optional(),
  })
  .superRefine((request, context) => {
    checkBlocks(request, context);
    if (request.mcp !== undefined) checkWay(request.mcp, context);
  });
export type DeclaredWorkerRequest = z.infer<typeof declaredWorkerRequest>;

type DeclaredMcp = NonNullable<DeclaredWorkerRequest['mcp']>;

function checkWay(
  { uri, stdio, headers, secrets, oauth2, auth_provider }: DeclaredMcp,
  context: z.RefinementCtx,
): void {
  const issue = (field: string, message: string) =>
    context.addIssue({ code: 'custom', path: ['mcp', field], message });
  if (stdio === undefined) {
    if (uri === undefined) issue('uri', 'is missing; expected a uri, or stdio with a command to start');
    return;
  }
  if (uri !== undefined) issue('stdio', 'expected either uri or stdio, got both');
  const ofHttp = { headers, secrets, oauth2, auth_provider };
  for (const [field, given] of Object.entries(ofHttp)) {
    if (Object.keys(given ?? {}).length > 0) {
      issue(field, 'belongs to a uri; what a process is to know stands in stdio.env');
    }
  }
}

/** `PATCH /v1/workers/{id}`: what is left out stays. `headers` and `tool_timeouts` are replaced as a whole; of `secrets` only those named. */
export const updateWorkerRequest = z.strictObject({
  enabled: z.boolean().optional(),
  pin: pin.optional(),
  http: z
    .strictObject({
      uri,
      secret: workerSecret,
      timeout: timeoutSeconds,
      tool_timeouts: toolTimeouts,
      retry,
    })
    .partial()
    .optional(),
  mcp: z
    .strictObject({
      stdio: fileOnly,
      uri,
      timeout: timeoutSeconds,
      tool_timeouts: toolTimeouts,
      retry,
      headers,
      /** `null` removes a secret. */
      secrets: z.record(secretName, secretValue.nullable()),
      oauth2: oauth2Update,
      /** `null`: calls carry no user's token any more. */
      auth_provider: authProvider.nullable(),
    })
    .partial()
    .optional(),
});
export type UpdateWorkerRequest = z.infer<typeof updateWorkerRequest>;

/** `POST /v1/workers/test`. */
export const testWorkerRequest = z
  .strictObject({
    type: z.enum(['http', 'mcp']).optional(),
    http: z.strictObject({ uri, secret: workerSecret.optional() }).optional(),
    mcp: z.strictObject({ stdio: fileOnly, uri, headers: headers.default({}) }).optional(),
  })
  .superRefine(checkBlocks);
export type TestWorkerRequest = z.infer<typeof testWorkerRequest>;

function checkBlocks(
  request: { type?: 'http' | 'mcp' | undefined; http?: unknown; mcp?: unknown },
  context: z.RefinementCtx,
): void {
  const issue = (path: string, message: string) =>
    context.addIssue({ code: 'custom', path: [path], message });
  const type = request.type ?? (request.http === undefined && request.mcp !== undefined ? 'mcp' : 'http');
  if (request[type] === undefined) {
    issue(
      type,
      request.type === undefined ? 'one of "http" and "mcp" is required' : `is required for type "${type}"`,
    );
  }
  const other = type === 'http' ? 'mcp' : 'http';
  if (request[other] !== undefined) issue(other, `does not belong to type "${type}"`);
}

/** The names that a header value refers to as `${secret:NAME}`. */
export function secretReferences(value: string): readonly string[] {
  return [...value.matchAll(/\$\{secret:([^}]*)\}/g)].map((match) => match[1] ?? '');
}

function namesSecrets(value: string): boolean {
  return secretReferences(value).every((name) => secretNameForm.test(name));
}

function isProcessText(text: string): boolean {
  return !text.includes('\0');
}

function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return (
    (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === ''
  );
}

function isHeaderText(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f || code > 0xff) return false;
  }
  return true;
}

/** What is known about the health of a worker, and which step failed. */
export interface WorkerStatus {
  state: 'unknown' | 'healthy' | 'unhealthy' | 'disabled';
  message: string;
  failed_step: string | null;
  steps: { step: string; ok: boolean; detail: string }[];
  tool_count: number;
  prompt_count: number;
  resource_count: number;
  /** Tools held back because their definitions changed: `GET /v1/workers/{id}/changes`. */
  quarantined_count: number;
  checked_at: string | null;
  protocol_version: string | null;
  server_info: { name: string; version: string; description?: string } | null;
}

export interface WorkerResponse {
  id: string;
  type: 'http' | 'mcp';
  enabled: boolean;
  pin: 'off' | 'warn' | 'quarantine';
  /** Run by us; always false: workers run elsewhere. */
  managed: boolean;
  binding: { type: 'static' | 'project'; id: string };
  http?: {
    uri: string;
    timeout: number;
    tool_timeouts: Record<string, number>;
    retry: number;
    secret: SecretResponse;
  };
  mcp?: {
    /** `stdio:` and the command, where the gateway starts the server itself. */
    uri: string;
    timeout: number;
    tool_timeouts: Record<string, number>;
    retry: number;
    headers: Record<string, string>;
    secrets: Record<string, SecretResponse>;
    oauth2?: {
      client_id?: string;
      client_secret?: SecretResponse;
      authorization_url?: string;
      identity_assertion?: boolean;
      external_id?: string;
    };
    auth_provider?: { id: string; scopes: string[] };
    /** Where its users come back from consenting: for who registers a client there by hand. */
    redirect_uri?: string;
  };
  requirements: { met: boolean; authorization: { met: boolean; oauth2: { met: boolean } } };
  status: WorkerStatus;
  /** Not for what the config file declares. */
  created_at?: string;
  updated_at?: string;
}

/** `POST /v1/workers/{id}/authorize`. */
export const authorizeWorkerRequest = z.strictObject({
  /** As which user its tools are listed from now on; nobody in particular unless given. */
  user_id: z.string().min(1).max(256).optional(),
});
export type AuthorizeWorkerRequest = z.infer<typeof authorizeWorkerRequest>;

export interface AuthorizeWorkerResponse {
  /** `ac_…` */
  authorization_id: string;
  /** To be opened in a browser within ten minutes. */
  authorization_url: string;
  scopes: string[];
}

/** Answer of `GET /v1/workers/{id}/authorize`, in Arcade's shape. */
export interface WorkerAuthorizationResponse {
  worker_id: string;
  /** As whom its tools are listed; `''`: nobody in particular. */
  user_id: string;
  status: 'pending' | 'completed';
  /** To be opened in a browser; only while it is pending. */
  url?: string;
  scopes: string[];
}

export interface WorkerHealthResponse {
  id: string;
  enabled: boolean;
  healthy: boolean;
  message: string;
}

export interface WorkerTestResponse {
  success: boolean;
  message: string;
  serverInfo?: { name: string; version: string; description?: string };
  status: WorkerStatus;
}

/** `GET /v1/workers/{id}/changes`: tools whose definitions are not the approved ones. */
export interface ToolChangeResponse {
  /** `Toolkit.Tool`. */
  tool: string;
  tool_id: string;
  /** `flagged`: it is used all the same; `quarantined`: it is held back. */
  state: 'flagged' | 'quarantined';
  seen_at: string;
  /** Names this definition; approving it approves nothing that came later. */
  digest: string;
  /** By JSON pointer; a side that is missing was not there. Long values are cut. */
  changes: { path: string; before?: unknown; after?: unknown }[];
  /** How many further differences are not told. */
  left_out: number;
  /** The new definition, whole. */
  definition: Record<string, unknown>;
}

/** `POST /v1/workers/{id}/changes/approve`: which of them. */
export const approveChangesRequest = z
  .strictObject({
    /** `Toolkit.Tool`. */
    tools: z.array(z.string().max(300)).max(10_000).optional(),
    /** As `GET /v1/workers/{id}/changes` gave them. */
    digests: z.array(z.string().max(100)).max(10_000).optional(),
    all: z.literal(true).optional(),
  })
  .refine(
    ({ tools, digests, all }) => [tools, digests, all].filter((one) => one !== undefined).length === 1,
    {
      message: 'expected one of "tools", "digests" and "all"',
    },
  );
export type ApproveChangesRequest = z.infer<typeof approveChangesRequest>;

export interface ApproveChangesResponse {
  approved: ToolChangeResponse[];
}
