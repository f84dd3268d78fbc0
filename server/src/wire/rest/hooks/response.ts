import { type HookResponse, pluginDefaults } from '@sallyport/contracts';
import type { HookEntry, PluginEntry } from '#policy';

const endpointOf = { 'tool.access': 'access', 'tool.pre': 'pre', 'tool.post': 'post' } as const;

/** A hook in the words of the wire, with what it takes from its plugin's endpoint. */
export function hookResponse(
  { id, origin, createdAt, updatedAt, definition }: HookEntry,
  plugin: PluginEntry | null,
): HookResponse {
  const { hook, version } = definition;
  const endpoint = plugin?.definition.plugin.webhook_config?.endpoints[endpointOf[hook.hook_point]];
  return {
    id,
    name: hook.name,
    plugin_id: hook.plugin_id,
    hook_point: hook.hook_point,
    phase: hook.phase,
    priority: hook.priority ?? 0,
    failure_mode: hook.failure_mode,
    status: hook.status ?? 'active',
    timeout_ms: hook.timeout_ms ?? endpoint?.timeout_ms ?? pluginDefaults.timeout_ms,
    cache_enabled: endpoint?.cache_enabled ?? false,
    ...(endpoint?.cache_enabled === true
      ? { cache_ttl_ms: endpoint.cache_ttl_ms ?? pluginDefaults.cache_ttl_ms }
      : {}),
    version,
    ...(origin === 'file' ? {} : { created_at: createdAt, updated_at: updatedAt }),
  };
}
