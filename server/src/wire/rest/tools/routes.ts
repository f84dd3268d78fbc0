import {
  getFormattedToolQuery,
  getToolQuery,
  listFormattedToolsQuery,
  listToolsQuery,
  toolRequirementsRequest,
} from '@sallyport/contracts';
import type { ShownTool } from '#catalog';
import { type Caller, type Refusal, refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import { pageOf } from '../paging.ts';
import { type RestDeps, type RestRequest, type Route, route } from '../route.ts';
import { compileFilter } from './filter.ts';
import { requirementsOf } from './requirements.ts';
import { formatTool, formattedToolResponse } from './response.ts';

export function toolRoutes(deps: RestDeps): readonly Route[] {
  return [...arcadeRoutes(deps), ...formattedRoutes(deps)];
}

interface Asked {
  readonly user_id?: string | undefined;
  readonly toolkit?: string | undefined;
  readonly filter?: string | undefined;
  readonly include_all_versions: 'true' | 'false';
}

type ActAs = RestRequest<unknown, unknown>['actAs'];

/** The tools that the caller may call as this user, of those asked for. */
async function visibleTools(
  { catalog, pipeline }: RestDeps,
  actAs: ActAs,
  asked: Asked,
): Promise<Result<readonly ShownTool[], Refusal>> {
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
  return ok(await pipeline.visible(caller, null, shown));
}

/** The tool of this name, if the caller may call it. */
export async function visibleTool(
  { catalog, pipeline }: RestDeps,
  caller: Caller,
  name: string,
  version?: string,
): Promise<Result<ShownTool, Refusal>> {
  const tool = catalog.findTool(caller.principal.projectId, name, version);
  const [visible] = tool === null ? [] : await pipeline.visible(caller, null, [catalog.shown(tool)]);
  if (visible?.tool.quarantined === true) {
    const held = `${visible.tool.qualifiedName} is held back: its source changed it after it was approved`;
    return err(refusal('catalog.tool_quarantined', held, { field: 'name' }));
  }
  if (visible !== undefined) return ok(visible);
  const message = `there is no tool named ${JSON.stringify(name.slice(0, 200))} here`;
  return err(refusal('catalog.tool_unknown', message, { field: 'name' }));
}

async function namedTool(
  deps: RestDeps,
  actAs: ActAs,
  userId: string | undefined,
  params: Readonly<Record<string, string>>,
): Promise<Result<ShownTool, Refusal>> {
  const caller = actAs(userId);
  return caller.ok ? visibleTool(deps, caller.value, params.name ?? '') : caller;
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
      async run({ actAs, query }) {
        const tools = await visibleTools(deps, actAs, query);
        if (!tools.ok) return tools;
        const show = (shown: ShownTool) => formattedToolResponse(shown, query.include_format);
        return ok({ status: 200, body: pageOf(tools.value, query, show) });
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
      async run({ actAs, query, params }) {
        const found = await namedTool(deps, actAs, query.user_id, params);
        if (!found.ok) return found;
        return ok({ status: 200, body: formattedToolResponse(found.value, query.include_format) });
      },
    }),
    route({
      operation: 'tools.requirements',
      summary: 'What tools need before they can run, and whether it is there',
      method: 'POST',
      path: '/tools/requirements',
      needs: 'read',
      forRestrictedKeys: true,
      body: toolRequirementsRequest,
      success: 200,
      async run({ actAs, body }) {
        const caller = actAs(body.user_id);
        if (!caller.ok) return caller;
        const named = (body.tool_names ?? []).map((tool_name) => ({ tool_name, tool_version: undefined }));
        const tools: ShownTool[] = [];
        for (const { tool_name, tool_version } of [...(body.tools ?? []), ...named]) {
          const found = await visibleTool(deps, caller.value, tool_name, tool_version);
          if (!found.ok) return found;
          tools.push(found.value);
        }
        return ok({ status: 200, body: requirementsOf(tools.map(({ tool }) => tool)) });
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
          body: pageOf(tools.value, query, (shown) => formatTool(shown, query.format)),
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
        const found = await namedTool(deps, actAs, query.user_id, params);
        return found.ok ? ok({ status: 200, body: formatTool(found.value, query.format) }) : found;
      },
    }),
  ];
}
