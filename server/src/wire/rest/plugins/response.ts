import { authTypeOf, type PluginResponse, pluginDefaults, type SecretResponse } from '@sallyport/contracts';
import type { PluginEntry } from '#policy';

type Secret = (value: string | undefined) => SecretResponse;

/** A plugin in the words of the wire. No secret is in it. */
export function pluginResponse(entry: PluginEntry, health: PluginResponse['health_status']): PluginResponse {
  const { id, projectId, origin, createdAt, updatedAt, definition } = entry;
  const { plugin, binding, version, createdBy, updatedBy } = definition;
  const fromFile = origin === 'file';
  const secret: Secret = (value) => ({
    exists: value !== undefined,
    editable: !fromFile,
    value: '',
    binding: fromFile ? 'static' : 'project',
  });
  return {
    id,
    name: plugin.name,
    ...(plugin.description === undefined ? {} : { description: plugin.description }),
    plugin_type: plugin.plugin_type,
    status: plugin.status ?? 'active',
    binding: { type: fromFile ? 'static' : binding, id: binding === 'tenant' ? 'default' : projectId },
    health_status: health,
    ...webhookResponse(entry, secret),
    ...(plugin.retry === undefined ? {} : { retry: retryResponse(plugin.retry) }),
    ...(plugin.rate_limit_config === undefined ? {} : { rate_limit_config: plugin.rate_limit_config }),
    ...groupAccessResponse(entry, secret),
    version,
    ...(createdBy === null ? {} : { created_by: createdBy }),
    ...(updatedBy === null ? {} : { updated_by: updatedBy }),
    ...(fromFile ? {} : { created_at: createdAt, updated_at: updatedAt }),
  };
}

function retryResponse(retry: object): Required<NonNullable<PluginResponse['retry']>> {
  const { retry_on, ...rest } = { ...pluginDefaults.retry, ...retry };
  return { ...rest, retry_on: [...retry_on] };
}

function webhookResponse(
  { definition: { plugin } }: PluginEntry,
  secret: Secret,
): Pick<PluginResponse, 'webhook_config'> {
  const config = plugin.webhook_config;
  if (config === undefined) return {};
  const { auth, endpoints, health_check_path = pluginDefaults.health_check_path } = config;
  const type = authTypeOf(auth);
  return {
    webhook_config: {
      endpoints: Object.fromEntries(
        definedEntries(endpoints).map(([point, { url, timeout_ms, cache_enabled = false, cache_ttl_ms }]) => [
          point,
          {
            url,
            timeout_ms: timeout_ms ?? pluginDefaults.timeout_ms,
            cache_enabled,
            ...(cache_enabled ? { cache_ttl_ms: cache_ttl_ms ?? pluginDefaults.cache_ttl_ms } : {}),
          },
        ]),
      ),
      auth: {
        type,
        ...(type === 'bearer' ? { token: secret(auth?.token) } : {}),
        ...(auth?.ca_cert === undefined ? {} : { ca_cert: auth.ca_cert }),
        ...(type === 'mtls'
          ? {
              client_cert_configured: auth?.client_cert !== undefined,
              client_key_configured: auth?.client_key !== undefined,
            }
          : {}),
      },
      health_check_path,
    },
  };
}

function groupAccessResponse(
  { definition: { plugin } }: PluginEntry,
  secret: Secret,
): Pick<PluginResponse, 'group_access_config'> {
  if (plugin.group_access_config === undefined) return {};
  const { backend, rules, okta, entra, sailpoint } = plugin.group_access_config;
  return {
    group_access_config: {
      backend,
      ...(okta === undefined ? {} : { okta: { ...okta, api_token: secret(okta.api_token) } }),
      ...(entra === undefined ? {} : { entra: { ...entra, client_secret: secret(entra.client_secret) } }),
      ...(sailpoint === undefined
        ? {}
        : { sailpoint: { ...sailpoint, client_secret: secret(sailpoint.client_secret) } }),
      rules,
    },
  };
}

function definedEntries<Value>(of: { readonly [name: string]: Value | undefined }): [string, Value][] {
  return Object.entries(of).flatMap(([name, value]): [string, Value][] =>
    value === undefined ? [] : [[name, value]],
  );
}
