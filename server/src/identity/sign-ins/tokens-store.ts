import type { Db } from '#storage';

/** What is kept of a sign-in's tokens, and whose they are. */
export interface TokensRow {
  readonly id: string;
  readonly projectId: string;
  readonly sourceId: string;
  readonly issuer: string;
  readonly subject: string;
  readonly sealed: string;
  readonly version: number;
}

interface Row extends Record<string, unknown> {
  id: string;
  project_id: string;
  source_id: string;
  issuer: string;
  subject: string;
  tokens_sealed: string;
  tokens_version: string | number;
}

const columns =
  'it.id, it.project_id, it.source_id, it.issuer, it.subject, it.tokens_sealed, it.tokens_version';
const maxLooked = 5;

/** The columns `tokens_…` of `sign_ins`. */
export function createTokensStore(db: Db) {
  return {
    /** Of this sign-in, then of the latest others of the same person at the same issuer. */
    async usableFor(id: string, now: string): Promise<TokensRow[]> {
      const rows = await db.query<Row>(
        `select ${columns} from sign_ins asked join sign_ins it on it.person_id = asked.person_id
           and it.project_id = asked.project_id and it.source_id = asked.source_id
           and it.issuer = asked.issuer and it.subject = asked.subject
         where asked.id = $1 and asked.ended_at is null and asked.expires_at > $2
           and it.ended_at is null and it.expires_at > $2 and it.tokens_sealed <> ''
         order by (it.id = asked.id) desc, it.created_at desc limit ${maxLooked}`,
        [id, now],
      );
      return rows.map(fromRow);
    },

    async byId(id: string, now: string): Promise<TokensRow | null> {
      const [row] = await db.query<Row>(
        `select ${columns} from sign_ins it
         where id = $1 and ended_at is null and expires_at > $2 and tokens_sealed <> ''`,
        [id, now],
      );
      return row === undefined ? null : fromRow(row);
    },

    /** Whether nobody else renews them now. */
    async lease({ id, version }: TokensRow, now: string, until: string): Promise<boolean> {
      const rows = await db.query(
        `update sign_ins set tokens_renewing_until = $4 where id = $1 and tokens_version = $2
           and (tokens_renewing_until is null or tokens_renewing_until <= $3) returning id`,
        [id, version, now, until],
      );
      return rows.length > 0;
    },

    async unlease({ id, version }: TokensRow): Promise<void> {
      await db.query(
        'update sign_ins set tokens_renewing_until = null where id = $1 and tokens_version = $2',
        [id, version],
      );
    },

    /** `''` : there are none any more. Nothing is kept of a sign-in that ended meanwhile. */
    async save({ id, version }: TokensRow, sealed: string): Promise<void> {
      await db.query(
        `update sign_ins set tokens_sealed = $3, tokens_version = tokens_version + 1, tokens_renewing_until = null
         where id = $1 and tokens_version = $2 and ended_at is null`,
        [id, version, sealed],
      );
    },
  };
}

function fromRow(row: Row): TokensRow {
  return {
    id: row.id,
    projectId: row.project_id,
    sourceId: row.source_id,
    issuer: row.issuer,
    subject: row.subject,
    sealed: row.tokens_sealed,
    version: Number(row.tokens_version),
  };
}
