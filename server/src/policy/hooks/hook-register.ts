import type {
  CreateHookRequest,
  UpdateHookRequest,
  UpsertHooksRequest,
  UpsertHooksResponse,
} from '@sallyport/contracts';
import { type Refusal, refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { HookEntry, HookRegister, KeptHook } from './contract.ts';
import { endpointOf, newHook, type RegisterDeps, unknownPlugin, withoutUndefined } from './laid-down.ts';

type Write = { readonly id: string | null; readonly definition: KeptHook };

/** Hooks, one of each plugin at each point. */
export function createHookRegister(
  { plugins, hooks }: RegisterDeps,
  inTurn: <T>(work: () => Promise<T>) => Promise<T>,
  applyHooks: (projectId: string, hooks: readonly KeptHook[]) => void,
): HookRegister {
  function hookAt(
    projectId: string,
    { plugin_id, hook_point }: Pick<CreateHookRequest, 'plugin_id' | 'hook_point'>,
  ) {
    return hooks
      .list(projectId)
      .find(({ definition: { hook } }) => hook.plugin_id === plugin_id && hook.hook_point === hook_point);
  }

  /** Whether the plugin can be asked at this point. */
  function askable(
    projectId: string,
    { plugin_id: id, hook_point: point }: Pick<CreateHookRequest, 'plugin_id' | 'hook_point'>,
  ): Refusal | null {
    const plugin = plugins.get(projectId, id)?.definition.plugin;
    if (plugin === undefined) return unknownPlugin(id, 'plugin_id');
    if (plugin.webhook_config?.endpoints[endpointOf[point]] !== undefined) return null;
    const why =
      plugin.plugin_type === 'webhook'
        ? `plugin ${id} has no endpoint "${endpointOf[point]}"`
        : `a plugin of the type "${plugin.plugin_type}" acts by itself and takes no hooks`;
    return refusal('request.params_invalid', `hook_point: ${why}`, { field: 'hook_point' });
  }

  async function create(projectId: string, hook: CreateHookRequest): Promise<Result<HookEntry, Refusal>> {
    const wrong = askable(projectId, hook);
    if (wrong !== null) return err(wrong);
    const other = hookAt(projectId, hook);
    if (other === undefined) return ok(await hooks.create(projectId, { hook, version: 1 }));
    const message = `plugin ${hook.plugin_id} has a hook at ${hook.hook_point} already: ${other.id}`;
    return err(refusal('resource.conflict', message, { field: 'hook_point' }));
  }

  async function update(
    projectId: string,
    id: string,
    change: UpdateHookRequest,
  ): Promise<Result<HookEntry, Refusal>> {
    const before = hooks.get(projectId, id);
    if (before === null) return err(refusal('resource.unknown', `there is no hook ${id}`, { field: 'id' }));
    return hooks.replace(projectId, id, changedHook(before.definition, change));
  }

  /** What one entry of a bulk change would write. */
  function writeOf(projectId: string, config: UpsertHooksRequest['configs'][number]): Result<Write, string> {
    const wrong = askable(projectId, config);
    if (wrong !== null) return err(wrong.message);
    const known = hookAt(projectId, config);
    if (known?.origin === 'file')
      return err(`hook ${known.id} is declared in the config file; change it there`);
    const { plugin_id: id, hook_point: point, ...conduct } = config;
    if (known !== undefined) return ok({ id: known.id, definition: changedHook(known.definition, conduct) });
    const name = plugins.get(projectId, id)?.definition.plugin.name ?? id;
    return ok({ id: null, definition: { hook: newHook(id, name, point, conduct), version: 1 } });
  }

  async function upsertAll(projectId: string, { configs }: UpsertHooksRequest): Promise<UpsertHooksResponse> {
    const writes = configs.map((config) => writeOf(projectId, config));
    for (const at of repeated(configs)) writes[at] = err('is there twice in this request');
    const good = writes.flatMap((write) => (write.ok ? [write.value] : []));
    const written = good.length === writes.length ? await hooks.writeAll(projectId, good) : null;
    return told(configs, writes, written?.ok === true ? written.value : null);
  }

  return {
    list: hooks.list,
    get: hooks.get,
    create: (projectId, request) => inTurn(() => create(projectId, request)),
    update: (projectId, id, request) => inTurn(() => update(projectId, id, request)),
    upsertAll: (projectId, request) => inTurn(() => upsertAll(projectId, request)),
    remove: (projectId, id) => inTurn(() => hooks.remove(projectId, id)),
    applyFile: (projectId, requests) =>
      applyHooks(
        projectId,
        requests.map((hook) => ({ hook, version: 1 })),
      ),
  };
}

function changedHook({ hook, version }: KeptHook, change: object): KeptHook {
  return { hook: { ...hook, ...withoutUndefined(change) }, version: version + 1 };
}

type Configs = UpsertHooksRequest['configs'];

/** Which of them speak of what one before speaks of, too. */
function repeated(configs: Configs): number[] {
  const keys = configs.map(({ plugin_id, hook_point }) => `${plugin_id} ${hook_point}`);
  return keys.flatMap((key, at) => (keys.indexOf(key) < at ? [at] : []));
}

function told(
  configs: Configs,
  writes: readonly Result<Write, string>[],
  written: readonly HookEntry[] | null,
): UpsertHooksResponse {
  const results = configs.map(({ plugin_id, hook_point }, index) => {
    const write = writes[index];
    const made = written?.[index];
    if (made !== undefined && write?.ok === true) {
      const action = write.value.id === null ? ('created' as const) : ('updated' as const);
      return { plugin_id, hook_point, hook_id: made.id, action };
    }
    const error = write?.ok === false ? write.error : 'not written, as others of this request cannot be';
    return { plugin_id, hook_point, action: 'none' as const, error };
  });
  const success = results.filter(({ action }) => action !== 'none').length;
  return { success, failed: results.length - success, results };
}
