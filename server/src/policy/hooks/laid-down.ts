import {
  type CreateHookRequest,
  type CreatePluginRequest,
  type DeclaredPluginRequest,
  type HealthStatus,
  type HookPoint,
  hookPoints,
  type PluginDefinition,
} from '@sallyport/contracts';
import { type Refusal, refusal } from '#domain';
import type { Egress } from '#egress';
import type { Entries } from '../entries.ts';
import type { KeptHook, KeptPlugin } from './contract.ts';

/** Plugins and hooks, from the words of requests to those in which they are kept. */

export interface RegisterDeps {
  readonly plugins: Entries<KeptPlugin>;
  readonly hooks: Entries<KeptHook>;
  readonly egress: Egress;
  readonly healthOf: (id: string) => HealthStatus | 'unknown';
}

export const endpointOf = { 'tool.access': 'access', 'tool.pre': 'pre', 'tool.post': 'post' } as const;

/** What a hook does where its plugin is asked. */
export interface HookConduct {
  readonly failure_mode?: CreateHookRequest['failure_mode'] | undefined;
  readonly phase?: CreateHookRequest['phase'] | undefined;
  readonly priority?: number | undefined;
  readonly status?: CreateHookRequest['status'];
}

/** What endpoints say of their hooks stands in the hooks. */
export function splitPlugin(request: CreatePluginRequest | DeclaredPluginRequest) {
  const { webhook_config: config, ...rest } = request;
  const { id: _id, binding_type: _binding, ...plain } = rest as DeclaredPluginRequest;
  if (config === undefined)
    return { plugin: plain as PluginDefinition, conducts: new Map<HookPoint, HookConduct>() };
  const endpoints: NonNullable<PluginDefinition['webhook_config']>['endpoints'] = {};
  const conducts = new Map<HookPoint, HookConduct>();
  for (const point of hookPoints) {
    const endpoint = config.endpoints[endpointOf[point]];
    if (endpoint === undefined) continue;
    const { failure_mode, phase, priority, status, ...kept } = endpoint;
    endpoints[endpointOf[point]] = kept;
    if (failure_mode !== undefined && phase !== undefined)
      conducts.set(point, { failure_mode, phase, priority, status });
  }
  return { plugin: { ...plain, webhook_config: { ...config, endpoints } } as PluginDefinition, conducts };
}

export function hooksOf(
  pluginId: string,
  name: string,
  conducts: ReadonlyMap<HookPoint, HookConduct>,
): KeptHook[] {
  return [...conducts].map(([point, conduct]) => ({
    hook: newHook(pluginId, name, point, conduct),
    version: 1,
  }));
}

export function newHook(
  pluginId: string,
  pluginName: string,
  point: HookPoint,
  conduct: HookConduct,
): CreateHookRequest {
  return {
    name: `${pluginName.slice(0, 200)} ${point}`,
    plugin_id: pluginId,
    hook_point: point,
    failure_mode: 'fail_closed',
    phase: 'before',
    ...(withoutUndefined(conduct) as Partial<CreateHookRequest>),
  };
}

export function unknownPlugin(id: string, field = 'id'): Refusal {
  return refusal('resource.unknown', `there is no plugin ${id}`, { field });
}

export function withoutUndefined<Value extends object>(value: Value): Value {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Value;
}
