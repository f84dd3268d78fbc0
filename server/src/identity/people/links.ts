import { hash, randomBytes } from 'node:crypto';
import { type Role, roles } from '#domain';
import { type Clock, newId } from '#foundation';
import type { Db, Queries, Row } from '#storage';
import { lockOrganization } from './change-person.ts';
import type { Link, People } from './contract.ts';
import { emailOf } from './email.ts';
import { linkIssuer, ofSomebodyActive } from './signed-in.ts';

const keptAfterMs = 90 * 24 * 60 * 60_000;

interface LinkRow extends Row {
  id: string;
  kind: Link['kind'];
  organization_id: string;
  project_id: string;
  email: string;
  role: Role;
  created_by: string | null;
  created_at: string;
  expires_at: string;
  used_at: string | null;
}

const columns =
  'id, kind, organization_id, project_id, email, role, created_by, created_at, expires_at, used_at';

type Links = Pick<People, 'createLink' | 'links' | 'removeLink' | 'linkOf' | 'redeem'>;

/** Links that work once; of their tokens only the hash is kept. */
export function createLinks({ db, clock }: { db: Db; clock: Clock }): Links {
  async function open(queries: Queries, token: string): Promise<LinkRow | null> {
    const [row] = await queries.query<LinkRow>(
      `select ${columns} from links where token_hash = $1 and used_at is null and expires_at > $2
         and ${ofSomebodyActive}`,
      [hashOf(token), clock.iso()],
    );
    return row === undefined || (await opensTooMuch(queries, row)) ? null : row;
  }

  return {
    async createLink(link, createdBy) {
      const token = randomBytes(32).toString('base64url');
      const kept: Link = {
        ...link,
        email: emailOf(link.email),
        id: newId('lnk', clock.now()),
        createdBy,
        createdAt: clock.iso(),
        usedAt: null,
      };
      await db.query('delete from links where expires_at < $1', [
        new Date(clock.now() - keptAfterMs).toISOString(),
      ]);
      await db.query(
        `insert into links (token_hash, ${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, null)`,
        [
          hashOf(token),
          kept.id,
          kept.kind,
          kept.organizationId,
          kept.projectId,
          kept.email,
          kept.role,
          createdBy,
          kept.createdAt,
          kept.expiresAt,
        ],
      );
      return { link: kept, token };
    },

    async links(organizationId) {
      const rows = await db.query<LinkRow>(
        `select ${columns} from links where organization_id = $1 order by created_at, id`,
        [organizationId],
      );
      return rows.map(linkFrom);
    },

    async removeLink(organizationId, id) {
      const removed = await db.query(
        'delete from links where organization_id = $1 and id = $2 and used_at is null returning id',
        [organizationId, id],
      );
      return removed.length > 0;
    },

    async linkOf(token) {
      const row = await open(db, token);
      return row === null ? null : linkFrom(row);
    },

    redeem: (token) =>
      db.tx(async (queries) => {
        const row = await open(queries, token);
        if (row === null) return null;
        await lockOrganization(queries, row.organization_id);
        // Again, now that nobody's roles change any more.
        if (await opensTooMuch(queries, row)) return null;
        const [used] = await queries.query<LinkRow>(
          `update links set used_at = $2 where id = $1 and used_at is null returning ${columns}`,
          [row.id, clock.iso()],
        );
        return used === undefined ? null : linkFrom(used);
      }),
  };
}

/**
 * Whoever makes a link could open it themselves and be the person whose address it names. So it opens for nobody who has signed in
 * at an issuer, or who may do more than the link gives, or anything elsewhere. What the server itself printed is for who runs it.
 */
async function opensTooMuch(queries: Queries, link: LinkRow): Promise<boolean> {
  if (link.created_by === null) return false;
  if (link.email === '') return true;
  const rows = await queries.query<{ role: Role | null; project_id: string | null; signed_in: boolean }>(
    `select m.role, m.project_id, exists (select 1 from person_identities i
       where i.person_id = p.id and i.issuer <> '${linkIssuer}') as signed_in
     from people p left join memberships m on m.person_id = p.id
     where p.organization_id = $1 and (p.email = $2 or p.user_name = $2)`,
    [link.organization_id, link.email],
  );
  const given = roles.indexOf(link.role);
  const isElsewhere = (projectId: string | null) => link.project_id !== '' && projectId !== link.project_id;
  return rows.some(
    ({ role, project_id, signed_in }) =>
      signed_in || (role !== null && (roles.indexOf(role) < given || isElsewhere(project_id))),
  );
}

function hashOf(token: string): string {
  return hash('sha256', token, 'hex');
}

function linkFrom(row: LinkRow): Link {
  return {
    id: row.id,
    kind: row.kind,
    organizationId: row.organization_id,
    projectId: row.project_id,
    email: row.email,
    role: row.role,
    createdBy: row.created_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    usedAt: row.used_at,
  };
}
