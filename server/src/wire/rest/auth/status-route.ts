import { type AuthStatusQuery, authStatusQuery } from '@sallyport/contracts';
import type { Authorization } from '#credentials';
import { type Refusal, refusal } from '#domain';
import { err, ok } from '#foundation';
import { type RestDeps, type RestRequest, type Route, route } from '../route.ts';
import { authorizationResponse } from './response.ts';

type Asking = RestRequest<undefined, AuthStatusQuery>;

/**
 * Waits for an authorization to end. One that failed is told as a status once, and then refused: Arcade's client asks again until
 * it reads `completed`.
 */
export function statusRoute(deps: RestDeps): Route {
  const { authorizations } = deps.credentials;
  return route<undefined, AuthStatusQuery>({
    operation: 'auth.status',
    summary: 'How it is with an authorization; waits up to 59 seconds for its end',
    method: 'GET',
    path: '/auth/status',
    needs: 'call',
    forRestrictedKeys: true,
    query: authStatusQuery,
    success: 200,
    async run(request) {
      const { projectId, principal, signal, query } = request;
      const known = await authorizations.status(projectId, query.id, 0, null);
      if (known === null || !mayFollow(request, known)) return err(unknown(query.id));
      const waits = known.status === 'pending' && query.wait > 0;
      const until = AbortSignal.any([signal, deps.stopping]);
      const now = waits ? await authorizations.status(projectId, query.id, query.wait * 1000, until) : known;
      if (now === null) return err(unknown(query.id));
      if (now.status === 'failed') {
        if (now.wasTold) return err(failed(now));
        // Who went away was not told.
        if (!signal.aborted) await authorizations.told(projectId, now.id);
      }
      const answer = await authorizationResponse(deps, principal, now);
      return answer.ok ? ok({ status: 200, body: answer.value }) : answer;
    },
  });
}

/** People follow what they were asked for themselves; a consent for the lists of a server is followed by who configures it. */
function mayFollow({ principal, actAs }: Asking, { userId, personId }: Authorization): boolean {
  if (userId === '') return principal.permissions.has('configure') && !principal.confined;
  return actAs(userId).ok && (principal.kind !== 'person' || personId === principal.id);
}

function unknown(id: string): Refusal {
  return refusal('resource.unknown', `there is no authorization ${id}`, { field: 'id' });
}

function failed({ id, failure }: Authorization): Refusal {
  const { code = 'unknown', reason = 'for no known reason', advice = '' } = failure ?? {};
  return refusal(
    'credentials.authorization_failed',
    `the authorization failed: ${reason}. ${advice}`.trim(),
    {
      field: 'id',
      details: { authorization_id: id, code, advice },
    },
  );
}
