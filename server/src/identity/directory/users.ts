import { type Refusal, refusal } from '#domain';
import { canonicalJson, err, newId, ok, type Result } from '#foundation';
import type { Queries } from '#storage';
import { emailOf } from '../people/email.ts';
import { changeDirectory, type DirectoryDeps } from './change-directory.ts';
import type { Directory, DirectoryUser, UserContent } from './contract.ts';
import {
  findUser,
  forgetUser,
  groupsOfUsers,
  type Holder,
  holdersOf,
  searchUsers,
  takeAddresses,
  writeUser,
} from './user-store.ts';

type Users = Pick<Directory, 'user' | 'users' | 'groupsOf' | 'createUser' | 'changeUser' | 'removeUser'>;

export function createUsers(deps: DirectoryDeps): Users {
  const { db, clock, signIns } = deps;
  return {
    user: (organizationId, id) => findUser(db, organizationId, id),
    users: (organizationId, search) => searchUsers(db, organizationId, search),
    groupsOf: (userIds) => groupsOfUsers(db, userIds),

    async createUser(organizationId, given) {
      const content = { ...given, email: emailOf(given.email) };
      const made = await changeDirectory(deps, organizationId, async (queries, concerns) => {
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
      const changed = await changeDirectory(deps, organizationId, async (queries, concerns) => {
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
      const removed = await changeDirectory(deps, organizationId, async (queries, concerns) => {
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
