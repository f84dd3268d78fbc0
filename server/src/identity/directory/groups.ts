import { type Refusal, refusal } from '#domain';
import { err, newId, ok } from '#foundation';
import type { Db, Queries } from '#storage';
import { type Concerns, changeDirectory, type DirectoryDeps } from './change-directory.ts';
import type { Directory, DirectoryGroup, GroupChange, GroupChanged } from './contract.ts';
import {
  changeMembers,
  countMembers,
  deleteGroup,
  findGroup,
  insertGroup,
  isNameTaken,
  memberIds,
  membersOfGroups,
  searchGroups,
  strangerAmong,
  updateGroup,
} from './group-store.ts';

/** Members that a page of groups has, unless its first group alone has more. */
const maxMembersOfPage = 50_000;

type Groups = Pick<
  Directory,
  'group' | 'groups' | 'membersOf' | 'createGroup' | 'changeGroup' | 'removeGroup'
>;

export function createGroups(deps: DirectoryDeps): Groups {
  const { db, clock } = deps;
  return {
    group: (organizationId, id) => findGroup(db, organizationId, id),

    async groups(organizationId, search, withMembers) {
      const found = await searchGroups(db, organizationId, search);
      return withMembers ? { ...found, items: await cutShort(db, found.items) } : found;
    },

    membersOf: (groupIds) => membersOfGroups(db, groupIds),

    createGroup: (organizationId, content, members) =>
      changeDirectory(deps, organizationId, async (queries, concerns) => {
        const id = newId('grp', clock.now());
        const membersOnly = { keep: true, add: members, remove: new Set<string>() };
        const refused = await refusedChange(queries, organizationId, id, {
          ...content,
          members: membersOnly,
        });
        if (refused !== null) return err(refused);
        await insertGroup(queries, organizationId, id, content, clock.iso());
        const changed = await changeMembers(queries, id, membersOnly);
        concerns(changed.added);
        return ok({ group: (await findGroup(queries, organizationId, id)) as DirectoryGroup, ...changed });
      }),

    changeGroup: (organizationId, id, make) =>
      changeDirectory(deps, organizationId, async (queries, concerns) => {
        const now = await findGroup(queries, organizationId, id);
        if (now === null) return null;
        const wanted = make(now);
        if (!wanted.ok) return wanted;
        const refused = await refusedChange(queries, organizationId, id, wanted.value);
        if (refused !== null) return err(refused);
        return ok(
          await writeGroup(queries, organizationId, now, wanted.value, { concerns, at: clock.iso() }),
        );
      }),

    removeGroup: (organizationId, id, check) =>
      changeDirectory(deps, organizationId, async (queries, concerns) => {
        const now = await findGroup(queries, organizationId, id);
        if (now === null) return null;
        const checked = check(now);
        if (checked.ok) concerns(await deleteGroup(queries, id));
        return checked;
      }),
  };
}

/** Writes what is not so yet, and says whom it concerns: all who were named, too, in case a change that was written was not known here. */
async function writeGroup(
  queries: Queries,
  organizationId: string,
  now: DirectoryGroup,
  { members, ...content }: GroupChange,
  { concerns, at }: { readonly concerns: Concerns; readonly at: string },
): Promise<GroupChanged> {
  const { id } = now;
  const changed = members === null ? { added: [], removed: [] } : await changeMembers(queries, id, members);
  const isRenamed = content.displayName !== now.displayName;
  if (members !== null) for (const ids of [changed.removed, members.add, members.remove]) concerns(ids);
  if (isRenamed) concerns(await memberIds(queries, id));
  const isMoved = changed.added.length + changed.removed.length > 0;
  if (!isRenamed && !isMoved && content.externalId === now.externalId) return { group: now, ...changed };
  await updateGroup(queries, id, content, at);
  return { group: (await findGroup(queries, organizationId, id)) as DirectoryGroup, ...changed };
}

/** Nothing is written before all of it is known to be possible. */
async function refusedChange(
  queries: Queries,
  organizationId: string,
  id: string,
  { displayName, members }: GroupChange,
): Promise<Refusal | null> {
  if (await isNameTaken(queries, organizationId, displayName, id)) {
    const told = 'displayName: another group has this name';
    return refusal('resource.conflict', told, { field: 'displayName' });
  }
  if (members === null || members.add.size === 0) return null;
  const stranger = await strangerAmong(queries, organizationId, [...members.add]);
  if (stranger === null) return null;
  const told = `members: there is no user ${stranger.slice(0, 100)}`;
  return refusal('request.params_invalid', told, { field: 'members' });
}

/** The first groups, as many as an answer can hold with their members. */
async function cutShort(db: Db, groups: readonly DirectoryGroup[]): Promise<readonly DirectoryGroup[]> {
  if (groups.length < 2) return groups;
  const counts = await countMembers(
    db,
    groups.map(({ id }) => id),
  );
  let members = 0;
  const end = groups.findIndex(({ id }, at) => {
    members += counts.get(id) ?? 0;
    return at > 0 && members > maxMembersOfPage;
  });
  return end < 0 ? groups : groups.slice(0, end);
}
