import { canonicalJson, err, ok, type Result } from '#foundation';
import type { Directory, DirectoryUser, UserContent } from '#identity';
import { patchUser } from './patch-user.ts';
import { asProblem, problemOf, type ScimProblem } from './problem.ts';
import type { Attributes } from './read-attributes.ts';
import { readOperations } from './requests.ts';
import type { Check, Done, Resources } from './resource-routes.ts';
import { userResource } from './resource-schema.ts';
import type { ScimRequest } from './route.ts';
import { userShown, userVersion } from './shown-resources.ts';
import { readUser, userContent } from './user-content.ts';

export function scimUsers(directory: Directory): Resources<DirectoryUser> {
  async function change(
    { organizationId, id }: ScimRequest,
    check: Check<DirectoryUser>,
    wanted: (now: DirectoryUser) => Result<Attributes, ScimProblem>,
  ): Promise<Result<Done<DirectoryUser>, ScimProblem> | null> {
    let before: DirectoryUser | null = null;
    const make = (now: DirectoryUser): Result<UserContent, ScimProblem> => {
      before = now;
      const checked = check(now);
      if (!checked.ok) return checked;
      const attributes = wanted(now);
      return attributes.ok ? userContent(attributes.value, now.active) : attributes;
    };
    const changed = await directory.changeUser(organizationId, id, make);
    if (changed === null) return null;
    if (!changed.ok) return err(asProblem(changed.error));
    return ok({ resource: changed.value, changed: changes(before, changed.value) });
  }

  return {
    name: 'users',
    path: '/Users',
    what: 'user',
    schema: userResource,
    showsPatched: () => true,
    version: userVersion,
    find: (organizationId, id) => directory.user(organizationId, id),
    search: (organizationId, search) => directory.users(organizationId, search),

    async show(users, shown, base) {
      const ids = users.map(({ id }) => id);
      const groups = shown.wants('groups') && ids.length > 0 ? await directory.groupsOf(ids) : null;
      return users.map((user) =>
        shown.of(userShown(user, groups === null ? null : (groups.get(user.id) ?? []), base)),
      );
    },

    async create({ organizationId, body }) {
      const read = readUser(body);
      if (!read.ok) return read;
      const content = userContent(read.value, true);
      if (!content.ok) return content;
      const made = await directory.createUser(organizationId, content.value);
      return made.ok
        ? ok({ resource: made.value, changed: changes(null, made.value) })
        : err(problemOf(made.error));
    },

    replace: (request, check) => change(request, check, () => readUser(request.body)),

    async patch(request, check) {
      const operations = readOperations(request.body);
      if (!operations.ok) return operations;
      return change(request, check, ({ attributes, active }) =>
        patchUser({ ...attributes, active }, operations.value),
      );
    },

    remove: ({ organizationId, id }, check) => directory.removeUser(organizationId, id, check),
  };
}

/** Who, which fields, and whether they may come in from now on; no other values. */
function changes(before: DirectoryUser | null, after: DirectoryUser) {
  const names = new Set([...Object.keys(before?.attributes ?? {}), ...Object.keys(after.attributes)]);
  const text = (user: DirectoryUser | null, name: string) => canonicalJson(user?.attributes[name] ?? null);
  const fields = [...names].filter((name) => text(before, name) !== text(after, name));
  const isMoved = before?.active !== after.active;
  return {
    user: after.id,
    fields: isMoved ? [...fields, 'active'] : fields,
    ...(isMoved ? { active: after.active } : {}),
  };
}
