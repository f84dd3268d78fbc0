import type {
  BindingType,
  CreateHookRequest,
  CreatePluginRequest,
  HookPoint,
  PluginDefinition,
} from '@sallyport/contracts';
import { type Refusal, refusal } from '#domain';
import type { Egress } from '#egress';
import { err, ok, type Result } from '#foundation';
import type { HookEntry, KeptHook, KeptPlugin, PluginEntry, Plugins } from './contract.ts';
import {
  type HookConduct,
  hooksOf,
  newHook,
  type RegisterDeps,
  splitPlugin,
  unknownPlugin,
  withoutUndefined,
} from './laid-down.ts';
import { changedPlugin } from './plugin-change.ts';
import { tlsOf } from './webhook.ts';

/** Plugins, and the hooks that come with them. */
export function createPluginRegister(
  deps: RegisterDeps,
  inTurn: <T>(work: () => Promise<T>) => Promise<T>,
  applyHooks: (projectId: string, hooks: readonly KeptHook[]) => void,
): Plugins {
  const { plugins, hooks } = deps;

  async function create(
    { projectId, by, binding }: { projectId: string; by: string; binding: BindingType },
    request: CreatePluginRequest,
  ): ReturnType<Plugins['create']> {
    const { plugin, conducts } = splitPlugin(request);
    const wrong = checkPlugin(deps.egress, plugin) ?? conflictOf(plugins.list(projectId), plugin, binding);
    if (wrong !== null) return err(wrong);
    const kept = await plugins.create(projectId, {
      plugin,
      binding,
      version: 1,
      createdBy: by,
      updatedBy: by,
    });
    try {
      const writes = hooksOf(kept.id, plugin.name, conducts).map((definition) => ({ id: null, definition }));
      const made = await hooks.writeAll(projectId, writes);
      return made.ok ? ok({ plugin: kept, hooks: made.value }) : made;
    } catch (error) {
      await plugins.remove(projectId, kept.id);
      throw error;
    }
  }

  const update: Plugins['update'] = async ({ projectId, by }, id, request) => {
    const before = plugins.get(projectId, id);
    if (before === null) return err(unknownPlugin(id));
    const changed = changedPlugin(before.definition.plugin, request);
    if (!changed.ok) return changed;
    const { plugin, conducts } = changed.value;
    const wrong = checkPlugin(deps.egress, plugin);
    if (wrong !== null) return err(wrong);
    const { definition } = before;
    const replaced = await plugins.replace(projectId, id, {
      ...definition,
      plugin,
      version: definition.version + 1,
      updatedBy: by,
    });
    if (!replaced.ok) return replaced;
    const written = await hooks.writeAll(
      projectId,
      hookWrites(hooks.list(projectId), replaced.value, conducts),
    );
    return written.ok ? replaced : written;
  };

  async function remove(projectId: string, id: string): Promise<Result<PluginEntry, Refusal>> {
    if (plugins.get(projectId, id) === null) return err(unknownPlugin(id));
    const has = hooks.list(projectId).filter(({ definition }) => definition.hook.plugin_id === id).length;
    if (has > 0)
      return err(
        refusal('resource.conflict', `plugin ${id} has ${has} hooks; delete them first`, { field: 'id' }),
      );
    return plugins.remove(projectId, id);
  }

  return {
    list: plugins.list,
    get: plugins.get,
    health: deps.healthOf,
    create: (change, request) => inTurn(() => create(change, request)),
    update: (change, id, request) => inTurn(() => update(change, id, request)),
    remove: (projectId, id) => inTurn(() => remove(projectId, id)),
    applyFile(projectId, requests) {
      const ids = new Map<KeptPlugin, string>();
      const ofPlugins: KeptHook[] = [];
      for (const request of requests) {
        const { plugin, conducts } = splitPlugin(request);
        const binding = request.binding_type ?? 'project';
        ids.set({ plugin, binding, version: 1, createdBy: null, updatedBy: null }, request.id);
        ofPlugins.push(...hooksOf(request.id, plugin.name, conducts));
      }
      // Hooks first: no plugin is there for a moment without them.
      applyHooks(projectId, ofPlugins);
      plugins.applyFile(projectId, [...ids.keys()], (definition) => ids.get(definition) ?? '');
    },
  };
}

/** What a change of a plugin says of hooks: of those that are there, or of a new one. */
function hookWrites(
  all: readonly HookEntry[],
  { id, definition }: PluginEntry,
  conducts: ReadonlyMap<HookPoint, HookConduct>,
) {
  return [...conducts].map(([point, conduct]) => {
    const known = all.find(({ definition: { hook } }) => hook.plugin_id === id && hook.hook_point === point);
    const given = withoutUndefined(conduct) as Partial<CreateHookRequest>;
    return known === undefined
      ? { id: null, definition: { hook: newHook(id, definition.plugin.name, point, conduct), version: 1 } }
      : {
          id: known.id,
          definition: { hook: { ...known.definition.hook, ...given }, version: known.definition.version + 1 },
        };
  });
}

/** What the schema cannot see. */
function checkPlugin(egress: Egress, { webhook_config: config }: PluginDefinition): Refusal | null {
  const tls = tlsOf(config?.auth);
  for (const [point, endpoint] of Object.entries(config?.endpoints ?? {})) {
    const opened = egress.upstream(new URL(endpoint?.url ?? '').origin, 'api', { tls });
    if (opened.ok) opened.value.close();
    else {
      const field =
        opened.error.kind === 'tls' ? 'webhook_config.auth' : `webhook_config.endpoints.${point}.url`;
      return refusal('request.params_invalid', `${field}: ${opened.error.message}`, { field });
    }
  }
  return null;
}

function conflictOf(
  all: readonly PluginEntry[],
  { plugin_type: type }: PluginDefinition,
  binding: BindingType,
): Refusal | null {
  if (type !== 'group_access') return null;
  const other = all.find(
    ({ definition }) => definition.plugin.plugin_type === type && definition.binding === binding,
  );
  if (other === undefined) return null;
  const message = `there is already a plugin of the type "group_access": ${other.id}; change that one`;
  return refusal('resource.conflict', message, { field: 'plugin_type' });
}
