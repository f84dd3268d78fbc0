import { type Refusal, refusal } from '#domain';
import type { RestDeps, RestRequest } from '../route.ts';

/**
 * The sources of the organisation's first project say who people are in all of it, owners too (identity/access-tokens). Whoever
 * changed one could become any of them.
 */
export function ownersOnly(
  { identity: { people } }: RestDeps,
  {
    principal,
    organizationId,
    projectId,
  }: Pick<RestRequest<unknown, unknown>, 'principal' | 'organizationId' | 'projectId'>,
): Refusal | null {
  if (projectId !== people.projects(organizationId)[0]?.id || principal.permissions.has('own')) return null;
  const told = 'here people sign in to the whole organization: only its owners change who they are';
  return refusal('identity.scope_missing', told);
}
