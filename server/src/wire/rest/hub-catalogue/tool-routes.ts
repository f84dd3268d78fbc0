import { type CurateToolRequest, curateToolRequest, hubToolsQuery } from '@sallyport/contracts';
import type { z } from 'zod';
import { type Refusal, refusal, type Tool } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { Adviser, Curation } from '#hub';
import { pageOf } from '../paging.ts';
import { type Route, route } from '../route.ts';
import type { CatalogueDeps } from './governed-tools.ts';
import { curationResponse, hubToolResponse } from './response.ts';

type ToolsQuery = z.infer<typeof hubToolsQuery>;

const path = '/hub/tools/{tool}';

/** Tools that are looked at before others have their turn. */
const piece = 500;

/** All tools of the project, and what people say of them. */
export function hubToolRoutes(deps: CatalogueDeps): readonly Route[] {
  return [listRoute(deps), readRoute(deps), ...changingRoutes(deps)];
}

function listRoute({ catalog, refs, governance }: CatalogueDeps): Route {
  const { administration, curationOf } = governance;

  function isAskedFor(query: ToolsQuery, { hasAdvice }: Adviser) {
    const { lifecycle, owner, namespace, undocumented } = query;
    const words = query.q?.toLowerCase();
    return (tool: Tool): boolean => {
      const curation = curationOf(tool.projectId, tool.id);
      if (lifecycle !== undefined && curation.lifecycle !== lifecycle) return false;
      if (owner !== undefined && curation.owner !== owner) return false;
      if (namespace !== undefined && !isWithin(refs.namespaceOf(tool), namespace)) return false;
      if (words !== undefined && !textOf(tool, curation).toLowerCase().includes(words)) return false;
      return undocumented === undefined || hasAdvice(tool) === (undocumented === 'true');
    };
  }

  return route<undefined, ToolsQuery>({
    operation: 'hub_tools.list',
    summary: 'All tools of the project, whoever may call them, with what people say of them',
    method: 'GET',
    path: '/hub/tools',
    needs: 'inspect',
    query: hubToolsQuery,
    success: 200,
    async run({ projectId, query }) {
      const tools = catalog.tools(projectId);
      const adviser = administration.adviser(tools);
      const passes = isAskedFor(query, adviser);
      const found: Tool[] = [];
      for (const [at, tool] of tools.entries()) {
        if (at % piece === piece - 1) await new Promise(setImmediate);
        if (passes(tool)) found.push(tool);
      }
      const refOf = refOfId(refs.byId(projectId), refs.refOf);
      const show = (tool: Tool) =>
        hubToolResponse(
          tool,
          curationResponse(curationOf(projectId, tool.id), refOf),
          adviser.advice(tool),
          refs,
        );
      return ok({ status: 200, body: pageOf(found, query, show) });
    },
  });
}

function readRoute({ catalog, refs, governance }: CatalogueDeps): Route {
  const { administration, curationOf } = governance;
  return route({
    operation: 'hub_tools.get',
    summary: 'One tool, by its reference or its id, with what people say of it',
    method: 'GET',
    path,
    needs: 'inspect',
    success: 200,
    run({ projectId, params: { tool = '' } }) {
      const found = refs.find(projectId, tool);
      if (!found.ok) return found;
      const curation = curationOf(projectId, found.value.id);
      const said = curationResponse(curation, refOfId(refs.byId(projectId), refs.refOf));
      const advice = administration.adviser(catalog.tools(projectId)).advice(found.value);
      return ok({ status: 200, body: hubToolResponse(found.value, said, advice, refs) });
    },
  });
}

function changingRoutes({ catalog, refs, governance }: CatalogueDeps): readonly Route[] {
  const { administration } = governance;

  function successorOf(
    projectId: string,
    { successor }: CurateToolRequest,
  ): Result<string | null | undefined, Refusal> {
    if (successor == null) return ok(successor);
    const found = refs.find(projectId, successor, 'successor');
    if (found.ok) return ok(found.value.id);
    const { message } = found.error;
    return err(refusal('request.params_invalid', `successor: ${message}`, { field: 'successor' }));
  }

  return [
    route<CurateToolRequest>({
      operation: 'hub_tools.curate',
      summary: 'Say something of a tool; what is left out stays, and null takes away',
      method: 'PATCH',
      path,
      needs: 'configure',
      mutates: true,
      body: curateToolRequest,
      success: 200,
      async run({ projectId, params, body }) {
        const found = refs.find(projectId, params.tool ?? '');
        if (!found.ok) return found;
        const successor = successorOf(projectId, body);
        if (!successor.ok) return successor;
        const curated = await administration.curate(projectId, found.value, body, successor.value);
        if (!curated.ok) return curated;
        const refOf = refOfId(refs.byId(projectId), refs.refOf);
        const before = curationResponse(curated.value.before, refOf);
        const after = curationResponse(curated.value.after, refOf);
        const advice = administration.adviser(catalog.tools(projectId)).advice(found.value);
        const shown = hubToolResponse(found.value, after, advice, refs);
        return ok({ status: 200, body: shown, changed: { before, after } });
      },
    }),
    route({
      operation: 'hub_tools.forget',
      summary: 'Take back all that people said of a tool, also of one that is not there now, by its id',
      method: 'DELETE',
      path,
      needs: 'configure',
      mutates: true,
      success: 204,
      async run({ projectId, params: { tool = '' } }) {
        const id = refs.findId(projectId, tool);
        if (!id.ok) return id;
        const gone = await administration.forgetCuration(projectId, id.value);
        if (gone === null) {
          const message = `nothing is said of the tool ${JSON.stringify(tool.slice(0, 200))}`;
          return err(refusal('resource.unknown', message, { field: 'tool' }));
        }
        const before = curationResponse(gone, refOfId(refs.byId(projectId), refs.refOf));
        return ok({ status: 204, changed: { before, after: null } });
      },
    }),
  ];
}

function refOfId(tools: ReadonlyMap<string, Tool>, refOf: (tool: Tool) => string) {
  return (id: string): string => {
    const tool = tools.get(id);
    return tool === undefined ? id : refOf(tool);
  };
}

function isWithin(namespace: string, asked: string): boolean {
  return namespace === asked || namespace.startsWith(asked.endsWith('://') ? asked : `${asked}.`);
}

function textOf({ ruleName, description }: Tool, { whenToUse, synonyms, tags }: Curation): string {
  return [ruleName, description, whenToUse ?? '', ...synonyms, ...tags].join('\n');
}
