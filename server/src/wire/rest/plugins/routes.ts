import {
  bindingQuery,
  type CreatePluginResponse,
  createPluginRequest,
  type PluginResponse,
  pluginsQuery,
  updatePluginRequest,
} from '@sallyport/contracts';
import { refusal } from '#domain';
import { err, ok } from '#foundation';
import type { PluginEntry } from '#policy';
import { hookResponse } from '../hooks/response.ts';
import { pageOf } from '../paging.ts';
import { type RestDeps, type Route, route } from '../route.ts';
import { pluginResponse } from './response.ts';

/** Hook servers, and what is built in. Whoever reads these knows addresses inside, so all of it is for administrators. */
export function pluginRoutes(deps: RestDeps): readonly Route[] {
  return [...readingRoutes(deps), ...changingRoutes(deps)];
}

const one = '/plugins/{plugin_id}';

function shown({ policy }: RestDeps, entry: PluginEntry): PluginResponse {
  return pluginResponse(entry, policy.plugins.health(entry.id));
}

/** A plugin in the record of a change: what was laid down of it, and not how it is. */
function recorded({ health_status: _health, ...laidDown }: PluginResponse): Partial<PluginResponse> {
  return laidDown;
}

function readingRoutes(deps: RestDeps): readonly Route[] {
  const { plugins } = deps.policy;
  return [
    route({
      operation: 'plugins.list',
      summary:
        'The plugins of the project, or of the organisation with binding_type=tenant; the oldest first',
      method: 'GET',
      path: '/plugins',
      needs: 'inspect',
      query: pluginsQuery,
      success: 200,
      run({ projectId, query }) {
        const { binding_type = 'project' } = query;
        const found = plugins.list(projectId).filter(({ definition }) => definition.binding === binding_type);
        return ok({ status: 200, body: pageOf(found, query, (entry) => shown(deps, entry)) });
      },
    }),
    route({
      operation: 'plugins.get',
      summary: 'One plugin, and what is known of its health',
      method: 'GET',
      path: one,
      needs: 'inspect',
      query: bindingQuery,
      success: 200,
      run({ projectId, params: { plugin_id: id = '' }, query: { binding_type } }) {
        const entry = plugins.get(projectId, id);
        if (entry === null || (binding_type ?? entry.definition.binding) !== entry.definition.binding)
          return err(refusal('resource.unknown', `there is no plugin ${id}`, { field: 'plugin_id' }));
        return ok({ status: 200, body: shown(deps, entry) });
      },
    }),
  ];
}

function changingRoutes(deps: RestDeps): readonly Route[] {
  const { plugins } = deps.policy;
  const before = (projectId: string, id: string) => {
    const entry = plugins.get(projectId, id);
    return entry === null ? null : recorded(shown(deps, entry));
  };
  return [
    route({
      operation: 'plugins.create',
      summary:
        'Register a plugin; each endpoint of a webhook becomes a hook, which acts from the next call on',
      method: 'POST',
      path: '/plugins',
      needs: 'configure',
      mutates: true,
      query: bindingQuery,
      body: createPluginRequest,
      success: 201,
      async run({ projectId, principal, query: { binding_type: binding = 'project' }, body: asked }) {
        const created = await plugins.create({ projectId, binding, by: principal.id }, asked);
        if (!created.ok) return created;
        const { plugin, hooks } = created.value;
        const answer: CreatePluginResponse = {
          ...shown(deps, plugin),
          hooks: hooks.map((hook) => hookResponse(hook, plugin)),
        };
        const changed = { before: null, after: recorded(answer) };
        return ok({ status: 201, body: answer, changed });
      },
    }),
    route({
      operation: 'plugins.update',
      summary: 'Change a plugin; what is left out stays',
      method: 'PATCH',
      path: one,
      needs: 'configure',
      mutates: true,
      body: updatePluginRequest,
      success: 200,
      async run({ projectId, principal, params: { plugin_id: id = '' }, body: asked }) {
        const was = before(projectId, id);
        const updated = await plugins.update({ projectId, by: principal.id }, id, asked);
        if (!updated.ok) return updated;
        const body = shown(deps, updated.value);
        return ok({ status: 200, body, changed: { before: was, after: recorded(body) } });
      },
    }),
    route({
      operation: 'plugins.delete',
      summary: 'Remove a plugin that has no hooks',
      method: 'DELETE',
      path: one,
      needs: 'configure',
      mutates: true,
      success: 204,
      async run({ projectId, params: { plugin_id: id = '' } }) {
        const was = before(projectId, id);
        const removed = await plugins.remove(projectId, id);
        return removed.ok ? ok({ status: 204, changed: { before: was, after: null } }) : removed;
      },
    }),
  ];
}
