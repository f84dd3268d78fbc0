import type { AuthorizationResponse } from '@sallyport/contracts';
import type { Authorization } from '#credentials';
import type { Principal, Refusal } from '#domain';
import { ok, type Result } from '#foundation';
import type { RestDeps } from '../route.ts';

/** Of what is completed because nothing has to be authorized: clients go on with what is completed, as long as it has an id. */
export const nothingAsked = 'ac_none';

/**
 * An authorization in Arcade's words, with the token where it is completed: for who may call and act as the user. A key for
 * certain tools could do anything with it; and what MCP servers are sent is for them alone.
 */
export async function authorizationResponse(
  deps: RestDeps,
  principal: Principal,
  authorization: Authorization,
): Promise<Result<AuthorizationResponse, Refusal>> {
  const { id, status, url, scopes, target, userId, connectionId, failure } = authorization;
  const response: AuthorizationResponse = {
    id: id === '' ? nothingAsked : id,
    status,
    ...(url === null ? {} : { url }),
    scopes: [...scopes],
    provider_id: target.id,
    user_id: userId,
    ...(failure === null
      ? {}
      : { error: { code: failure.code, message: failure.reason, advice: failure.advice } }),
  };
  const givesToken =
    status === 'completed' &&
    target.kind === 'provider' &&
    connectionId !== null &&
    principal.permissions.has('call') &&
    principal.tools === null;
  if (!givesToken) return ok(response);
  const given = await deps.credentials.authorizations.token(authorization);
  if (!given.ok) return given;
  await recordGiven(deps, principal, authorization);
  const { token, userInfo } = given.value;
  return ok({ ...response, context: { token, user_info: { ...userInfo } } });
}

async function recordGiven(
  { audit }: RestDeps,
  principal: Principal,
  { id, target, userId, connectionId }: Authorization,
): Promise<void> {
  await audit.record({
    kind: 'credential',
    decision: 'allowed',
    projectId: target.projectId,
    principal: principal.id,
    clientId: principal.clientId ?? null,
    userId,
    source: target.id,
    reason: `the token of ${connectionId ?? 'the connection'} was given out (${id})`,
  });
}
