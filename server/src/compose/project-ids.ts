import type { People } from '#identity';

/** Of every organisation. */
export function projectIds(people: Pick<People, 'organizations' | 'projects'>): readonly string[] {
  return people.organizations().flatMap(({ id }) => people.projects(id).map((project) => project.id));
}
