import { type Principal, permissionsOfRole, type Refusal, type Role, refusal } from '#domain';
import { err, ok, type Result } from '#foundation';

/** Nobody gives more than they have; only owners speak for the whole organisation, and so make owners. */
export function mayGive(
  { permissions }: Principal,
  role: Role,
  scope: 'project' | 'organization',
): Result<void, Refusal> {
  if ((scope === 'organization' || role === 'owner') && !permissions.has('own')) {
    const told = 'only an owner of the organization gives roles in all of it, and makes owners';
    return err(refusal('identity.scope_missing', told, { field: 'role' }));
  }
  if (permissionsOfRole[role].every((permission) => permissions.has(permission))) return ok(undefined);
  return err(
    refusal('identity.scope_missing', `role: "${role}" may do more than you may`, { field: 'role' }),
  );
}
