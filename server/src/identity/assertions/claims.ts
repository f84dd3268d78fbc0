import type { UserAssertion } from '#domain';
import { err, isMembers, ok, type Result } from '#foundation';

const maxGroups = 1000;
const maxGroupLength = 512;

/** What a checked token says of the user. */
export interface AssertedUser {
  readonly userId: string;
  readonly groups: readonly string[];
  readonly claims: { readonly [name: string]: unknown };
}

export function assertedUser(
  payload: { readonly [name: string]: unknown },
  { userClaim, groupsClaim }: UserAssertion,
): Result<AssertedUser, string> {
  const userId = claimAt(payload, userClaim);
  // Nothing is trimmed away: to the issuer that is somebody else.
  if (typeof userId !== 'string' || userId === '' || userId.trim() !== userId) {
    return err(`the claim ${userClaim} does not name the user`);
  }
  const groups = groupsIn(payload, groupsClaim);
  if (!groups.ok) return groups;
  // Without a prototype: nothing is there but what the issuer said.
  const claims: Record<string, unknown> = Object.assign(Object.create(null), payload);
  return ok({ userId, groups: groups.value, claims });
}

/** A list, or a single text; none where the claim is not there. */
export function groupsIn(
  payload: { readonly [name: string]: unknown },
  groupsClaim: string,
): Result<readonly string[], string> {
  const listed = claimAt(payload, groupsClaim) ?? [];
  const groups: unknown[] = Array.isArray(listed) ? listed : [listed];
  // Leaving some out could leave out the one to whom something is denied.
  if (groups.length > maxGroups) return err(`the claim ${groupsClaim} lists more than ${maxGroups} groups`);
  if (!groups.every((group) => typeof group === 'string' && group.length <= maxGroupLength)) {
    return err(`the claim ${groupsClaim} is no list of groups`);
  }
  return ok(groups as string[]);
}

/** A claim by its name, which may have dots in it, else by its path. */
export function claimAt(payload: { readonly [name: string]: unknown }, path: string): unknown {
  if (Object.hasOwn(payload, path)) return payload[path];
  let here: unknown = payload;
  for (const name of path.split('.')) {
    if (!isMembers(here) || !Object.hasOwn(here, name)) return undefined;
    here = here[name];
  }
  return here;
}
