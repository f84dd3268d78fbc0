import {
  getFormattedToolQuery,
  getToolQuery,
  listFormattedToolsQuery,
  listToolsQuery,
} from '@sallyport/contracts';
import type { ShownTool } from '#catalog';
import type { Caller, Refusal } from '#domain';
import { ok, type Result } from '#foundation';
import { whomOf } from '../auth/whom.ts';
import { onPage, pageOf } from '../paging.ts';
import { type RestDeps, type RestRequest, type Route, route } from '../route.ts';
import { authorizeToolRoute } from './authorize-route.ts';
import { compileFilter } from './filter.ts';
import { needsOf } from './needs.ts';
import { requirementsRoute } from './requirements-route.ts';
import { formatTool, formattedToolResponse } from './response.ts';
import { visibleTool } from './visible-tool.ts';

export function toolRoutes(deps: RestDeps): readonly Route[] {
  return [...arcadeRoutes(deps), requirementsRoute(deps), authorizeToolRoute(deps), ...formattedRoutes(deps)];
}

interface Asked {
  readonly user_id?: string | undefined;
  readonly toolkit?: string | undefined;
  readonly filter?: string | undefined;
  readonly include_all_versions: 'true' | 'false';
}

type ActAs = RestRequest<unknown, unknown>['actAs'];

interface Visible {
  readonly caller: Caller;
  readonly shown: readonly ShownTool[];
}

/** The tools that the caller may call as this user, of those asked for. */
async function visibleTools(
  { catalog, pipeline }: RestDeps,
  actAs: ActAs,
  asked: Asked,
): Promise<Result<Visible, Refusal>> {
  const acting = actAs(asked.user_id);
  if (!acting.ok) return acting;
  const caller = acting.value;
  const passes = compileFilter(asked.filter);
  if (!passes.ok) return passes;
  const toolkit = asked.toolkit?.toLowerCase();
  const shown = catalog
    .tools(caller.principal.projectId, { allVersions: asked.include_all_versions === 'true' })
    .filter(
      (tool) => (toolkit === undefined || tool.toolkit.name.toLowerCase() === toolkit) && passes.value(tool),
    )
    .map((tool) => catalog.shown(tool));
  return ok({ caller, shown: await pipeline.visible(caller, null, shown) });
}

/** Whose accounts tell what is there; `null`: nobody's. */
function userOf(caller: Caller) {
  const whom = whomOf(caller);
  return whom.ok ? whom.value : null;
}

function arcadeRoutes(deps: RestDeps): readonly Route[] {
  return [
    route({
      operation: 'tools.list',
      summary: 'The tools that the caller may call',
      method: 'GET',
      path: '/tools',
      needs: 'read',
      forRestrictedKeys: true,
      query: listToolsQuery,
      success: 200,
      async run({ actAs, query, projectId }) {
        const tools = await visibleTools(deps, actAs, query);
        if (!tools.ok) return tools;
        const page = onPage(tools.value.shown, query).map(({ tool }) => tool);
        const needs = await needsOf(deps, projectId, userOf(tools.value.caller), page);
        const show = (shown: ShownTool) => formattedToolResponse(shown, query.include_format, needs);
        return ok({ status: 200, body: pageOf(tools.value.shown, query, show) });
      },
    }),
    route({
      operation: 'tools.get',
      summary: 'One tool',
      method: 'GET',
      path: '/tools/{name}',
      needs: 'read',
      forRestrictedKeys: true,
      query: getToolQuery,
      success: 200,
      async run({ actAs, query, params, projectId }) {
        const caller = actAs(query.user_id);
        if (!caller.ok) return caller;
        const found = await visibleTool(deps, caller.value, params.name ?? '');
        if (!found.ok) return found;
        const needs = await needsOf(deps, projectId, userOf(caller.value), [found.value.tool]);
        return ok({ status: 200, body: formattedToolResponse(found.value, query.include_format, needs) });
      },
    }),
  ];
}

function formattedRoutes(deps: RestDeps): readonly Route[] {
  return [
    route({
      operation: 'formatted_tools.list',
      summary: 'The tools that the caller may call, as a model provider takes them',
      method: 'GET',
      path: '/formatted_tools',
      needs: 'read',
      forRestrictedKeys: true,
      query: listFormattedToolsQuery,
      success: 200,
      async run({ actAs, query }) {
        const tools = await visibleTools(deps, actAs, query);
        if (!tools.ok) return tools;
        return ok({
          status: 200,
          body: pageOf(tools.value.shown, query, (shown) => formatTool(shown, query.format)),
        });
      },
    }),
    route({
      operation: 'formatted_tools.get',
      summary: 'One tool, as a model provider takes it',
      method: 'GET',
      path: '/formatted_tools/{name}',
      needs: 'read',
      forRestrictedKeys: true,
      query: getFormattedToolQuery,
      success: 200,
      async run({ actAs, query, params }) {
        const caller = actAs(query.user_id);
        if (!caller.ok) return caller;
        const found = await visibleTool(deps, caller.value, params.name ?? '');
        return found.ok ? ok({ status: 200, body: formatTool(found.value, query.format) }) : found;
      },
    }),
  ];
}
