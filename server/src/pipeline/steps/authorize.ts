import { err, type MaybePromise, ok, type Result } from '#foundation';
import type { Policy } from '#policy';
import type { Authorized, CallRefusal, Resolved } from '../call.ts';
import { requireScopes } from './require-scopes.ts';
import { unknownTool } from './resolve.ts';

/**
 * May this caller run this tool here? A refusal is told as if the tool did not exist; the audit keeps the truth. Who may, and has
 * an access token that was not given for it, is told what it takes.
 */
export function authorize(resolved: Resolved, policy: Policy): MaybePromise<Result<Authorized, CallRefusal>> {
  const { caller, gateway, shown } = resolved;
  const grant = policy.authorize({ caller, gateway, target: shown.tool });
  return grant instanceof Promise
    ? grant.then((given) => authorized(resolved, given))
    : authorized(resolved, grant);
}

function authorized(
  resolved: Resolved,
  grant: Awaited<ReturnType<Policy['authorize']>>,
): Result<Authorized, CallRefusal> {
  const { caller, gateway, shown } = resolved;
  if (!grant.ok) return err({ ...grant.error, toldAs: unknownTool(resolved.name) });
  const missing = requireScopes(caller, gateway, shown.tool.qualifiedName);
  if (missing !== null) return err({ ...missing, policy: grant.value.trace });
  return ok({ ...resolved, grant: grant.value });
}
