import { err, ok, type Result } from '#foundation';
import type { Directory, DirectoryGroup, GroupChange, GroupChanged } from '#identity';
import { patchGroup, readGroup } from './group-content.ts';
import { asProblem, problemOf, type ScimProblem } from './problem.ts';
import { readOperations } from './requests.ts';
import type { Check, Done, Resources } from './resource-routes.ts';
import { groupResource } from './resource-schema.ts';
import type { ScimRequest } from './route.ts';
import { groupShown, groupVersion } from './shown-resources.ts';

/** Ids that a record names on each side. */
const maxRecorded = 100;

export function scimGroups(directory: Directory): Resources<DirectoryGroup> {
  async function change(
    { organizationId, id }: ScimRequest,
    check: Check<DirectoryGroup>,
    wanted: (now: DirectoryGroup) => Result<GroupChange, ScimProblem>,
  ): Promise<Result<Done<DirectoryGroup>, ScimProblem> | null> {
    let before: DirectoryGroup | null = null;
    const make = (now: DirectoryGroup): Result<GroupChange, ScimProblem> => {
      before = now;
      const checked = check(now);
      return checked.ok ? wanted(now) : checked;
    };
    const changed = await directory.changeGroup(organizationId, id, make);
    if (changed === null) return null;
    return changed.ok ? ok(doneTo(before, changed.value)) : err(asProblem(changed.error));
  }

  return {
    name: 'groups',
    path: '/Groups',
    what: 'group',
    schema: groupResource,
    showsPatched: ({ query }) => query.has('attributes') || query.has('excludedAttributes'),
    version: groupVersion,
    find: (organizationId, id) => directory.group(organizationId, id),
    search: (organizationId, search, shown) =>
      directory.groups(organizationId, search, shown.wants('members')),

    async show(groups, shown, base) {
      const ids = groups.map(({ id }) => id);
      const members = shown.wants('members') && ids.length > 0 ? await directory.membersOf(ids) : null;
      return groups.map((group) =>
        shown.of(groupShown(group, members === null ? null : (members.get(group.id) ?? []), base)),
      );
    },

    async create({ organizationId, body }) {
      const read = readGroup(body);
      if (!read.ok) return read;
      const { members, ...content } = read.value;
      const made = await directory.createGroup(organizationId, content, members?.add ?? new Set());
      return made.ok ? ok(doneTo(null, made.value)) : err(problemOf(made.error));
    },

    replace: (request, check) => change(request, check, () => readGroup(request.body)),

    async patch(request, check) {
      const operations = readOperations(request.body);
      if (!operations.ok) return operations;
      return change(request, check, (now) => patchGroup(now, operations.value));
    },

    remove: ({ organizationId, id }, check) => directory.removeGroup(organizationId, id, check),
  };
}

/** Names of fields, and who came and went: at most so many of either. */
function doneTo(
  before: DirectoryGroup | null,
  { group, added, removed }: GroupChanged,
): Done<DirectoryGroup> {
  const head = ['displayName', 'externalId'] as const;
  const fields = head.filter((name) => (before?.[name] ?? null) !== group[name]);
  const isMoved = added.length + removed.length > 0;
  return {
    resource: group,
    changed: {
      group: group.id,
      fields: isMoved ? [...fields, 'members'] : fields,
      ...(added.length === 0 ? {} : { added: first(added) }),
      ...(removed.length === 0 ? {} : { removed: first(removed) }),
    },
  };
}

function first(ids: readonly string[]): readonly string[] {
  if (ids.length <= maxRecorded) return ids;
  return [...ids.slice(0, maxRecorded), `and ${ids.length - maxRecorded} more`];
}
