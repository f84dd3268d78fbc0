import { z } from 'zod';
import { pageQuery } from '../page.ts';
import type { SecretResponse } from '../secret-response.ts';
import { directories, type GroupAccessResponse } from './directories.ts';
import { activeOrNot, type BindingType, bindingType, type HookResponse, hookConduct } from './hooks.ts';
import { entryName } from './parts.ts';
import { httpUrl, printableSecret, withIssues } from './plugin-parts.ts';

/** Requests and answers of `/v1/plugins`: hook servers, and what is built in. */

export const pluginTypes = ['webhook', 'rate_limit', 'group_access'] as const;
export type PluginType = (typeof pluginTypes)[number];

/** What holds where nothing is said. */
export const pluginDefaults = {
  timeout_ms: 5000,
  cache_ttl_ms: 60_000,
  health_check_path: '/health',
  retry: {
    enabled: true,
    max_attempts: 3,
    base_delay_ms: 100,
    backoff: 'exponential',
    retry_on: ['timeout', 'connection_error', '5xx'],
  },
} as const;

const endpointFields = {
  url: httpUrl,
  timeout_ms: z.int().min(100).max(120_000).optional(),
  cache_enabled: z.boolean().optional(),
  cache_ttl_ms: z.int().min(1000).max(604_800_000).optional(),
};
const endpoint = z.strictObject({ ...endpointFields, ...hookConduct });
/** In the config file hooks may stand by themselves. */
const declaredEndpoint = z
  .strictObject({ ...endpointFields, ...z.strictObject(hookConduct).partial().shape })
  .superRefine(({ failure_mode, phase, priority, status }, context) => {
    const isHook = [failure_mode, phase, priority, status].some((given) => given !== undefined);
    for (const [field, given] of Object.entries({ failure_mode, phase }))
      if (isHook && given === undefined)
        context.addIssue({
          code: 'custom',
          path: [field],
          message: 'is required where the endpoint has a hook',
        });
  });
const threeOf = <Endpoint extends z.ZodType>(one: Endpoint) =>
  z.strictObject({ access: one.optional(), pre: one.optional(), post: one.optional() });

const pem = (what: 'CERTIFICATE' | 'PRIVATE KEY') =>
  z
    .string()
    .max(64 * 1024)
    .regex(
      what === 'CERTIFICATE' ? /-----BEGIN CERTIFICATE-----/ : /-----BEGIN (EC |RSA )?PRIVATE KEY-----/,
      {
        error: `must be a ${what.toLowerCase()} in PEM`,
      },
    );
const auth = z.strictObject({
  /** By what is given, where it is left out. */
  type: z.enum(['bearer', 'mtls', 'none']).optional(),
  token: printableSecret.optional(),
  /** Vouches for the hook server, instead of the authorities that the system trusts. */
  ca_cert: pem('CERTIFICATE').optional(),
  client_cert: pem('CERTIFICATE').optional(),
  client_key: pem('PRIVATE KEY').optional(),
});
export type WebhookAuth = z.infer<typeof auth>;

const healthCheckPath = z
  .string()
  .max(1024)
  .regex(/^\/[\x21-\x22\x24-\x7e]*$/, 'must begin with / and hold no space');

const retry = z.strictObject({
  enabled: z.boolean().optional(),
  max_attempts: z.int().min(1).max(10).optional(),
  base_delay_ms: z.int().min(10).max(10_000).optional(),
  backoff: z.enum(['fixed', 'exponential']).optional(),
  /** All of them where it is left out. */
  retry_on: z
    .array(
      z
        .string()
        .regex(
          /^(timeout|connection_error|5xx|5\d\d)$/,
          'must be timeout, connection_error, 5xx or a status of 500 to 599',
        ),
    )
    .max(20)
    .optional(),
});
export type RetryConfig = z.infer<typeof retry>;

const toolMatch = z
  .string()
  .max(512)
  .regex(/^(\*|[^*\p{Cc}]+\.\*|[^*\p{Cc}]+\.[^*\p{Cc}]+)$/u, 'must be Toolkit.Tool, Toolkit.* or *');

/** Fixed windows in UTC; every tool is counted by itself, all users together. The most specific match counts. */
const rateLimitConfig = z.strictObject({
  rules: z
    .array(
      z.strictObject({
        match: toolMatch,
        limit: z.int().min(1).max(1_000_000_000),
        time_unit: z.enum(['s', 'm', 'h', 'd', 'mo']),
        /** Where the count cannot be known. */
        allow_on_unavailable: z.boolean().optional(),
      }),
    )
    .min(1)
    .max(100),
});
export type RateLimitConfig = z.infer<typeof rateLimitConfig>;

const groupRules = z
  .array(
    z.strictObject({
      match: toolMatch,
      /** Ids or names; one of them is enough. */
      required_groups: z.array(z.string().min(1).max(512)).min(1).max(50),
      /** Whether it stays visible where the directory does not answer. */
      allow_on_unavailable: z.boolean().optional(),
    }),
  )
  .min(1)
  .max(100);
/** A tool that no rule matches stays visible. The most specific match counts. */
const groupAccessConfig = z
  .strictObject({ ...directories, rules: groupRules })
  .superRefine(({ backend, ...config }, context) => {
    for (const name of directories.backend.options) {
      if ((config[name] !== undefined) === (name === backend)) continue;
      const message =
        name === backend
          ? `is required for the backend "${backend}"`
          : `does not belong to the backend "${backend}"`;
      context.addIssue({ code: 'custom', path: [name], message });
    }
  });
export type GroupAccessConfig = z.infer<typeof groupAccessConfig>;

const webhookConfig = <Endpoint extends z.ZodType>(one: Endpoint) =>
  z.strictObject({
    endpoints: threeOf(one),
    auth: auth.optional(),
    health_check_path: healthCheckPath.optional(),
  });

const fields = {
  name: entryName.min(1),
  description: z.string().max(1000).optional(),
  plugin_type: z.enum(pluginTypes),
  status: activeOrNot.optional(),
  retry: retry.optional(),
  rate_limit_config: rateLimitConfig.optional(),
  group_access_config: groupAccessConfig.optional(),
};

interface Checked {
  readonly plugin_type: PluginType;
  readonly retry?: RetryConfig | undefined;
  readonly webhook_config?:
    | {
        readonly endpoints: { readonly [point: string]: { readonly url: string } | undefined };
        readonly auth?: WebhookAuth | undefined;
      }
    | undefined;
  readonly rate_limit_config?: unknown;
  readonly group_access_config?: unknown;
}

const configOf = {
  webhook: 'webhook_config',
  rate_limit: 'rate_limit_config',
  group_access: 'group_access_config',
} as const;

function checkPlugin(plugin: Checked, context: z.RefinementCtx): void {
  const issue = withIssues(context);
  const { plugin_type: type, webhook_config: webhook } = plugin;
  for (const [owner, field] of Object.entries(configOf)) {
    if (owner === type && plugin[field] === undefined) issue([field], `is required for the type "${type}"`);
    if (owner !== type && plugin[field] !== undefined)
      issue([field], `does not belong to the type "${type}"`);
  }
  if (type !== 'webhook' && plugin.retry !== undefined)
    issue(['retry'], `does not belong to the type "${type}"`);
  if (type !== 'webhook' || webhook === undefined) return;
  const endpoints = Object.entries(webhook.endpoints).filter(([, endpoint]) => endpoint !== undefined);
  if (endpoints.length === 0) issue(['webhook_config', 'endpoints'], 'must have one of access, pre, post');
  checkAuth(webhook.auth ?? {}, (field, message) => issue(['webhook_config', 'auth', field], message));
  const needsTls = authTypeOf(webhook.auth) === 'mtls' || webhook.auth?.ca_cert !== undefined;
  for (const [point, endpoint] of endpoints) {
    if (needsTls && !endpoint?.url.toLowerCase().startsWith('https:'))
      issue(
        ['webhook_config', 'endpoints', point, 'url'],
        'must begin with https:// where certificates are used',
      );
  }
}

function checkAuth(auth: WebhookAuth, issue: (field: string, message: string) => void): void {
  const type = authTypeOf(auth);
  if (type === 'bearer' && auth.token === undefined) issue('token', 'is required for the type "bearer"');
  if (type !== 'bearer' && auth.token !== undefined) issue('token', `does not belong to the type "${type}"`);
  for (const field of ['client_cert', 'client_key'] as const) {
    if (type === 'mtls' && auth[field] === undefined) issue(field, 'is required for the type "mtls"');
    if (type !== 'mtls' && auth[field] !== undefined) issue(field, `does not belong to the type "${type}"`);
  }
}

export function authTypeOf(auth: WebhookAuth | undefined): 'bearer' | 'mtls' | 'none' {
  if (auth?.type !== undefined) return auth.type;
  if (auth?.token !== undefined) return 'bearer';
  return auth?.client_cert !== undefined || auth?.client_key !== undefined ? 'mtls' : 'none';
}

/** `POST /v1/plugins`. Each endpoint becomes a hook. */
export const createPluginRequest = z
  .strictObject({ ...fields, webhook_config: webhookConfig(endpoint).optional() })
  .superRefine(checkPlugin);
export type CreatePluginRequest = z.infer<typeof createPluginRequest>;

/**
 * An entry of `plugins` in the config file: as over the API, with an id that its hooks name. An endpoint that says nothing
 * about its hook has none of its own; `hooks` may hold it.
 */
export const declaredPluginRequest = z
  .strictObject({
    id: z
      .string()
      .regex(
        /^(?!plg_)[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
        'must be 1 to 100 of A-Z a-z 0-9 . _ - , begin with a letter or digit, and not begin with plg_',
      ),
    /** `project` where it is left out; `tenant`: of the organisation. */
    binding_type: bindingType.optional(),
    ...fields,
    webhook_config: webhookConfig(declaredEndpoint).optional(),
  })
  .superRefine(checkPlugin);
export type DeclaredPluginRequest = z.infer<typeof declaredPluginRequest>;

/** What is kept of a plugin: what its endpoints said of their hooks, these say themselves. */
export const pluginDefinition = z
  .strictObject({ ...fields, webhook_config: webhookConfig(z.strictObject(endpointFields)).optional() })
  .superRefine(checkPlugin);
export type PluginDefinition = z.infer<typeof pluginDefinition>;

/**
 * `PATCH /v1/plugins/{id}`: what is left out stays. A new endpoint takes `url`, `failure_mode` and `phase`; what is said of a
 * hook goes to the hook. `rules` are replaced as a whole; a secret that is left out stays.
 */
export const updatePluginRequest = z.strictObject({
  name: fields.name.optional(),
  description: fields.description,
  status: fields.status,
  retry: fields.retry,
  webhook_config: z
    .strictObject({ endpoints: threeOf(endpoint.partial()), auth, health_check_path: healthCheckPath })
    .partial()
    .optional(),
  rate_limit_config: rateLimitConfig.optional(),
  group_access_config: z
    .strictObject({
      okta: directories.okta.unwrap().partial(),
      entra: directories.entra.unwrap().partial(),
      sailpoint: directories.sailpoint.unwrap().partial(),
      backend: directories.backend,
      rules: groupRules,
    })
    .partial()
    .optional(),
});
export type UpdatePluginRequest = z.infer<typeof updatePluginRequest>;

export const pluginsQuery = pageQuery.extend({ binding_type: bindingType.optional() });

interface EndpointResponse {
  url: string;
  timeout_ms: number;
  cache_enabled: boolean;
  cache_ttl_ms?: number;
}

export interface PluginResponse {
  id: string;
  name: string;
  description?: string;
  plugin_type: PluginType;
  status: 'active' | 'inactive';
  /** `static`: declared in the config file, read-only here. */
  binding: { type: 'static' | BindingType; id: string };
  health_status: 'healthy' | 'degraded' | 'unhealthy' | 'unknown';
  webhook_config?: {
    endpoints: { access?: EndpointResponse; pre?: EndpointResponse; post?: EndpointResponse };
    auth: {
      type: 'bearer' | 'mtls' | 'none';
      token?: SecretResponse;
      ca_cert?: string;
      client_cert_configured?: boolean;
      client_key_configured?: boolean;
    };
    health_check_path: string;
  };
  retry?: Required<RetryConfig>;
  rate_limit_config?: RateLimitConfig;
  group_access_config?: GroupAccessResponse & { rules: GroupAccessConfig['rules'] };
  version: number;
  created_by?: string;
  updated_by?: string;
  created_at?: string;
  updated_at?: string;
}

export type CreatePluginResponse = PluginResponse & { hooks: HookResponse[] };
