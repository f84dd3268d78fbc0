import type { PersonResponse } from '@sallyport/contracts';
import { type Principal, type Refusal, refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { People, Person, PersonIdentity } from '#identity';
import { limited, pageWith } from '../paging.ts';

interface Asking {
  readonly principal: Principal;
  readonly organizationId: string;
  readonly projectId: string;
  readonly params: Readonly<Record<string, string>>;
}

/** Somebody of the organisation, whatever they have to do with this project. */
export async function personOf(
  people: People,
  { organizationId, params: { id = '' } }: Asking,
): Promise<Result<Person, Refusal>> {
  const person = await people.person(organizationId, id);
  return person === null
    ? err(refusal('resource.unknown', `there is no person ${id}`, { field: 'id' }))
    : ok(person);
}

/** Somebody whom the project knows: with a role in it, or by one of its sources. Owners know everybody of the organisation. */
export async function knownPerson(
  people: People,
  asking: Asking,
): Promise<Result<{ readonly person: Person; readonly identities: readonly PersonIdentity[] }, Refusal>> {
  const { principal, projectId } = asking;
  const person = await personOf(people, asking);
  if (!person.ok) return person;
  const all = await people.identities(person.value.id);
  if (principal.permissions.has('own')) return ok({ person: person.value, identities: all });
  const identities = all.filter((identity) => identity.projectId === projectId || identity.projectId === '');
  const isKnown =
    people.standing(person.value.id)?.roleIn(projectId) != null ||
    identities.some((identity) => identity.projectId === projectId);
  if (isKnown) return ok({ person: person.value, identities });
  return err(refusal('resource.unknown', `there is no person ${person.value.id}`, { field: 'id' }));
}

/** Somebody whom the project alone knows; of all others, owners decide: the change is felt in other projects, too. */
export async function changeablePerson(people: People, asking: Asking): Promise<Result<Person, Refusal>> {
  const { principal, projectId } = asking;
  const found = await knownPerson(people, asking);
  if (!found.ok) return found;
  const { person } = found.value;
  if (principal.permissions.has('own')) return ok(person);
  const places = [...(await people.memberships(person.id)), ...(await people.identities(person.id))];
  if (places.every((place) => place.projectId === projectId || isLink(place))) return ok(person);
  const told = `${person.id} is known beyond this project: only an owner of the organization changes them`;
  return err(refusal('identity.scope_missing', told, { field: 'id' }));
}

function isLink(place: { readonly projectId: string; readonly sourceId?: string }): boolean {
  return place.sourceId === '' && place.projectId === '';
}

export function personResponse(
  people: People,
  projectId: string,
  person: Person,
  identities?: readonly PersonIdentity[],
): PersonResponse {
  const standing = people.standing(person.id);
  return {
    id: person.id,
    email: person.email,
    name: person.name,
    active: person.active,
    role: standing?.roleIn(projectId) ?? null,
    organization_role: standing?.roleIn('') ?? null,
    groups: [...(standing?.groups ?? [])],
    ...(identities === undefined ? {} : { identities: identities.map(identityResponse) }),
    created_at: person.createdAt,
    last_sign_in_at: person.lastSignInAt,
  };
}

interface PageAsked extends Pick<Asking, 'organizationId' | 'projectId'> {
  readonly query: { readonly limit: number; readonly offset: number; readonly email?: string | undefined };
}

/** Of the organisation; or those who have to do with one of its projects. */
export async function peoplePage(
  people: People,
  { organizationId, projectId, query }: PageAsked,
  ofProject?: string,
) {
  const page = limited(query);
  const { email } = query;
  const found = await people.list(organizationId, {
    ...page,
    ...(ofProject === undefined ? {} : { projectId: ofProject }),
    ...(email === undefined ? {} : { email }),
  });
  const items = found.items.map((person) => personResponse(people, projectId, person));
  return ok({ status: 200, body: pageWith(items, page, found.total) } as const);
}

function identityResponse({ issuer, sourceId, userId, seenAt }: PersonIdentity) {
  return { issuer, user_source_id: sourceId, user_id: userId, seen_at: seenAt };
}
