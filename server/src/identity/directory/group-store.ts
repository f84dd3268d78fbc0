import type { Queries, Row } from '#storage';
import { inLowerCase } from '../people/email.ts';
import type { Place } from './condition-sql.ts';
import type { DirectoryGroup, Found, GroupContent, MemberChange, Related, Search } from './contract.ts';
import { page } from './page.ts';

interface GroupRow extends Row {
  id: string;
  display_name: string;
  external_id: string | null;
  version: number;
  created_at: string;
  updated_at: string;
}

const columns = 'g.id, g.display_name, g.external_id, g.version, g.created_at, g.updated_at';

const memberItem: Place = {
  value([name]) {
    if (name === 'value') return { sql: 'gm.person_id' };
    if (name === 'display') return { sql: 'p.name' };
    return name === 'type' ? { sql: `'User'::text` } : null;
  },
  items: () => null,
};

const groupPlace: Place = {
  value(path) {
    switch (path.join('.')) {
      case 'id':
        return { sql: 'g.id' };
      case 'displayName':
        return { sql: 'g.name_key', folded: true };
      case 'externalId':
        return { sql: 'g.external_id' };
      case 'meta.created':
        return { sql: 'g.created_at' };
      case 'meta.lastModified':
        return { sql: 'g.updated_at' };
      default:
        return null;
    }
  },
  items(list) {
    if (list !== 'members') return null;
    const from = `from directory_group_members gm join people p on p.id = gm.person_id where gm.group_id = g.id`;
    return { from, place: memberItem };
  },
};

export async function findGroup(
  queries: Queries,
  organizationId: string,
  id: string,
): Promise<DirectoryGroup | null> {
  const rows = await queries.query<GroupRow>(
    `select ${columns} from directory_groups g where g.organization_id = $1 and g.id = $2`,
    [organizationId, id],
  );
  return rows[0] === undefined ? null : groupFrom(rows[0]);
}

export function searchGroups(
  queries: Queries,
  organizationId: string,
  search: Search,
): Promise<Found<DirectoryGroup>> {
  const where = 'g.organization_id = $1';
  const searched = { columns, from: 'directory_groups g', where, place: groupPlace, id: 'g.id' };
  return page(queries, searched, organizationId, search, groupFrom);
}

export async function membersOfGroups(
  queries: Queries,
  groupIds: readonly string[],
): Promise<ReadonlyMap<string, readonly Related[]>> {
  const rows = await queries.query<{ group_id: string; id: string; name: string }>(
    `select gm.group_id, p.id, p.name from directory_group_members gm join people p on p.id = gm.person_id
     where gm.group_id = any($1) order by gm.group_id, p.id`,
    [groupIds],
  );
  return Map.groupBy(rows, ({ group_id }) => group_id);
}

export async function countMembers(
  queries: Queries,
  groupIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await queries.query<{ group_id: string; members: number }>(
    'select group_id, count(*) as members from directory_group_members where group_id = any($1) group by group_id',
    [groupIds],
  );
  return new Map(rows.map(({ group_id, members }) => [group_id, members]));
}

/** Whether another group has this name. */
export async function isNameTaken(
  queries: Queries,
  organizationId: string,
  displayName: string,
  besideId: string,
): Promise<boolean> {
  const rows = await queries.query(
    'select 1 from directory_groups where organization_id = $1 and name_key = $2 and id <> $3',
    [organizationId, inLowerCase(displayName), besideId],
  );
  return rows.length > 0;
}

export async function insertGroup(
  queries: Queries,
  organizationId: string,
  id: string,
  { displayName, externalId }: GroupContent,
  at: string,
): Promise<void> {
  await queries.query(
    `insert into directory_groups
       (id, organization_id, display_name, name_key, external_id, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $6)`,
    [id, organizationId, displayName, inLowerCase(displayName), externalId, at],
  );
}

export async function updateGroup(
  queries: Queries,
  id: string,
  { displayName, externalId }: GroupContent,
  at: string,
): Promise<void> {
  await queries.query(
    `update directory_groups set display_name = $2, name_key = $3, external_id = $4, version = version + 1,
       updated_at = $5
     where id = $1`,
    [id, displayName, inLowerCase(displayName), externalId, at],
  );
}

/** One of these that is no user of the directory; `null` where all are. */
export async function strangerAmong(
  queries: Queries,
  organizationId: string,
  userIds: readonly string[],
): Promise<string | null> {
  const rows = await queries.query<{ id: string }>(
    `select asked.id from unnest($2::text[]) as asked (id)
     where not exists (select 1 from people p
       where p.id = asked.id and p.organization_id = $1 and p.provisioned is not null)
     limit 1`,
    [organizationId, userIds],
  );
  return rows[0]?.id ?? null;
}

/** Three statements at most, however many they are. Whom it really added and removed. */
export async function changeMembers(
  queries: Queries,
  groupId: string,
  { keep, add, remove }: MemberChange,
): Promise<{ readonly added: readonly string[]; readonly removed: readonly string[] }> {
  const out = keep
    ? remove.size === 0
      ? []
      : await queries.query<MemberRow>(
          'delete from directory_group_members where group_id = $1 and person_id = any($2) returning person_id',
          [groupId, [...remove]],
        )
    : await queries.query<MemberRow>(
        `delete from directory_group_members gm where gm.group_id = $1
           and not exists (select 1 from unnest($2::text[]) as kept (id) where kept.id = gm.person_id)
         returning person_id`,
        [groupId, [...add]],
      );
  const into =
    add.size === 0
      ? []
      : await queries.query<MemberRow>(
          `insert into directory_group_members (group_id, person_id)
           select $1, asked.id from unnest($2::text[]) as asked (id)
           on conflict do nothing returning person_id`,
          [groupId, [...add]],
        );
  return { added: into.map(({ person_id }) => person_id), removed: out.map(({ person_id }) => person_id) };
}

interface MemberRow extends Row {
  person_id: string;
}

/** Whom it had. */
export async function deleteGroup(queries: Queries, id: string): Promise<readonly string[]> {
  const members = await memberIds(queries, id);
  await queries.query('delete from directory_groups where id = $1', [id]);
  return members;
}

export async function memberIds(queries: Queries, groupId: string): Promise<readonly string[]> {
  const rows = await queries.query<MemberRow>(
    'select person_id from directory_group_members where group_id = $1',
    [groupId],
  );
  return rows.map(({ person_id }) => person_id);
}

function groupFrom(row: GroupRow): DirectoryGroup {
  return {
    id: row.id,
    displayName: row.display_name,
    externalId: row.external_id,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
