import { type Refusal, type Role, refusal } from '#domain';
import { type Clock, err, ok, type Result } from '#foundation';
import type { Db, Queries, Row } from '#storage';
import type { ChangePerson } from './change-person.ts';
import type { People } from './contract.ts';
import { findPerson } from './persons.ts';

export interface Place {
  readonly organizationId: string;
  readonly projectId: string;
}

interface MembershipRow extends Row {
  organization_id: string;
  project_id: string;
  role: Role;
}

type Memberships = Pick<People, 'setRole' | 'memberships' | 'hasOwner' | 'becomeFirstOwner'>;

export function createMemberships(deps: { db: Db; clock: Clock; change: ChangePerson }): Memberships {
  const { db, clock, change } = deps;
  return {
    setRole: (personId, place, role) =>
      change(place.organizationId, personId, async (queries) => {
        const allowed = await mayBecome(queries, personId, place, role);
        if (allowed.ok) await writeMembership(queries, personId, place, role, clock.iso());
        return allowed;
      }),

    async memberships(personId) {
      const rows = await db.query<MembershipRow>(
        'select organization_id, project_id, role from memberships where person_id = $1 order by project_id',
        [personId],
      );
      return rows.map((row) => ({
        organizationId: row.organization_id,
        projectId: row.project_id,
        role: row.role,
      }));
    },

    hasOwner: (organizationId) => ownerIn(db, organizationId),

    becomeFirstOwner: (organizationId, personId) =>
      change(organizationId, personId, async (queries) => {
        const person = await findPerson(queries, organizationId, personId);
        if (person === null || !person.active || (await ownerIn(queries, organizationId))) return false;
        await writeMembership(queries, personId, { organizationId, projectId: '' }, 'owner', clock.iso());
        return true;
      }),
  };
}

async function mayBecome(
  queries: Queries,
  personId: string,
  place: Place,
  role: Role | null,
): Promise<Result<void, Refusal>> {
  const { organizationId, projectId } = place;
  if ((await findPerson(queries, organizationId, personId)) === null) {
    return err(refusal('resource.unknown', `there is no person ${personId}`, { field: 'id' }));
  }
  if (projectId === '')
    return role === 'owner' ? ok(undefined) : canSpareOwner(queries, organizationId, personId);
  const [project] = await queries.query('select 1 from projects where organization_id = $1 and id = $2', [
    organizationId,
    projectId,
  ]);
  if (project === undefined) {
    return err(refusal('resource.unknown', `there is no project ${projectId}`, { field: 'project' }));
  }
  if (role !== 'owner') return ok(undefined);
  const told = 'role: an owner owns the whole organization; in a project, make them an admin';
  return err(refusal('request.params_invalid', told, { field: 'role' }));
}

export async function writeMembership(
  queries: Queries,
  personId: string,
  { organizationId, projectId }: Place,
  role: Role | null,
  at: string,
): Promise<void> {
  const key = [personId, organizationId, projectId];
  if (role === null) {
    const where = 'person_id = $1 and organization_id = $2 and project_id = $3';
    await queries.query(`delete from memberships where ${where}`, key);
    return;
  }
  await queries.query(
    `insert into memberships (person_id, organization_id, project_id, role, created_at)
     values ($1, $2, $3, $4, $5)
     on conflict (person_id, organization_id, project_id) do update set role = excluded.role`,
    [...key, role, at],
  );
}

async function ownerIn(queries: Queries, organizationId: string): Promise<boolean> {
  const rows = await queries.query(
    `select 1 from memberships where organization_id = $1 and project_id = '' and role = 'owner' limit 1`,
    [organizationId],
  );
  return rows.length > 0;
}

/** Refuses where nobody would own the organisation without this person. */
export async function canSpareOwner(
  queries: Queries,
  organizationId: string,
  personId: string,
): Promise<Result<void, Refusal>> {
  const owners = await queries.query<{ person_id: string }>(
    `select m.person_id from memberships m join people p on p.id = m.person_id
     where m.organization_id = $1 and m.project_id = '' and m.role = 'owner' and p.active`,
    [organizationId],
  );
  if (owners.length !== 1 || owners[0]?.person_id !== personId) return ok(undefined);
  return err(
    refusal(
      'resource.conflict',
      'this is the last owner of the organization; make somebody else an owner first',
    ),
  );
}
