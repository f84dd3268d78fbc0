import { type Role, roles } from '#domain';
import type { Db, Row } from '#storage';
import type { Standing } from './contract.ts';
import { inLowerCase } from './email.ts';

export interface Standings {
  get(personId: string): Standing | null;
  find(organizationId: string, userId: string): Standing | null;
  /** Looks at these again; `null`: at everybody. */
  refresh(personIds: readonly string[] | null): Promise<void>;
}

interface StandingRow extends Row {
  id: string;
  organization_id: string;
  email: string;
  name: string;
  active: boolean;
  user_name: string | null;
  memberships: [projectId: string, role: Role][];
  groups: string[];
  user_ids: string[];
}

interface Entry {
  readonly standing: Standing;
  readonly row: StandingRow;
  /** What the row says, to tell whether it changed. */
  readonly text: string;
}

const selected = `
  select p.id, p.organization_id, p.email, p.name, p.active, p.user_name,
    coalesce((select json_agg(json_build_array(m.project_id, m.role) order by m.project_id) from memberships m
      where m.person_id = p.id and m.organization_id = p.organization_id), '[]') as memberships,
    coalesce((select json_agg(distinct g.display_name order by g.display_name)
      from directory_group_members gm join directory_groups g on g.id = gm.group_id
      where gm.person_id = p.id and g.organization_id = p.organization_id), '[]') as groups,
    coalesce((select json_agg(distinct i.user_id order by i.user_id) from person_identities i
      where i.person_id = p.id and i.organization_id = p.organization_id), '[]') as user_ids
  from people p`;

/** What of each person must be known on every request, in memory. */
export function createStandings(db: Db, organizationOf: (projectId: string) => string | null): Standings {
  const byId = new Map<string, Entry>();
  // By how well a user id names somebody: their address, their name in the directory, what a sign-in said.
  const ranks = [new Map<string, Entry[]>(), new Map<string, Entry[]>(), new Map<string, Entry[]>()] as const;
  let last: Promise<void> = Promise.resolve();

  function forget(id: string): void {
    const entry = byId.get(id);
    if (entry === undefined) return;
    byId.delete(id);
    for (const [rank, name] of namesOf(entry.row)) {
      const others = (ranks[rank].get(name) ?? []).filter((other) => other !== entry);
      if (others.length === 0) ranks[rank].delete(name);
      else ranks[rank].set(name, others);
    }
  }

  function keep(row: StandingRow): void {
    const text = JSON.stringify(row);
    if (byId.get(row.id)?.text === text) return;
    forget(row.id);
    const entry = { standing: standingOf(row, organizationOf), row, text };
    byId.set(row.id, entry);
    for (const [rank, name] of namesOf(row)) {
      ranks[rank].set(name, [...(ranks[rank].get(name) ?? []), entry]);
    }
  }

  async function look(personIds: readonly string[] | null): Promise<void> {
    const rows =
      personIds === null
        ? await db.query<StandingRow>(selected)
        : await db.query<StandingRow>(`${selected} where p.id = any($1)`, [personIds]);
    const there = new Set(rows.map(({ id }) => id));
    for (const id of personIds ?? [...byId.keys()]) if (!there.has(id)) forget(id);
    rows.forEach(keep);
  }

  return {
    get: (personId) => byId.get(personId)?.standing ?? null,

    find(organizationId, userId) {
      const folded = inLowerCase(userId);
      const asSaid = userId.includes('@') ? folded : userId;
      for (const [rank, name] of [folded, folded, asSaid].entries()) {
        const found = ranks[rank as Rank].get(nameIn(organizationId, name));
        if (found !== undefined) return found.reduce(rather).standing;
      }
      return null;
    },

    // One after another: what was read earlier never replaces what was read later.
    refresh(personIds) {
      last = last.catch(() => undefined).then(() => look(personIds));
      return last;
    },
  };
}

type Rank = 0 | 1 | 2;

/** Where a user id names several people, one who may not come in any more is meant, rather than let them in as another. */
function rather(one: Entry, other: Entry): Entry {
  if (one.row.active !== other.row.active) return one.row.active ? other : one;
  if ((one.row.user_name === null) !== (other.row.user_name === null)) {
    return one.row.user_name === null ? other : one;
  }
  return one.row.id < other.row.id ? one : other;
}

function nameIn(organizationId: string, name: string): string {
  return `${organizationId}\n${name}`;
}

function namesOf({ organization_id, email, user_name, user_ids }: StandingRow): [Rank, string][] {
  const names: [Rank, string][] = [];
  if (email !== '') names.push([0, nameIn(organization_id, email)]);
  if (user_name !== null && user_name !== '') names.push([1, nameIn(organization_id, user_name)]);
  // An address is the same in whatever case; an id of an issuer is not.
  const said = new Set(user_ids.map((id) => (id.includes('@') ? inLowerCase(id) : id)));
  for (const id of said) if (id !== '') names.push([2, nameIn(organization_id, id)]);
  return names;
}

function standingOf(row: StandingRow, organizationOf: (projectId: string) => string | null): Standing {
  const byProject = new Map(row.memberships);
  const everywhere = byProject.get('') ?? null;
  return Object.freeze({
    personId: row.id,
    organizationId: row.organization_id,
    email: row.email,
    name: row.name,
    active: row.active,
    groups: Object.freeze(row.groups),
    roleIn(projectId: string): Role | null {
      if (projectId === '') return everywhere;
      if (organizationOf(projectId) !== row.organization_id) return null;
      return greater(everywhere, byProject.get(projectId) ?? null);
    },
  });
}

/** The greater of two roles. */
export function greater(one: Role | null, other: Role | null): Role | null {
  if (one === null || other === null) return one ?? other;
  return roles.indexOf(one) <= roles.indexOf(other) ? one : other;
}
