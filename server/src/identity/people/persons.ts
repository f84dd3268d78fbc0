import type { Queries, Row } from '#storage';
import type { People, Person, PersonIdentity } from './contract.ts';
import { emailOf } from './email.ts';

export interface PersonRow extends Row {
  id: string;
  organization_id: string;
  email: string;
  name: string;
  active: boolean;
  created_at: string;
  last_sign_in_at: string | null;
}

export const personColumns = 'id, organization_id, email, name, active, created_at, last_sign_in_at';

export function personFrom(row: PersonRow): Person {
  return {
    id: row.id,
    organizationId: row.organization_id,
    email: row.email,
    name: row.name,
    active: row.active,
    createdAt: row.created_at,
    lastSignInAt: row.last_sign_in_at,
  };
}

export async function findPerson(
  queries: Queries,
  organizationId: string,
  id: string,
): Promise<PersonRow | null> {
  const rows = await queries.query<PersonRow>(
    `select ${personColumns} from people where organization_id = $1 and id = $2`,
    [organizationId, id],
  );
  return rows[0] ?? null;
}

/** One page of those who fit, and how many there are. */
export async function listPersons(
  queries: Queries,
  organizationId: string,
  { limit, offset, email, projectId }: Parameters<People['list']>[1],
): Promise<{ items: Person[]; total: number }> {
  const params: unknown[] = [organizationId];
  const where = ['organization_id = $1'];
  if (email !== undefined) where.push(`email = $${params.push(emailOf(email) || email)}`);
  if (projectId !== undefined) {
    const there = `$${params.push(projectId)}`;
    where.push(
      `(exists (select 1 from memberships m where m.person_id = people.id and m.project_id in ('', ${there}))
        or exists (select 1 from person_identities i where i.person_id = people.id and i.project_id = ${there}))`,
    );
  }
  const from = `from people where ${where.join(' and ')}`;
  const [counted] = await queries.query<{ total: number }>(`select count(*) as total ${from}`, params);
  const rows = await queries.query<PersonRow>(
    `select ${personColumns} ${from} order by created_at, id limit ${Number(limit)} offset ${Number(offset)}`,
    params,
  );
  return { items: rows.map(personFrom), total: Number(counted?.total ?? 0) };
}

interface IdentityRow extends Row {
  issuer: string;
  project_id: string;
  source_id: string;
  user_id: string;
  seen_at: string;
}

export async function identitiesOf(queries: Queries, personId: string): Promise<PersonIdentity[]> {
  const rows = await queries.query<IdentityRow>(
    `select issuer, project_id, source_id, user_id, seen_at from person_identities where person_id = $1
     order by seen_at desc, issuer`,
    [personId],
  );
  return rows.map((row) => ({
    issuer: row.issuer,
    projectId: row.project_id,
    sourceId: row.source_id,
    userId: row.user_id,
    seenAt: row.seen_at,
  }));
}
