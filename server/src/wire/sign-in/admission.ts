import type { Gateway, Role } from '#domain';
import { roles } from '#domain';
import type { People, Person, UserSource } from '#identity';
import type { PageDeps } from './front.ts';
import type { Way } from './onward.ts';

/** How a source lets people into a gateway. */
export type EntersAs = 'user_of_source' | 'member';

/** `null`: not at all. A source that the gateway lists asks for no role there. */
export function entersAs(
  source: Pick<UserSource, 'id' | 'projectId'>,
  gateway: Pick<Gateway, 'projectId' | 'authTypes' | 'userSourceIds'>,
): EntersAs | null {
  if (source.projectId !== gateway.projectId) return null;
  if (gateway.authTypes.includes('user_source') && gateway.userSourceIds.includes(source.id)) {
    return 'user_of_source';
  }
  return gateway.authTypes.includes('arcade') ? 'member' : null;
}

/** The sources by which somebody may sign in to go this way, by name. */
export function sourcesFor(
  gateway: Gateway | null,
  { userSources }: PageDeps['identity'],
): readonly UserSource[] {
  return userSources
    .list(gateway?.projectId ?? 'default')
    .filter(
      (source) => source.status === 'active' && (gateway === null || entersAs(source, gateway) !== null),
    );
}

export function gatewayOf(way: Way, catalog: PageDeps['catalog']): Gateway | null {
  const { into } = way;
  if (into.kind !== 'gateway') return null;
  return catalog.gateways(into.projectId).find(({ id }) => id === into.gatewayId) ?? null;
}

/**
 * Why somebody who signed in at a source may not go this way; `null`: they may, as what they are or become now: the first of an
 * organisation without an owner becomes that, others what the source says of new people.
 */
export async function whyNot(
  person: Person,
  source: UserSource,
  way: Way,
  { identity: { people }, catalog }: PageDeps,
): Promise<string | null> {
  const noRole = `${person.id} has no role there`;
  if (way.into.kind === 'own') return null;
  if (way.into.kind === 'gateway') {
    const gateway = gatewayOf(way, catalog);
    const as = gateway === null ? null : entersAs(source, gateway);
    if (as !== 'member') return as === 'user_of_source' ? null : noRole;
    // Nobody becomes what is of no use to them.
    if (person.email === '')
      return `${person.id} has no e-mail address here: the issuer vouches for none, or another person has it`;
  }
  const { organizationId } = person;
  const { projectId } = source;
  // Who administers another of its projects, and adds a source there, does not come by the whole organisation.
  const isFirstProject = people.projects(organizationId)[0]?.id === projectId;
  if (isFirstProject && (await people.becomeFirstOwner(organizationId, person.id))) return null;
  if ((people.standing(person.id)?.roleIn(projectId) ?? null) !== null) return null;
  if (source.newPeople === null) return noRole;
  const given = await people.setRole(person.id, { organizationId, projectId }, source.newPeople);
  return given.ok ? null : noRole;
}

/** Gives somebody what a link is for, and takes nothing away: who is more already stays that. */
export async function raise(
  person: Person,
  place: { readonly organizationId: string; readonly projectId: string },
  role: Role,
  people: People,
): Promise<boolean> {
  const memberships = await people.memberships(person.id);
  const held = memberships.find(
    ({ organizationId, projectId }) =>
      organizationId === place.organizationId && projectId === place.projectId,
  );
  if (held !== undefined && roles.indexOf(held.role) <= roles.indexOf(role)) return true;
  return (await people.setRole(person.id, place, role)).ok;
}
