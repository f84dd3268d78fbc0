import { type GlobSet, type Principal, permissionsOfRole, type Role } from '#domain';
import type { Standing } from '../people/contract.ts';
import type { ServiceAccount } from '../service-accounts/contract.ts';
import type { SignIn } from '../sign-ins/contract.ts';
import type { KnownToken } from './memory.ts';

/** A person at a place, who acts for nobody else. */
export function personPrincipal(
  { personId, name, email }: Standing,
  at: { readonly projectId: string; readonly userId: string; readonly role: Role | null },
  by: KnownToken,
): Principal {
  return {
    kind: 'person',
    id: personId,
    name: name === '' ? email : name,
    projectId: at.projectId,
    permissions: new Set(at.role === null ? [] : permissionsOfRole[at.role]),
    users: only(at.userId),
    gateways: null,
    tools: null,
    confined: at.role === null || at.role === 'member',
    expiresAtMs: by.untilMs,
    clientId: by.token.clientId,
    ...(at.userId === '' ? {} : { actsAs: at.userId }),
    ...(by.signIn === null ? {} : { vouched: vouchedBy(by.signIn) }),
  };
}

/** `role`: its own on the API; on gateways it is a user like others. */
export function accountPrincipal(
  { id, name, projectId }: ServiceAccount,
  role: Role,
  by: KnownToken,
): Principal {
  return {
    kind: 'service_account',
    id,
    name,
    projectId,
    permissions: new Set(permissionsOfRole[role]),
    users: only(id),
    gateways: null,
    tools: null,
    confined: role === 'member',
    expiresAtMs: by.untilMs,
    clientId: by.token.clientId,
    actsAs: id,
  };
}

/** The one user id as it is: none of its characters stands for others. */
function only(userId: string): GlobSet {
  return { patterns: [userId], matches: (name) => name === userId };
}

function vouchedBy({ id, groups, claims }: SignIn): NonNullable<Principal['vouched']> {
  return { groups, claims, signInId: id };
}
