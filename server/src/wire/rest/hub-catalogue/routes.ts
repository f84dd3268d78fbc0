import {
  type ForgottenResponse,
  forgetLearnedQuery,
  hubLearnedQuery,
  hubReviewQuery,
  hubUsageQuery,
  type LearnedQueryResponse,
  type MissingNeedResponse,
  pageQuery,
  type ToolUsageResponse,
} from '@sallyport/contracts';
import type { z } from 'zod';
import { refusal } from '#domain';
import { err, ok } from '#foundation';
import { limited, pageOf, pageWith } from '../paging.ts';
import { type RestDeps, type Route, route } from '../route.ts';
import { type CatalogueDeps, createGovernedTools } from './governed-tools.ts';
import { reviewItemResponse } from './response.ts';
import { hubToolRoutes } from './tool-routes.ts';

/** For those who govern the hub's catalogue. */
export function hubCatalogueRoutes({ hub, catalog, sources }: RestDeps): readonly Route[] {
  if (hub === null) return [];
  const refs = createGovernedTools({ catalog, sources });
  const deps: CatalogueDeps = { catalog, refs, governance: hub.governance };
  return [
    ...hubToolRoutes(deps),
    ...reviewRoutes(deps),
    ...missingRoutes(deps),
    ...learnedRoutes(deps),
    usageRoute(deps),
  ];
}

function reviewRoutes({ refs, governance }: CatalogueDeps): readonly Route[] {
  const { administration } = governance;
  return [
    route<undefined, z.infer<typeof hubReviewQuery>>({
      operation: 'hub_review.list',
      summary: 'What there is to mend in the catalogue, what would help most first',
      method: 'GET',
      path: '/hub/review',
      needs: 'inspect',
      query: hubReviewQuery,
      success: 200,
      async run({ projectId, query }) {
        const page = limited(query);
        const { items, total } = await administration.review(projectId, { ...query, ...page });
        const shown = items.map((item) => reviewItemResponse(item, refs));
        return ok({ status: 200, body: pageWith(shown, page, total) });
      },
    }),
    route({
      operation: 'hub_review.dismiss',
      summary: 'Take an item out of the queue; it comes back only where something else is wrong',
      method: 'POST',
      path: '/hub/review/{id}/dismiss',
      needs: 'configure',
      mutates: true,
      success: 204,
      async run({ projectId, params: { id = '' } }) {
        const item = await administration.dismiss(projectId, id);
        if (item === null)
          return err(refusal('resource.unknown', `there is no review item ${id}`, { field: 'id' }));
        // What people searched for can be taken back; what the log holds cannot.
        const { query: _query, ...before } = reviewItemResponse(item, refs);
        return ok({ status: 204, changed: { before, after: null } });
      },
    }),
  ];
}

function missingRoutes({ governance }: CatalogueDeps): readonly Route[] {
  const { administration } = governance;
  return [
    route<undefined, z.infer<typeof pageQuery>>({
      operation: 'hub_missing.list',
      summary: 'What callers found no tool for, what most of them miss first',
      method: 'GET',
      path: '/hub/missing',
      needs: 'inspect',
      query: pageQuery,
      success: 200,
      async run({ projectId, query }) {
        const needs = await administration.needs(projectId);
        const body = pageOf(
          needs,
          query,
          ({ lastReported, ...need }): MissingNeedResponse => ({
            ...need,
            last_reported: lastReported,
          }),
        );
        return ok({ status: 200, body });
      },
    }),
    route({
      operation: 'hub_missing.delete',
      summary: 'Forget what callers found no tool for',
      method: 'DELETE',
      path: '/hub/missing/{id}',
      needs: 'configure',
      mutates: true,
      success: 204,
      async run({ projectId, params: { id = '' } }) {
        if (await administration.forgetNeed(projectId, id))
          return ok({ status: 204, changed: { before: { id }, after: null } });
        return err(refusal('resource.unknown', `there is no missing need ${id}`, { field: 'id' }));
      },
    }),
  ];
}

function learnedRoutes({ refs, governance }: CatalogueDeps): readonly Route[] {
  const { administration } = governance;
  return [
    route<undefined, z.infer<typeof hubLearnedQuery>>({
      operation: 'hub_learned.list',
      summary: 'What was searched for before one tool was used, the most useful first',
      method: 'GET',
      path: '/hub/learned',
      needs: 'inspect',
      query: hubLearnedQuery,
      success: 200,
      run({ projectId, query }) {
        const tool = query.tool === undefined ? ok(undefined) : refs.findId(projectId, query.tool);
        if (!tool.ok) return tool;
        const tools = refs.byId(projectId);
        const learned = administration.learned(projectId, tool.value);
        const body = pageOf(
          learned,
          query,
          ({ toolId, lastUsed, ...one }): LearnedQueryResponse => ({
            ...refOfId(toolId),
            tool_id: toolId,
            ...one,
            last_used: lastUsed,
          }),
        );
        return ok({ status: 200, body });

        function refOfId(id: string) {
          const known = tools.get(id);
          return known === undefined ? {} : { tool: refs.refOf(known) };
        }
      },
    }),
    route<undefined, z.infer<typeof forgetLearnedQuery>>({
      operation: 'hub_learned.delete',
      summary: 'Forget what was searched for: before a tool, in these words, or all of it',
      method: 'DELETE',
      path: '/hub/learned',
      needs: 'configure',
      mutates: true,
      query: forgetLearnedQuery,
      success: 200,
      async run({ projectId, query: asked }) {
        const tool = asked.tool === undefined ? ok(undefined) : refs.findId(projectId, asked.tool);
        if (!tool.ok) return tool;
        const ofTool = tool.value === undefined ? {} : { toolId: tool.value };
        const ofQuery = asked.query === undefined ? {} : { query: asked.query };
        const forgotten = await administration.forgetLearned(projectId, { ...ofTool, ...ofQuery });
        const body: ForgottenResponse = { forgotten };
        // The words themselves are to be gone.
        const changed = { tool_id: tool.value ?? null, in_words: asked.query !== undefined, forgotten };
        return ok({ status: 200, body, changed });
      },
    }),
  ];
}

function usageRoute({ refs, governance }: CatalogueDeps): Route {
  const { administration } = governance;
  return route<undefined, z.infer<typeof hubUsageQuery>>({
    operation: 'hub_usage.list',
    summary: 'How often each tool was called, and how it went; the most called first',
    method: 'GET',
    path: '/hub/usage',
    needs: 'inspect',
    query: hubUsageQuery,
    success: 200,
    async run({ projectId, query }) {
      const tool = query.tool === undefined ? ok(undefined) : refs.findId(projectId, query.tool);
      if (!tool.ok) return tool;
      const used = [...(await administration.usage(projectId, query.days))]
        .filter(([id]) => tool.value === undefined || id === tool.value)
        .sort(([a, one], [b, other]) => other.calls - one.calls || (a < b ? -1 : 1));
      const tools = refs.byId(projectId);
      const body = pageOf(used, query, ([id, use]): ToolUsageResponse => {
        const known = tools.get(id);
        return {
          ...(known === undefined ? {} : { tool: refs.refOf(known) }),
          ...{ tool_id: id, calls: use.calls, failures: use.failures, refusals: use.refusals },
          ...{ typical_ms: use.typicalMs, last_used: use.lastUsed },
        };
      });
      return ok({ status: 200, body });
    },
  });
}
