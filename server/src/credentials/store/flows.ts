import { hash } from 'node:crypto';
import type { Sealer } from '#foundation';
import type { Queries, Row } from '#storage';
import type { Flow, FlowSecret, Place } from './kept.ts';
import { isoOrNull, placeOf } from './rows.ts';

export const hashOf = (secret: string): string => hash('sha256', secret, 'hex');

function flowOf(row: Row | undefined, sealer: Sealer): Flow | null {
  if (row === undefined) return null;
  const secret = sealer.open('connection flow', row.sealed as string, row.id as string);
  if (secret === null) return null;
  return {
    ...placeOf(row),
    id: row.id as string,
    personId: row.person_id as string | null,
    servesList: row.serves_list as boolean,
    scopes: row.scopes as string[],
    status: row.status as Flow['status'],
    reason: row.reason as string | null,
    expiresAtMs: Date.parse(row.expires_at as string),
    browserHash: row.browser_hash as string | null,
    secret: secret as FlowSecret,
  };
}

export function flowReads(db: Queries, sealer: Sealer) {
  return {
    /** Those of this place that nobody has opened or finished yet, the newest first. */
    async unopenedFlows({ projectId, sourceId, userId }: Place, nowIso: string): Promise<readonly Flow[]> {
      const rows = await db.query(
        `select * from connection_flows where project_id = $1 and source_id = $2 and user_id = $3
           and status = 'pending' and browser_hash is null and expires_at > $4 order by created_at desc limit 5`,
        [projectId, sourceId, userId, nowIso],
      );
      return rows.map((row) => flowOf(row, sealer)).filter((flow) => flow !== null);
    },

    async flow(id: string): Promise<Flow | null> {
      const [row] = await db.query('select * from connection_flows where id = $1', [id]);
      return flowOf(row, sealer);
    },

    async flowByToken(token: string): Promise<Flow | null> {
      const [row] = await db.query('select * from connection_flows where token_hash = $1', [hashOf(token)]);
      return flowOf(row, sealer);
    },

    async flowByState(state: string): Promise<Flow | null> {
      const [row] = await db.query('select * from connection_flows where state_hash = $1', [hashOf(state)]);
      return flowOf(row, sealer);
    },
  };
}

export function flowWrites(db: Queries, sealer: Sealer) {
  return {
    /** In the project. */
    async pendingFlows({ projectId, userId }: Place): Promise<{ all: number; ofUser: number }> {
      const [row] = await db.query<{ all: number; of_user: number }>(
        `select count(*) as all, count(*) filter (where user_id = $2) as of_user
         from connection_flows where project_id = $1 and status = 'pending'`,
        [projectId, userId],
      );
      return { all: row?.all ?? 0, ofUser: row?.of_user ?? 0 };
    },

    async insertFlow(flow: Flow, createdIso: string): Promise<void> {
      await db.query(
        `insert into connection_flows (id, token_hash, state_hash, browser_hash, project_id, source_id, user_id, person_id,
           serves_list, scopes, sealed, status, reason, answered, created_at, expires_at, ended_at)
         values ($1, $2, $3, null, $4, $5, $6, $7, $8, $9, $10, 'pending', null, false, $11, $12, null)`,
        [
          flow.id,
          hashOf(flow.secret.token),
          hashOf(flow.secret.state),
          flow.projectId,
          flow.sourceId,
          flow.userId,
          flow.personId,
          flow.servesList,
          JSON.stringify(flow.scopes),
          sealer.seal('connection flow', flow.secret, flow.id),
          createdIso,
          isoOrNull(flow.expiresAtMs),
        ],
      );
    },

    /** False where another browser was faster. */
    async openedBy(id: string, browserHash: string): Promise<boolean> {
      const rows = await db.query(
        `update connection_flows set browser_hash = $2
         where id = $1 and status = 'pending' and (browser_hash is null or browser_hash = $2) returning id`,
        [id, browserHash],
      );
      return rows.length > 0;
    },

    /** False where the answer came before. */
    async answered(id: string): Promise<boolean> {
      const rows = await db.query(
        `update connection_flows set answered = true where id = $1 and status = 'pending' and not answered returning id`,
        [id],
      );
      return rows.length > 0;
    },
  };
}

export function flowEnds(db: Queries) {
  return {
    /** False where it has ended already. */
    async endFlow(
      queries: Queries,
      id: string,
      end: { readonly status: 'completed' | 'failed'; readonly reason: string | null },
      nowIso: string,
    ): Promise<boolean> {
      const rows = await queries.query(
        `update connection_flows set status = $2, reason = $3, ended_at = $4 where id = $1 and status = 'pending' returning id`,
        [id, end.status, end.reason, nowIso],
      );
      return rows.length > 0;
    },

    /** Those whose time is over, which end now. */
    async expireFlows(
      reason: string,
      nowIso: string,
    ): Promise<readonly (Place & Pick<Flow, 'id' | 'personId'>)[]> {
      const rows = await db.query(
        `update connection_flows set status = 'failed', reason = $1, ended_at = $2
         where status = 'pending' and expires_at <= $2 returning id, project_id, source_id, user_id, person_id`,
        [reason, nowIso],
      );
      return rows.map((row) => ({
        ...placeOf(row),
        id: row.id as string,
        personId: row.person_id as string | null,
      }));
    },

    async tidyFlows(beforeIso: string): Promise<void> {
      await db.query(`delete from connection_flows where status <> 'pending' and ended_at < $1`, [beforeIso]);
    },
  };
}
