import { hash } from 'node:crypto';
import { scimUrns } from '@sallyport/contracts';
import type { DirectoryGroup, DirectoryUser, Related } from '#identity';
import type { Attributes } from './read-attributes.ts';
import { userResource } from './resource-schema.ts';

/** A user as it is shown; `groups` where they are wanted. */
export function userShown(user: DirectoryUser, groups: readonly Related[] | null, base: string): Attributes {
  const extensions = userResource.extensions.map(({ id }) => id).filter((id) => id in user.attributes);
  return {
    schemas: [scimUrns.user, ...extensions],
    id: user.id,
    ...user.attributes,
    active: user.active,
    ...(groups === null
      ? {}
      : {
          groups: groups.map(({ id, name }) => ({
            value: id,
            $ref: `${base}/Groups/${id}`,
            display: name,
            type: 'direct',
          })),
        }),
    meta: {
      resourceType: 'User',
      created: user.createdAt,
      lastModified: user.updatedAt,
      location: `${base}/Users/${user.id}`,
      version: userVersion(user),
    },
  };
}

/** Of all that may change it, whoever does. */
export function userVersion({ active, attributes, updatedAt }: DirectoryUser): string {
  return `W/"${hash('sha256', JSON.stringify([active, attributes, updatedAt]), 'hex').slice(0, 20)}"`;
}

/** A group as it is shown; `members` where they are wanted. */
export function groupShown(
  group: DirectoryGroup,
  members: readonly Related[] | null,
  base: string,
): Attributes {
  return {
    schemas: [scimUrns.group],
    id: group.id,
    ...(group.externalId === null ? {} : { externalId: group.externalId }),
    displayName: group.displayName,
    ...(members === null
      ? {}
      : {
          members: members.map(({ id, name }) => ({
            value: id,
            $ref: `${base}/Users/${id}`,
            display: name,
            type: 'User',
          })),
        }),
    meta: {
      resourceType: 'Group',
      created: group.createdAt,
      lastModified: group.updatedAt,
      location: `${base}/Groups/${group.id}`,
      version: groupVersion(group),
    },
  };
}

export function groupVersion({ version }: DirectoryGroup): string {
  return `W/"${version}"`;
}
