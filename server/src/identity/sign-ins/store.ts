import type { Db, Queries } from '#storage';
import type { SignIn } from './contract.ts';

interface SignInRow extends Record<string, unknown> {
  id: string;
  person_id: string;
  project_id: string;
  source_id: string;
  issuer: string;
  subject: string;
  user_id: string;
  groups: string[];
  claims: Record<string, unknown>;
  user_agent: string;
  created_at: string;
  browser_until: string;
  expires_at: string;
  ended_at: string | null;
}

const lasting = 'ended_at is null and expires_at > $2';

/** The table `sign_ins`, and what of the authorization server hangs on its rows. */
export function createSignInStore(db: Db) {
  return {
    async insert(signIn: SignIn, cookieHash: string, tokensSealed: string): Promise<void> {
      await db.query(
        `insert into sign_ins (id, person_id, project_id, source_id, issuer, subject, user_id, groups, claims,
           cookie_hash, user_agent, created_at, browser_until, expires_at, tokens_sealed)
         values ($1, $2, $3, $4, $5, $6, $7, $8::json, $9::json, $10, $11, $12, $13, $14, $15)`,
        [
          signIn.id,
          signIn.personId,
          signIn.projectId,
          signIn.sourceId,
          signIn.issuer,
          signIn.subject,
          signIn.userId,
          JSON.stringify(signIn.groups),
          JSON.stringify(signIn.claims),
          cookieHash,
          signIn.userAgent,
          signIn.createdAt,
          signIn.browserUntil,
          signIn.expiresAt,
          tokensSealed,
        ],
      );
    },

    async byId(id: string, now: string): Promise<SignIn | null> {
      const [row] = await db.query<SignInRow>(`select * from sign_ins where id = $1 and ${lasting}`, [
        id,
        now,
      ]);
      return row === undefined ? null : fromRow(row);
    },

    async byCookie(cookieHash: string, now: string): Promise<SignIn | null> {
      const [row] = await db.query<SignInRow>(
        `select * from sign_ins where cookie_hash = $1 and ${lasting} and browser_until > $2`,
        [cookieHash, now],
      );
      return row === undefined ? null : fromRow(row);
    },

    /** The newest first. */
    async lastingOf(personId: string, now: string, limit: number): Promise<SignIn[]> {
      const rows = await db.query<SignInRow>(
        `select * from sign_ins where person_id = $1 and ${lasting} order by created_at desc, id desc limit $3`,
        [personId, now, limit],
      );
      return rows.map(fromRow);
    },

    /** Of those that last, the ones beyond the newest `kept`. */
    async surplusOf(personId: string, now: string, kept: number): Promise<string[]> {
      const rows = await db.query<{ id: string }>(
        `select id from sign_ins where person_id = $1 and ${lasting} order by created_at desc, id desc offset $3`,
        [personId, now, kept],
      );
      return rows.map(({ id }) => id);
    },

    async lastingBy(projectId: string, now: string, sourceId: string): Promise<string[]> {
      const rows = await db.query<{ id: string }>(
        `select id from sign_ins where project_id = $1 and ${lasting} and source_id = $3`,
        [projectId, now, sourceId],
      );
      return rows.map(({ id }) => id);
    },

    /** Marks it, and removes what was given in it; whether it lasted until now. */
    async end(queries: Queries, id: string, now: string): Promise<boolean> {
      const ended = await queries.query(
        `update sign_ins set ended_at = $2, cookie_hash = null, tokens_sealed = '' where id = $1 and ${lasting} returning id`,
        [id, now],
      );
      await queries.query(
        `delete from oauth_records where sign_in_id = $1 or grant_id in (
           select coalesce(grant_id, id) from oauth_records
           where sign_in_id = $1 and (grant_id is not null or model = 'Grant'))`,
        [id],
      );
      return ended.length > 0;
    },

    async forgetTokens(projectId: string): Promise<void> {
      await db.query(
        `update sign_ins set tokens_sealed = '', tokens_version = tokens_version + 1
         where project_id = $1 and tokens_sealed <> ''`,
        [projectId],
      );
    },

    async prune(now: string): Promise<void> {
      await db.query('delete from sign_ins where expires_at <= $1', [now]);
    },
  };
}

function fromRow(row: SignInRow): SignIn {
  return {
    id: row.id,
    personId: row.person_id,
    projectId: row.project_id,
    sourceId: row.source_id,
    issuer: row.issuer,
    subject: row.subject,
    userId: row.user_id,
    groups: row.groups,
    // Without a prototype: nothing is there but what the issuer said.
    claims: Object.assign(Object.create(null), row.claims),
    userAgent: row.user_agent,
    createdAt: row.created_at,
    browserUntil: row.browser_until,
    expiresAt: row.expires_at,
    endedAt: row.ended_at,
  };
}
