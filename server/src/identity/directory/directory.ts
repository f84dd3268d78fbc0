import { type Refusal, refusal } from '#domain';
import { type Clock, canonicalJson, err, newId, ok, type Result } from '#foundation';
import type { Changes, Db, Queries } from '#storage';
import { lockOrganization } from '../people/change-person.ts';
import type { People } from '../people/contract.ts';
import { emailOf } from '../people/email.ts';
import type { SignIns } from '../sign-ins/contract.ts';
import type {
  Directory,
  DirectoryGroup,
  DirectoryUser,
  GroupChange,
  GroupChanged,
  UserContent,
} from './contract.ts';
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
} from './groups.ts';
import {
  findUser,
  forgetUser,
  groupsOfUsers,
  type Holder,
  holdersOf,
  searchUsers,
  takeAddresses,
  writeUser,
} from './users.ts';

export interface DirectoryDeps {
  readonly db: Db;
  readonly changes: Changes;
  readonly clock: Clock;
  readonly people: Pick<People, 'refresh'>;
  readonly signIns: Pick<SignIns, 'endAllOf'>;
}

const topic = 'directory';
/** People that are looked at at once, and that one message to other replicas names: calls go on between them. */
const together = 500;
/** Members that a page of groups has, unless its first group alone has more. */
const maxMembersOfPage = 50_000;

export function createDirectory(deps: DirectoryDeps): Directory {
  // After a long silence people look at everybody by themselves.
  deps.changes.on(topic, (ids) => (ids === null ? undefined : deps.people.refresh(ids.split(' '))));
  return { ...createUsers(deps), ...createGroups(deps) };
}

/** Changes the organisation's directory, one change after another. Those whose standing changed are known when it returns. */
async function change<T>(
  { db, changes, people }: DirectoryDeps,
  organizationId: string,
  work: (queries: Queries, concerns: (personIds: Iterable<string>) => void) => Promise<T>,
): Promise<T> {
  const concerned = new Set<string>();
  const done = await db.tx(async (queries) => {
    await lockOrganization(queries, organizationId);
    const made = await work(queries, (ids) => {
      for (const id of ids) concerned.add(id);
    });
    for (const ids of inParts(concerned)) await changes.tell(queries, topic, ids.join(' '));
    return made;
  });
  for (const ids of inParts(concerned)) await people.refresh(ids);
  return done;
}

function* inParts(personIds: Iterable<string>): Iterable<readonly string[]> {
  const ids = [...personIds];
  for (let at = 0; at < ids.length; at += together) yield ids.slice(at, at + together);
}

type Users = Pick<Directory, 'user' | 'users' | 'groupsOf' | 'createUser' | 'changeUser' | 'removeUser'>;

function createUsers(deps: DirectoryDeps): Users {
  const { db, clock, signIns } = deps;
  return {
    user: (organizationId, id) => findUser(db, organizationId, id),
    users: (organizationId, search) => searchUsers(db, organizationId, search),
    groupsOf: (userIds) => groupsOfUsers(db, userIds),

    async createUser(organizationId, given) {
      const content = { ...given, email: emailOf(given.email) };
      const made = await change(deps, organizationId, async (queries, concerns) => {
        const [adopted, ...others] = await holdersOf(queries, organizationId, content, '');
        if (adopted?.provisioned) return err(takenBy(adopted));
        const room = await makeRoom(queries, others);
        if (!room.ok) return room;
        const id = adopted?.id ?? newId('usr', clock.now());
        concerns([id, ...room.value]);
        return ok(await writeUser(queries, organizationId, id, content, clock));
      });
      if (made.ok && !made.value.active) await signIns.endAllOf(made.value.id);
      return made;
    },

    async changeUser(organizationId, id, make) {
      let isOut = false;
      const changed = await change(deps, organizationId, async (queries, concerns) => {
        const now = await findUser(queries, organizationId, id);
        if (now === null) return null;
        const wanted = make(now);
        if (!wanted.ok) return wanted;
        const content = { ...wanted.value, email: emailOf(wanted.value.email) };
        isOut = !content.active;
        // Also where nothing changes: a change that was written may have ended before it was known here.
        concerns([id]);
        if (isSame(now, content)) return ok(now);
        const room = await makeRoom(queries, await holdersOf(queries, organizationId, content, id));
        if (!room.ok) return room;
        concerns(room.value);
        return ok(await writeUser(queries, organizationId, id, content, clock));
      });
      if (isOut && changed?.ok) await signIns.endAllOf(id);
      return changed;
    },

    async removeUser(organizationId, id, check) {
      const removed = await change(deps, organizationId, async (queries, concerns) => {
        const now = await findUser(queries, organizationId, id);
        if (now === null) return null;
        const checked = check(now);
        if (!checked.ok) return checked;
        concerns([id]);
        await forgetUser(queries, id, clock.iso());
        return ok(undefined);
      });
      if (removed?.ok) await signIns.endAllOf(id);
      return removed;
    },
  };
}

function isSame(now: DirectoryUser, content: UserContent): boolean {
  return now.active === content.active && canonicalJson(now.attributes) === canonicalJson(content.attributes);
}

/** Who left, and whom no directory keeps, has their address no more when somebody else gets it. */
async function makeRoom(
  queries: Queries,
  holders: readonly Holder[],
): Promise<Result<readonly string[], Refusal>> {
  const taken = holders.find(({ provisioned, active }) => provisioned || active);
  if (taken !== undefined) return err(takenBy(taken));
  const ids = holders.map(({ id }) => id);
  if (ids.length > 0) await takeAddresses(queries, ids);
  return ok(ids);
}

function takenBy({ has_name }: Holder): Refusal {
  const field = has_name ? 'userName' : 'emails';
  const what = has_name
    ? 'another user has this name'
    : 'another person has this address, as their own or as their name';
  return refusal('resource.conflict', `${field}: ${what}`, { field });
}

type Groups = Pick<
  Directory,
  'group' | 'groups' | 'membersOf' | 'createGroup' | 'changeGroup' | 'removeGroup'
>;

function createGroups(deps: DirectoryDeps): Groups {
  const { db, clock } = deps;
  return {
    group: (organizationId, id) => findGroup(db, organizationId, id),

    async groups(organizationId, search, withMembers) {
      const found = await searchGroups(db, organizationId, search);
      return withMembers ? { ...found, items: await cutShort(db, found.items) } : found;
    },

    membersOf: (groupIds) => membersOfGroups(db, groupIds),

    createGroup: (organizationId, content, members) =>
      change(deps, organizationId, async (queries, concerns) => {
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
      change(deps, organizationId, async (queries, concerns) => {
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
      change(deps, organizationId, async (queries, concerns) => {
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
  { concerns, at }: { readonly concerns: (ids: Iterable<string>) => void; readonly at: string },
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
