import type { ConfigFile } from './config-file.ts';
import type { Path } from './mistakes.ts';

const hidden = '[redacted]';

/** Fields that are secret even where the file holds them in plain text; `*` is any key. */
const secretFields: readonly Path[] = [
  ['workers', '*', 'http', 'secret'],
  ['workers', '*', 'mcp', 'headers', '*'],
  ['workers', '*', 'mcp', 'secrets', '*'],
  ['workers', '*', 'mcp', 'stdio', 'env', '*'],
  ['workers', '*', 'mcp', 'oauth2', 'client_secret'],
  ['gateways', '*', 'user_assertion', 'secret'],
  ['secrets', '*', 'value'],
  ['user_sources', '*', 'client_secret'],
  ['user_sources', '*', 'client_private_key'],
  ['auth_providers', '*', 'oauth2', 'client_secret'],
  ['auth_providers', '*', 'token_exchange', 'client_secret'],
  ['plugins', '*', 'webhook_config', 'auth', 'token'],
  ['plugins', '*', 'webhook_config', 'auth', 'client_key'],
  ['plugins', '*', 'group_access_config', '*', 'api_token'],
  ['plugins', '*', 'group_access_config', '*', 'client_secret'],
  ['security', 'root_keys', '*', 'value'],
  ['security', 'root_keys', '*', 'aws_kms', 'secret_access_key'],
  ['security', 'root_keys', '*', 'aws_kms', 'session_token'],
  ['security', 'root_keys', '*', 'gcp_kms', 'credentials'],
  ['security', 'root_keys', '*', 'azure_key_vault', 'client_secret'],
  ['security', 'root_keys', '*', 'vault_transit', 'token'],
  ['hub', '*', 'key'],
];

/** The config as plain data for printing: secrets, and whatever came by reference, are replaced. */
export function redact(config: ConfigFile): Record<string, unknown> {
  const paths = [...config.references, ...secretFields];
  return copy(
    {
      workers: config.workers.map(({ request }) => request),
      gateways: config.gateways.map(({ id, request }) => ({ id, ...request })),
      grants: config.grants.map(({ request }) => request),
      rules: config.rules.map(({ request }) => request),
      limits: config.limits.map(({ request }) => request),
      plugins: config.plugins.map(({ request }) => request),
      hooks: config.hooks.map(({ request }) => request),
      user_sources: config.userSources.map(({ request }) => request),
      auth_providers: config.authProviders.map(({ request }) => request),
      secrets: config.secrets.map(({ request }) => request),
      egress: { allow: config.egressAllow },
      audit: { durability: config.auditDurability },
      security: { root_keys: config.rootKeys },
      hub: config.hub,
    },
    paths,
  ) as Record<string, unknown>;
}

/** `paths` are relative to `value`; a value that a path leads to exactly is hidden. */
function copy(value: unknown, paths: readonly Path[]): unknown {
  if (paths.some((path) => path.length === 0)) return hidden;
  const below = (key: string) =>
    paths.filter(([head]) => head === '*' || String(head) === key).map((path) => path.slice(1));
  if (Array.isArray(value)) return value.map((item, index) => copy(item, below(String(index))));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copy(item, below(key))]));
}
