import type { Clock } from '#foundation';
import type { Queries, Row } from '#storage';
import { inLowerCase } from '../people/email.ts';
import { jsonItems, jsonText, type Place } from './condition-sql.ts';
import type { DirectoryUser, Found, Related, Search, UserContent } from './contract.ts';
import { page } from './page.ts';

interface UserRow extends Row {
  id: string;
  active: boolean;
  provisioned: { readonly [name: string]: unknown };
  created_at: string;
  updated_at: string;
}

const columns = 'p.id, p.active, p.provisioned, p.created_at, p.updated_at';
const kept = 'p.organization_id = $1 and p.provisioned is not null';

const groupItem: Place = {
  value: ([name]) =>
    name === 'value' ? { sql: 'g.id' } : name === 'display' ? { sql: 'g.display_name' } : null,
  items: () => null,
};

const userPlace: Place = {
  value(path, bind) {
    switch (path.join('.')) {
      case 'id':
        return { sql: 'p.id' };
      case 'userName':
        return { sql: 'p.user_name', folded: true };
      case 'externalId':
        return { sql: 'p.external_id' };
      case 'active':
        return { sql: 'p.active::text' };
      case 'meta.created':
        return { sql: 'p.created_at' };
      case 'meta.lastModified':
        return { sql: 'p.updated_at' };
      default:
        return jsonText('p.provisioned', path, bind);
    }
  },
  items(list, bind) {
    if (list !== 'groups') return jsonItems('p.provisioned', list, bind);
    const from = `from directory_group_members gm join directory_groups g on g.id = gm.group_id
      where gm.person_id = p.id`;
    return { from, place: groupItem };
  },
};

export async function findUser(
  queries: Queries,
  organizationId: string,
  id: string,
): Promise<DirectoryUser | null> {
  const rows = await queries.query<UserRow>(`select ${columns} from people p where ${kept} and p.id = $2`, [
    organizationId,
    id,
  ]);
  return rows[0] === undefined ? null : userFrom(rows[0]);
}

export function searchUsers(
  queries: Queries,
  organizationId: string,
  search: Search,
): Promise<Found<DirectoryUser>> {
  const searched = { columns, from: 'people p', where: kept, place: userPlace, id: 'p.id' };
  return page(queries, searched, organizationId, search, userFrom);
}

export async function groupsOfUsers(
  queries: Queries,
  userIds: readonly string[],
): Promise<ReadonlyMap<string, readonly Related[]>> {
  const rows = await queries.query<{ person_id: string; id: string; name: string }>(
    `select gm.person_id, g.id, g.display_name as name
     from directory_group_members gm join directory_groups g on g.id = gm.group_id
     where gm.person_id = any($1) order by g.id`,
    [userIds],
  );
  return Map.groupBy(rows, ({ person_id }) => person_id);
}

export interface Holder extends Row {
  id: string;
  provisioned: boolean;
  active: boolean;
  has_name: boolean;
  has_email: boolean;
}

/**
 * People beside this one who are called what this user would be. In an organisation a user name and an address name one
 * person, each also where the other is asked for: both are user ids.
 */
export async function holdersOf(
  queries: Queries,
  organizationId: string,
  { userName, email }: Pick<UserContent, 'userName' | 'email'>,
  besideId: string,
): Promise<Holder[]> {
  const name = inLowerCase(userName);
  return queries.query<Holder>(
    `select id, active, provisioned is not null as provisioned, coalesce(user_name = $2, false) as has_name,
       email = $3 as has_email
     from people
     where organization_id = $1 and id <> $4 and (email = any($5) or user_name = any($5))
     order by provisioned is not null desc, email = $3 desc, last_sign_in_at desc nulls last, id`,
    [organizationId, name, email, besideId, email === '' ? [name] : [name, email]],
  );
}

export async function takeAddresses(queries: Queries, ids: readonly string[]): Promise<void> {
  await queries.query(`update people set email = '' where id = any($1)`, [ids]);
}

/** Makes a person; or writes what the directory says over what is known of them. */
export async function writeUser(
  queries: Queries,
  organizationId: string,
  id: string,
  content: UserContent,
  clock: Clock,
): Promise<DirectoryUser> {
  const [row] = await queries.query<UserRow>(
    `insert into people as p
       (id, organization_id, email, name, active, provisioned, external_id, user_name, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6::json, $7, $8, $9, $9)
     on conflict (id) do update set email = excluded.email, name = excluded.name, active = excluded.active,
       provisioned = excluded.provisioned, external_id = excluded.external_id, user_name = excluded.user_name,
       updated_at = excluded.updated_at
     returning ${columns}`,
    [
      id,
      organizationId,
      content.email,
      content.name,
      content.active,
      JSON.stringify(content.attributes),
      content.externalId,
      inLowerCase(content.userName),
      clock.iso(),
    ],
  );
  return userFrom(row as UserRow);
}

/** Deactivates the person, out of every group, and forgets what the directory said of them but name and address. */
export async function forgetUser(queries: Queries, id: string, at: string): Promise<void> {
  await queries.query(
    `with gone as (delete from directory_group_members where person_id = $1 returning group_id)
     update directory_groups set version = version + 1, updated_at = $2 where id in (select group_id from gone)`,
    [id, at],
  );
  await queries.query(
    `update people set active = false, provisioned = null, external_id = null, user_name = null, updated_at = $2
     where id = $1`,
    [id, at],
  );
}

function userFrom(row: UserRow): DirectoryUser {
  return {
    id: row.id,
    active: row.active,
    attributes: row.provisioned,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
