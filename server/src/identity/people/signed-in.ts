import { type Refusal, type Role, refusal } from '#domain';
import { err, Fault, ok, type Result } from '#foundation';
import type { Queries, Row } from '#storage';
import { lockOrganization } from './change-person.ts';
import type { SignedInPerson } from './contract.ts';
import { emailOf } from './email.ts';
import { writeMembership } from './memberships.ts';
import { findPerson, type PersonRow, personColumns } from './persons.ts';
import { greater } from './standings.ts';

/** What a link is the issuer of. */
export const linkIssuer = 'link';

/** Of a link: who made it is still here. Whoever left must not come back by what they left behind. */
export const ofSomebodyActive =
  'not exists (select 1 from people maker where maker.id = links.created_by and not maker.active)';

interface Known extends Row {
  id: string;
  active: boolean;
  provisioned: boolean;
  /** Issuers by which they came in, without links. */
  issuers: string[];
  /** Projects that they came in at, or have a role in; `''`: a role in all. */
  places: string[];
}

interface SignInContext {
  readonly at: string;
  /** The id of a person who is made. */
  readonly newId: string;
}

export interface KeptSignIn {
  readonly personId: string;
  /** Somebody who was here before, and never by this issuer. */
  readonly isNewIssuer: boolean;
  /** Whose address it was until now. */
  readonly dispossessed: readonly string[];
}

/**
 * Whom a sign-in is of, written down. It must not make anybody somebody else:
 *
 * - An issuer and its subject are the same person for ever. Whatever address, name or user id it says next time, the person
 *   stays, and so does the issuer's other subjects' distance from them.
 * - An address alone finds a person only where an issuer vouches for it (the caller gives `''` otherwise), and never a person
 *   who has another subject of the same issuer: an address that a company gives to somebody new does not bring along what the
 *   one before could do.
 * - What one issuer says of an address does not open a person whom another issuer knows, unless somebody of the organisation said
 *   that this address is theirs: by an invitation or link that was for it, or by the directory. Anybody can have an account that
 *   says `ceo@company` at some issuer; being believed by one source must not be worth more than that source's own people.
 * - In an organisation an address belongs to one person. Who comes with one that another person holds is a person without an address,
 *   because the address is a user id on gateways, and names them in policies.
 * - Whoever makes a link can open it. So once another issuer says who somebody is, what came in by links before is out.
 * - Whoever administers a project chooses who vouches there. So the sources of the organisation's first project, and links, stand
 *   above those of others: they get an address that only another project's source gave, and accept invitations. A source of
 *   another project finds by address whom the directory keeps, and people of its own project alone.
 * - A person who was deactivated is refused by whichever issuer they come, before anything is written.
 */
export async function keepSignIn(
  queries: Queries,
  said: SignedInPerson,
  { at, newId }: SignInContext,
): Promise<Result<KeptSignIn, Refusal>> {
  if ((said.issuer === linkIssuer) !== (said.sourceId === '')) {
    throw new Fault('only a link signs in without a user source');
  }
  if (!(await lockOrganization(queries, said.organizationId))) {
    throw new Fault('a sign-in names an organization that does not exist');
  }
  const email = emailOf(said.email);
  const speaksForAll = await standsAbove(queries, said);
  const dispossessed = speaksForAll && email !== '' ? await takeAddress(queries, said, email) : [];
  // A link speaks of an address, and of whoever has it now.
  const known = said.issuer === linkIssuer ? null : await byIdentity(queries, said);
  const person = known ?? (await byEmail(queries, { ...said, email, speaksForAll }));
  if (person !== null && !person.active) return err(deactivated(person.id));
  if (person === null) {
    const isFree = email !== '' && (await holdersOf(queries, said.organizationId, email)).length === 0;
    await queries.query(
      `insert into people (id, organization_id, email, name, active, created_at, updated_at, last_sign_in_at)
       values ($1, $2, $3, $4, true, $5, $5, $5)`,
      [newId, said.organizationId, isFree ? email : '', said.name, at],
    );
  } else await update(queries, person, said, email, at);
  const id = person?.id ?? newId;
  await keepIdentity(queries, id, said, at);
  await acceptInvitations(queries, id, { ...said, speaksForAll }, at);
  const isNewIssuer = person !== null && known === null && said.issuer !== linkIssuer;
  return ok({ personId: id, isNewIssuer, dispossessed });
}

async function standsAbove(queries: Queries, { organizationId, projectId, issuer }: SignedInPerson) {
  if (issuer === linkIssuer) return true;
  const [first] = await queries.query<{ id: string }>(
    'select id from projects where organization_id = $1 order by created_at, id limit 1',
    [organizationId],
  );
  return first?.id === projectId;
}

/** From whom has it of another project's source alone. */
async function takeAddress(queries: Queries, said: SignedInPerson, email: string): Promise<string[]> {
  const rows = await queries.query<{ id: string }>(
    `update people p set email = '' where p.organization_id = $1 and p.email = $2 and p.active
       and p.provisioned is null
       and exists (select 1 from person_identities i where i.person_id = p.id)
       and not exists (select 1 from person_identities i where i.person_id = p.id
         and (i.issuer = $3 or i.issuer = $4 or i.project_id = (
           select id from projects where organization_id = $1 order by created_at, id limit 1)))
     returning p.id`,
    [said.organizationId, email, linkIssuer, said.issuer],
  );
  return rows.map(({ id }) => id);
}

function deactivated(id: string): Refusal {
  return refusal('identity.deactivated', 'your account was deactivated; ask an administrator', {
    reason: `person ${id} is deactivated`,
  });
}

const known = `
  p.id, p.active, p.provisioned is not null as provisioned,
  coalesce((select json_agg(distinct i.issuer) from person_identities i
    where i.person_id = p.id and i.issuer <> '${linkIssuer}'), '[]') as issuers,
  array(select i.project_id from person_identities i where i.person_id = p.id and i.issuer <> '${linkIssuer}'
    union select m.project_id from memberships m where m.person_id = p.id) as places`;

async function byIdentity(
  queries: Queries,
  { organizationId, issuer, subject }: SignedInPerson,
): Promise<Known | null> {
  const rows = await queries.query<Known>(
    `select ${known} from people p join person_identities x on x.person_id = p.id
     where x.organization_id = $1 and x.issuer = $2 and x.subject = $3`,
    [organizationId, issuer, subject],
  );
  return rows[0] ?? null;
}

/** Whom an address names: it is theirs, or their name in the directory. */
async function holdersOf(queries: Queries, organizationId: string, email: string): Promise<Known[]> {
  return queries.query<Known>(
    `select ${known} from people p
     where p.organization_id = $1 and (p.email = $2 or p.user_name = $2) order by p.created_at, p.id`,
    [organizationId, email],
  );
}

interface Asked extends SignedInPerson {
  readonly speaksForAll: boolean;
}

async function byEmail(queries: Queries, said: Asked): Promise<Known | null> {
  const { email, organizationId, projectId, speaksForAll } = said;
  if (email === '') return null;
  const holders = await holdersOf(queries, organizationId, email);
  const others = holders.filter(({ issuers }) => !issuers.includes(said.issuer));
  // Whoever left must not come back by another door.
  const gone = others.find(({ active }) => !active);
  if (gone !== undefined) return gone;
  if (said.issuer === linkIssuer) return others[0] ?? null;
  for (const person of others) {
    if (person.provisioned) return person;
    if (!speaksForAll && person.places.some((place) => place !== projectId)) continue;
    if (person.issuers.length === 0 || (await wasInvited(queries, organizationId, email))) return person;
  }
  return null;
}

/** Whether somebody of the organisation said that whoever has this address is meant. */
async function wasInvited(queries: Queries, organizationId: string, email: string): Promise<boolean> {
  const rows = await queries.query(
    'select 1 from links where organization_id = $1 and email = $2 and used_at is not null limit 1',
    [organizationId, email],
  );
  return rows.length > 0;
}

/** The directory's word on name and address stands above an issuer's, and an address moves only with the one issuer that gave it. */
async function update(
  queries: Queries,
  person: Known,
  said: SignedInPerson,
  email: string,
  at: string,
): Promise<void> {
  const foreign = person.issuers.some((issuer) => issuer !== said.issuer) || said.issuer === linkIssuer;
  const holders = email === '' ? [] : await holdersOf(queries, said.organizationId, email);
  const moves =
    email !== '' && !person.provisioned && !foreign && holders.every(({ id }) => id === person.id);
  const name = person.provisioned || said.issuer === linkIssuer ? '' : said.name;
  await queries.query(
    `update people set last_sign_in_at = $2, updated_at = $2,
       email = case when $3 <> '' then $3 else email end, name = case when $4 <> '' then $4 else name end
     where id = $1`,
    [person.id, at, moves ? email : '', name],
  );
}

async function keepIdentity(
  queries: Queries,
  personId: string,
  said: SignedInPerson,
  at: string,
): Promise<void> {
  await queries.query(
    `insert into person_identities
       (organization_id, issuer, subject, person_id, project_id, source_id, user_id, claims, groups, seen_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8::json, $9::json, $10)
     on conflict (organization_id, issuer, subject, project_id, source_id) do update set
       person_id = excluded.person_id, user_id = excluded.user_id, claims = excluded.claims, groups = excluded.groups,
       seen_at = excluded.seen_at`,
    [
      said.organizationId,
      said.issuer,
      said.subject,
      personId,
      said.projectId,
      said.sourceId,
      said.userId,
      JSON.stringify(said.claims),
      JSON.stringify(said.groups),
      at,
    ],
  );
}

interface InvitationRow extends Row {
  id: string;
  project_id: string;
  role: Role;
}

/** Who was invited and comes by the company's sign-in needs no link. */
async function acceptInvitations(
  queries: Queries,
  personId: string,
  { organizationId, projectId, issuer, speaksForAll }: Asked,
  at: string,
): Promise<void> {
  const person = await findPerson(queries, organizationId, personId);
  if (issuer === linkIssuer || person === null || person.email === '') return;
  const open = await queries.query<InvitationRow>(
    `update links set used_at = $3 where organization_id = $1 and email = $2 and kind = 'invitation'
       and used_at is null and expires_at > $3 and ($4 or project_id = $5) and ${ofSomebodyActive}
     returning id, project_id, role`,
    [organizationId, person.email, at, speaksForAll, projectId],
  );
  for (const { project_id: place, role } of open) {
    const held = await queries.query<{ role: Role }>(
      'select role from memberships where person_id = $1 and organization_id = $2 and project_id = $3',
      [personId, organizationId, place],
    );
    const given = greater(held[0]?.role ?? null, role);
    await writeMembership(queries, personId, { organizationId, projectId: place }, given, at);
  }
}

export async function personRow(queries: Queries, id: string): Promise<PersonRow> {
  const [row] = await queries.query<PersonRow>(`select ${personColumns} from people where id = $1`, [id]);
  if (row === undefined) throw new Fault('a person who was just written is gone');
  return row;
}
