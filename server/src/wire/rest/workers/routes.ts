import {
  createWorkerRequest,
  pageQuery,
  testWorkerRequest,
  updateWorkerRequest,
  type WorkerHealthResponse,
  type WorkerResponse,
} from '@sallyport/contracts';
import { newSourceFromRequest, type Refusal, refusal, type Source, sourceEditFromRequest } from '#domain';
import { err, ok, type Result } from '#foundation';
import { onPage, pageOf } from '../paging.ts';
import { type RestDeps, type Route, route } from '../route.ts';
import { needsOf } from '../tools/needs.ts';
import { toolResponse } from '../tools/response.ts';
import { authorizeRoutes } from './authorize-route.ts';
import { changeRoutes } from './change-routes.ts';
import { type Naming, namedWorker } from './named-worker.ts';
import { workerResponse } from './response.ts';
import { secretsRefused, testWorker } from './test-worker.ts';

export function workerRoutes(deps: RestDeps): readonly Route[] {
  return [...changingRoutes(deps), ...readingRoutes(deps), ...changeRoutes(deps), ...authorizeRoutes(deps)];
}

/** Workers of the config file are changed there. */
function editable(deps: RestDeps, naming: Naming): Result<Source, Refusal> {
  const found = namedWorker(deps, naming);
  if (!found.ok || found.value.origin === 'api') return found;
  const message = `worker ${found.value.id} is declared in the config file, or by the demo, and cannot be changed here`;
  return err(refusal('resource.read_only', message));
}

function shown({ sources, catalog, credentials }: RestDeps, source: Source): WorkerResponse {
  const { projectId, id } = source;
  const quarantined = catalog.quarantined(projectId, id).length;
  const redirectUri = credentials.redirectUriOf({ projectId, sourceId: id });
  return workerResponse(source, sources.status(projectId, id), quarantined, redirectUri);
}

/** A worker in the record of a change: what was declared of it, and not how it is. */
function recorded(worker: WorkerResponse): Partial<WorkerResponse> {
  const { status: _status, requirements: _requirements, managed: _managed, ...declared } = worker;
  return declared;
}

function changingRoutes(deps: RestDeps): readonly Route[] {
  const { sources } = deps;
  const show = (source: Source) => shown(deps, source);
  return [
    route({
      operation: 'workers.create',
      summary: 'Register a worker or an MCP server',
      method: 'POST',
      path: '/workers',
      needs: 'configure',
      mutates: true,
      body: createWorkerRequest,
      success: 201,
      async run({ projectId, body: asked }) {
        const created = await sources.create(newSourceFromRequest(asked, { projectId }));
        if (!created.ok) return created;
        const body = show(created.value);
        return ok({ status: 201, body, changed: { before: null, after: recorded(body) } });
      },
    }),
    route({
      operation: 'workers.update',
      summary: 'Change a worker; what is left out stays',
      method: 'PATCH',
      path: '/workers/{id}',
      needs: 'configure',
      mutates: true,
      body: updateWorkerRequest,
      success: 200,
      async run({ projectId, params, body: asked }) {
        const found = editable(deps, { projectId, params });
        if (!found.ok) return found;
        const edit = sourceEditFromRequest(asked, found.value);
        if (!edit.ok) return edit;
        const before = recorded(show(found.value));
        const updated = await sources.update(projectId, found.value.id, edit.value);
        if (!updated.ok) return updated;
        const body = show(updated.value);
        return ok({ status: 200, body, changed: { before, after: recorded(body) } });
      },
    }),
    route({
      operation: 'workers.delete',
      summary: 'Remove a worker and its tools',
      method: 'DELETE',
      path: '/workers/{id}',
      needs: 'configure',
      mutates: true,
      success: 204,
      async run({ projectId, params }) {
        const found = editable(deps, { projectId, params });
        if (!found.ok) return found;
        const before = recorded(show(found.value));
        const removed = await sources.remove(projectId, found.value.id);
        return removed.ok ? ok({ status: 204, changed: { before, after: null } }) : removed;
      },
    }),
    route({
      operation: 'workers.test',
      summary: 'Try an address without registering it',
      method: 'POST',
      path: '/workers/test',
      needs: 'configure',
      body: testWorkerRequest,
      success: 200,
      async run({ projectId, principal, body }) {
        const refused = secretsRefused(body, principal);
        if (refused !== null) return err(refused);
        return ok({ status: 200, body: await testWorker(sources, projectId, body) });
      },
    }),
  ];
}

function readingRoutes(deps: RestDeps): readonly Route[] {
  const { sources, catalog } = deps;
  const show = (source: Source) => shown(deps, source);
  return [
    route({
      operation: 'workers.list',
      summary: 'The workers and MCP servers of the project',
      method: 'GET',
      path: '/workers',
      needs: 'read',
      query: pageQuery,
      success: 200,
      run: ({ projectId, query }) => ok({ status: 200, body: pageOf(sources.list(projectId), query, show) }),
    }),
    route({
      operation: 'workers.get',
      summary: 'One worker, and what is known of its health',
      method: 'GET',
      path: '/workers/{id}',
      needs: 'read',
      success: 200,
      run({ projectId, params }) {
        const found = namedWorker(deps, { projectId, params });
        return found.ok ? ok({ status: 200, body: show(found.value) }) : found;
      },
    }),
    route({
      operation: 'workers.health',
      summary: 'Walk the steps of a call now, and say whether they work',
      method: 'GET',
      path: '/workers/{id}/health',
      needs: 'read',
      success: 200,
      async run({ projectId, params }) {
        const found = namedWorker(deps, { projectId, params });
        if (!found.ok) return found;
        const { id, enabled } = found.value;
        const { state, message } = await sources.refresh(projectId, id);
        const body: WorkerHealthResponse = { id, enabled, healthy: state === 'healthy', message };
        return ok({ status: 200, body });
      },
    }),
    route({
      operation: 'workers.tools',
      summary: 'The tools of one worker',
      method: 'GET',
      path: '/workers/{id}/tools',
      needs: 'read',
      query: pageQuery,
      success: 200,
      async run({ projectId, params, query }) {
        const found = namedWorker(deps, { projectId, params });
        if (!found.ok) return found;
        const tools = catalog.tools(projectId).filter((tool) => tool.sourceId === found.value.id);
        const needs = await needsOf(deps, projectId, null, onPage(tools, query));
        return ok({ status: 200, body: pageOf(tools, query, (tool) => toolResponse(tool, needs)) });
      },
    }),
  ];
}
