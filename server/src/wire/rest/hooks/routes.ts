import {
  bindingQuery,
  createHookRequest,
  hooksQuery,
  updateHookRequest,
  upsertHooksRequest,
} from '@sallyport/contracts';
import { refusal } from '#domain';
import { err, ok } from '#foundation';
import type { HookEntry } from '#policy';
import { pageOf } from '../paging.ts';
import { type RestDeps, type Route, route } from '../route.ts';
import { hookResponse } from './response.ts';

/** When which plugin is asked. Whoever reads these knows addresses inside, so all of it is for administrators. */
export function hookRoutes(deps: RestDeps): readonly Route[] {
  return [...readingRoutes(deps), ...changingRoutes(deps)];
}

const one = '/hooks/{hook_id}';

function shown({ policy }: RestDeps, entry: HookEntry) {
  return hookResponse(entry, policy.plugins.get(entry.projectId, entry.definition.hook.plugin_id));
}

/** A hook is bound to what its plugin is bound to. */
function bindingOf({ policy }: RestDeps, { projectId, definition: { hook } }: HookEntry) {
  return policy.plugins.get(projectId, hook.plugin_id)?.definition.binding ?? 'project';
}

function readingRoutes(deps: RestDeps): readonly Route[] {
  const { hooks } = deps.policy;
  return [
    route({
      operation: 'hooks.list',
      summary: 'The hooks of the project, or of the organisation with binding_type=tenant; the oldest first',
      method: 'GET',
      path: '/hooks',
      needs: 'inspect',
      query: hooksQuery,
      success: 200,
      run({ projectId, query }) {
        const { hook_point, plugin_id, status, binding_type = 'project' } = query;
        const found = hooks
          .list(projectId)
          .filter((entry) => bindingOf(deps, entry) === binding_type)
          .filter(
            ({ definition: { hook } }) =>
              (hook_point === undefined || hook.hook_point === hook_point) &&
              (plugin_id === undefined || hook.plugin_id === plugin_id) &&
              (status === undefined || (hook.status ?? 'active') === status),
          );
        return ok({ status: 200, body: pageOf(found, query, (entry) => shown(deps, entry)) });
      },
    }),
    route({
      operation: 'hooks.get',
      summary: 'One hook',
      method: 'GET',
      path: one,
      needs: 'inspect',
      query: bindingQuery,
      success: 200,
      run({ projectId, params: { hook_id: id = '' }, query: { binding_type } }) {
        const entry = hooks.get(projectId, id);
        if (entry === null || (binding_type ?? bindingOf(deps, entry)) !== bindingOf(deps, entry))
          return err(refusal('resource.unknown', `there is no hook ${id}`, { field: 'hook_id' }));
        return ok({ status: 200, body: shown(deps, entry) });
      },
    }),
  ];
}

function changingRoutes(deps: RestDeps): readonly Route[] {
  const { hooks } = deps.policy;
  const before = (projectId: string, id: string) => {
    const entry = hooks.get(projectId, id);
    return entry === null ? null : shown(deps, entry);
  };
  return [
    route({
      operation: 'hooks.create',
      summary: 'Ask a plugin at a point of every call; it acts from the next call on',
      method: 'POST',
      path: '/hooks',
      needs: 'configure',
      mutates: true,
      body: createHookRequest,
      success: 201,
      async run({ projectId, body: asked }) {
        const created = await hooks.create(projectId, asked);
        if (!created.ok) return created;
        const body = shown(deps, created.value);
        return ok({ status: 201, body, changed: { before: null, after: body } });
      },
    }),
    route({
      operation: 'hooks.upsert',
      summary: 'Change, or make, the hooks of plugins at their points: all of them or none',
      method: 'PATCH',
      path: '/hooks/bulk',
      needs: 'configure',
      mutates: true,
      body: upsertHooksRequest,
      success: 200,
      async run({ projectId, body: asked }) {
        const known = new Map(hooks.list(projectId).map((entry) => [entry.id, shown(deps, entry)]));
        const body = await hooks.upsertAll(projectId, asked);
        const ids = body.results.flatMap(({ hook_id }) => (hook_id === undefined ? [] : [hook_id]));
        const changed = {
          before: ids.map((id) => known.get(id) ?? null),
          after: ids.map((id) => before(projectId, id)),
        };
        return ok({ status: 200, body, changed });
      },
    }),
    route({
      operation: 'hooks.update',
      summary: 'Change a hook; what is left out stays',
      method: 'PATCH',
      path: one,
      needs: 'configure',
      mutates: true,
      body: updateHookRequest,
      success: 200,
      async run({ projectId, params: { hook_id: id = '' }, body: asked }) {
        const was = before(projectId, id);
        const updated = await hooks.update(projectId, id, asked);
        if (!updated.ok) return updated;
        const body = shown(deps, updated.value);
        return ok({ status: 200, body, changed: { before: was, after: body } });
      },
    }),
    route({
      operation: 'hooks.delete',
      summary: 'Ask a plugin no more, from the next call on',
      method: 'DELETE',
      path: one,
      needs: 'configure',
      mutates: true,
      success: 204,
      async run({ projectId, params: { hook_id: id = '' } }) {
        const was = before(projectId, id);
        const removed = await hooks.remove(projectId, id);
        return removed.ok ? ok({ status: 204, changed: { before: was, after: null } }) : removed;
      },
    }),
  ];
}
