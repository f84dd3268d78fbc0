import {
  type AuthorizeWorkerResponse,
  authorizeWorkerRequest,
  type WorkerAuthorizationResponse,
} from '@sallyport/contracts';
import { ok } from '#foundation';
import { type RestDeps, type Route, route } from '../route.ts';
import { namedWorker } from './named-worker.ts';

/** Consent for the lists of an MCP server that shows them to nobody without it. */
export function authorizeRoutes(deps: RestDeps): readonly Route[] {
  return [beginRoute(deps), lookRoute(deps)];
}

function beginRoute(deps: RestDeps): Route {
  const { sources, credentials } = deps;
  return route({
    operation: 'workers.authorize',
    summary: 'Connect an MCP server that wants OAuth, so that its tools can be listed',
    method: 'POST',
    path: '/workers/{id}/authorize',
    needs: 'configure',
    mutates: true,
    body: authorizeWorkerRequest,
    success: 200,
    async run({ projectId, params, principal, body: { user_id }, actAs }) {
      const found = namedWorker(deps, { projectId, params });
      if (!found.ok) return found;
      const caller = user_id === undefined ? null : actAs(user_id);
      if (caller?.ok === false) return caller;
      const { id } = found.value;
      await sources.refresh(projectId, id);
      const asked = await credentials.connectList({
        source: found.value,
        userId: caller?.value.userId ?? '',
        personId: principal.kind === 'person' ? principal.id : null,
        challenge: sources.challenge(projectId, id),
      });
      if (!asked.ok) return asked;
      const { id: authorizationId, url, scopes } = asked.value;
      const answer: AuthorizeWorkerResponse = {
        authorization_id: authorizationId,
        authorization_url: url,
        scopes: [...scopes],
      };
      return ok({ status: 200, body: answer, changed: { authorization_id: authorizationId } });
    },
  });
}

/** The same in Arcade's shape: it says, too, where nothing is missing. */
function lookRoute(deps: RestDeps): Route {
  const { sources, credentials } = deps;
  return route({
    operation: 'workers.authorization',
    summary:
      'Whether the tools of an MCP server can be listed, and the address to open where it wants OAuth first',
    method: 'GET',
    path: '/workers/{id}/authorize',
    needs: 'configure',
    mutates: true,
    success: 200,
    async run({ projectId, params, principal }) {
      const found = namedWorker(deps, { projectId, params });
      if (!found.ok) return found;
      const { id } = found.value;
      const { state } = await sources.refresh(projectId, id);
      const worker = { worker_id: id, user_id: '' };
      if (state === 'healthy') {
        const body: WorkerAuthorizationResponse = { ...worker, status: 'completed', scopes: [] };
        return ok({ status: 200, body });
      }
      const asked = await credentials.connectList({
        source: found.value,
        userId: '',
        personId: principal.kind === 'person' ? principal.id : null,
        challenge: sources.challenge(projectId, id),
      });
      if (!asked.ok) return asked;
      const { id: authorizationId, url, scopes } = asked.value;
      const body: WorkerAuthorizationResponse = { ...worker, status: 'pending', url, scopes: [...scopes] };
      return ok({ status: 200, body, changed: { authorization_id: authorizationId } });
    },
  });
}
