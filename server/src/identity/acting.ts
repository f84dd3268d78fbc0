import { type Caller, type Principal, type Refusal, refusal } from '#domain';
import { err, type Result } from '#foundation';
import { actAs, nothing, type Vouched } from './act-as.ts';
import type { People } from './people/contract.ts';

export type ActAs = (
  principal: Principal,
  userId: string | null,
  vouched?: Vouched,
) => Result<Caller, Refusal>;

const deactivated = err(
  refusal('identity.deactivated', 'the account of this user is not active any more', {
    field: 'Arcade-User-ID',
  }),
);

/**
 * Acts for a user id that a client names. Whom the organisation knows by it is that person, with the groups of its directory, and
 * is refused once they are not active.
 */
export function createActAs(people: Pick<People, 'project' | 'standingOf'>): ActAs {
  return (principal, userId, vouched = vouchedFor(principal, userId)) => {
    const named = actAs(principal, userId, vouched);
    if (!named.ok || named.value.userId === null) return named;
    const project = people.project(principal.projectId);
    const standing = project && people.standingOf(project.organizationId, named.value.userId);
    if (standing === null) return named;
    if (!standing.active) return deactivated;
    const { personId } = standing;
    const groups = [...new Set([...vouched.groups, ...standing.groups])];
    return actAs(principal, userId, { ...vouched, groups, personId });
  };
}

/** A sign-in speaks of its own user and of nobody else. */
function vouchedFor({ actsAs, vouched = nothing }: Principal, userId: string | null): Vouched {
  return userId !== null && userId === actsAs ? vouched : nothing;
}
