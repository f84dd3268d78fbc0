import { executionQuery, type HubWhere, hubRequests, listExecutionsQuery } from '@sallyport/contracts';
import type { z } from 'zod';
import type { Refusal } from '#domain';
import { ok, type Result } from '#foundation';
import type { Hub, HubAsking } from '#hub';
import { limited, pageWith } from '../paging.ts';
import { type RestDeps, type Route, route } from '../route.ts';
import { askingOf, withUser } from './asking.ts';

/** The six tools as operations, and what becomes of executions. */
export function hubRoutes(deps: RestDeps): readonly Route[] {
  const { hub } = deps;
  return hub === null ? [] : [...sixRoutes(deps, hub), reportRoute(deps, hub), ...executionRoutes(deps, hub)];
}

interface Six<Request> {
  readonly name: string;
  readonly summary: string;
  readonly body: z.ZodType<Request & HubWhere>;
  /** It acts as a user. */
  readonly runs?: true;
  readonly run: (asking: HubAsking, request: Request) => Promise<Result<object, Refusal>>;
}

function sixRoutes(deps: RestDeps, hub: Hub): readonly Route[] {
  return [
    six(deps, {
      name: 'search_tools',
      summary: 'Tools that do what is described, of those that the caller may use',
      body: hubRequests.searchTools,
      run: hub.searchTools,
    }),
    six(deps, {
      name: 'get_tool_details',
      summary: 'What there is to know of up to five tools before they are run',
      body: hubRequests.getToolDetails,
      run: hub.getToolDetails,
    }),
    six(deps, {
      name: 'list_namespaces',
      summary: 'Groups of the tools that the caller may use, and how many each has',
      body: hubRequests.listNamespaces,
      run: hub.listNamespaces,
    }),
    six(deps, {
      name: 'execute_tool',
      summary: 'Run a tool as a user, durably: its output, or the execution to resume',
      body: hubRequests.executeTool,
      runs: true,
      run: hub.executeTool,
    }),
    six(deps, {
      name: 'resume_execution',
      summary: 'How an execution is; or go on with one that waits',
      body: hubRequests.resumeExecution,
      run: hub.resumeExecution,
    }),
    six(deps, {
      name: 'cancel_execution',
      summary: 'End an execution',
      body: hubRequests.cancelExecution,
      run: hub.cancelExecution,
    }),
  ];
}

function six<Request>(deps: RestDeps, { name, summary, body, runs, run }: Six<Request>): Route {
  return route<Request & HubWhere>({
    operation: `hub.${name}`,
    summary,
    method: 'POST',
    path: `/hub/${name}`,
    needs: 'call',
    forRestrictedKeys: true,
    traced: true,
    body,
    success: 200,
    async run(request) {
      const { user_id: _, gateway: __, ...asked } = request.body;
      const here = askingOf(deps, request, request.body);
      const asking = here.ok && runs === true ? withUser(here.value) : here;
      if (!asking.ok) return asking;
      const told = await run(asking.value, asked as Request);
      return told.ok ? ok({ status: 200, body: told.value }) : told;
    },
  });
}

function reportRoute(deps: RestDeps, hub: Hub): Route {
  return route<z.infer<typeof hubRequests.reportMissing>>({
    operation: 'hub.report_missing',
    summary: 'Say what there is no tool for, for who governs the catalogue',
    method: 'POST',
    path: '/hub/report_missing',
    needs: 'call',
    forRestrictedKeys: true,
    traced: true,
    body: hubRequests.reportMissing,
    success: 204,
    async run(request) {
      const asking = askingOf(deps, request, request.body);
      if (!asking.ok) return asking;
      const told = await hub.reportMissing(asking.value, { need: request.body.need });
      return told.ok ? ok({ status: 204 }) : told;
    },
  });
}

function executionRoutes(deps: RestDeps, hub: Hub): readonly Route[] {
  return [
    route<undefined, z.infer<typeof listExecutionsQuery>>({
      operation: 'executions.list',
      summary: "The caller's own executions, newest first",
      method: 'GET',
      path: '/executions',
      needs: 'call',
      forRestrictedKeys: true,
      query: listExecutionsQuery,
      success: 200,
      async run(request) {
        const page = limited(request.query);
        const asking = askingOf(deps, request, request.query);
        if (!asking.ok) return asking;
        const { items, totalCount } = await hub.listExecutions(asking.value, page);
        return ok({ status: 200, body: pageWith(items, page, totalCount) });
      },
    }),
    route<undefined, z.infer<typeof executionQuery>>({
      operation: 'executions.get',
      summary: 'One execution of the caller; nothing is done about it',
      method: 'GET',
      path: '/executions/{id}',
      needs: 'call',
      forRestrictedKeys: true,
      query: executionQuery,
      success: 200,
      async run(request) {
        const asking = askingOf(deps, request, request.query);
        if (!asking.ok) return asking;
        const told = await hub.lookAt(asking.value, request.params.id ?? '');
        return told.ok ? ok({ status: 200, body: told.value }) : told;
      },
    }),
  ];
}
