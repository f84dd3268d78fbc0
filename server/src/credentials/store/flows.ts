import { hash } from 'node:crypto';
import type { Queries, Row } from '#storage';
import type { Target } from '../authority.ts';
import type { FlowFailure } from '../flows/contract.ts';
import type { Flow, FlowSecret, Place } from './kept.ts';
import { isoOrNull, msOrNull, placeOf, placeParams, targetParams } from './rows.ts';
import type { Seals } from './seals.ts';

export const hashOf = (secret: string): string => hash('sha256', secret, 'hex');

function flowOf(row: Row): Flow {
  const status = row.status as Flow['status'];
  return {
    ...placeOf(row),
    id: row.id as string,
    personId: row.person_id as string | null,
    account: row.account as string | null,
    lists: row.lists as Flow['lists'],
    scopes: row.scopes as string[],
    nextUri: row.next_uri as string | null,
    label: row.label as string,
    host: row.host as string | null,
    status,
    failure:
      status !== 'failed'
        ? null
        : {
            code: (row.failure as string | null) ?? 'failed',
            reason: (row.reason as string | null) ?? '',
            advice: (row.advice as string | null) ?? '',
          },
    connectionId: row.connection_id as string | null,
    browserHash: row.browser_hash as string | null,
    isAnswered: row.answered as boolean,
    wasTold: row.told as boolean,
    expiresAtMs: Date.parse(row.expires_at as string),
    endedAtMs: msOrNull(row.ended_at),
    sealed: row.sealed as string,
  };
}

const first = ([row]: readonly Row[]): Flow | null => (row === undefined ? null : flowOf(row));

export function flowReads(db: Queries) {
  return {
    /** Those of this place that wait for an answer, the newest first. */
    async pendingAt(place: Place, nowIso: string, queries: Queries = db): Promise<readonly Flow[]> {
      const rows = await queries.query(
        `select * from connection_flows where project_id = $1 and target_kind = $2 and target_id = $3 and user_id = $4
           and status = 'pending' and not answered and expires_at > $5 order by created_at desc limit 20`,
        [...placeParams(place), nowIso],
      );
      return rows.map(flowOf);
    },

    async pendingOfUser(projectId: string, userId: string, nowIso: string): Promise<readonly Flow[]> {
      const rows = await db.query(
        `select * from connection_flows where project_id = $1 and user_id = $2 and status = 'pending' and not answered
           and expires_at > $3`,
        [projectId, userId, nowIso],
      );
      return rows.map(flowOf);
    },

    async pendingCounts({ target, userId }: Place, queries: Queries) {
      const [row] = await queries.query<{ all: number; of_user: number }>(
        `select count(*)::int as all, count(*) filter (where user_id = $2)::int as of_user
         from connection_flows where project_id = $1 and status in ('pending', 'verifying')`,
        [target.projectId, userId],
      );
      return { all: row?.all ?? 0, ofUser: row?.of_user ?? 0 };
    },

    flow: async (id: string): Promise<Flow | null> =>
      first(await db.query('select * from connection_flows where id = $1', [id])),

    flowByToken: async (token: string): Promise<Flow | null> =>
      first(await db.query('select * from connection_flows where token_hash = $1', [hashOf(token)])),

    flowByState: async (state: string): Promise<Flow | null> =>
      first(await db.query('select * from connection_flows where state_hash = $1', [hashOf(state)])),

    flowByVerifyId: async (id: string): Promise<Flow | null> =>
      first(await db.query('select * from connection_flows where verify_hash = $1', [hashOf(id)])),

    async failedFlows(
      projectId: string,
      { userIds, personId }: { userIds?: readonly string[] | undefined; personId?: string | undefined },
      sinceIso: string,
    ): Promise<readonly Flow[]> {
      const rows = await db.query(
        `select * from connection_flows where project_id = $1 and status = 'failed' and ended_at >= $2 and target_id <> ''
           and ($3::text[] is null or user_id = any($3)) and ($4::text is null or person_id = $4)
         order by ended_at desc, id desc limit 20`,
        [projectId, sinceIso, userIds === undefined ? null : [...userIds], personId ?? null],
      );
      return rows.map(flowOf);
    },

    async flowsOfTarget(target: Target): Promise<readonly Flow[]> {
      const rows = await db.query(
        `select * from connection_flows where project_id = $1 and target_kind = $2 and target_id = $3
           and status in ('pending', 'verifying')`,
        targetParams(target),
      );
      return rows.map(flowOf);
    },
  };
}

export type NewFlow = Omit<
  Flow,
  'failure' | 'connectionId' | 'browserHash' | 'isAnswered' | 'wasTold' | 'endedAtMs' | 'sealed'
>;

export function flowWrites(db: Queries, seals: Seals) {
  return {
    async insertFlow(
      queries: Queries,
      flow: NewFlow,
      secret: FlowSecret,
      { createdIso, verifyId = null }: { readonly createdIso: string; readonly verifyId?: string | null },
    ): Promise<Flow> {
      const rows = await queries.query(
        `insert into connection_flows (project_id, target_kind, target_id, user_id, id, person_id, account, lists, scopes,
           next_uri, label, host, token_hash, verify_hash, sealed, status, answered, told, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, false, false, $17, $18) returning *`,
        [
          ...placeParams(flow),
          flow.id,
          flow.personId,
          flow.account,
          flow.lists === null ? null : JSON.stringify(flow.lists),
          JSON.stringify(flow.scopes),
          flow.nextUri,
          flow.label,
          flow.host,
          hashOf(secret.token),
          verifyId === null ? null : hashOf(verifyId),
          seals.sealFlow(flow, secret),
          flow.status,
          createdIso,
          isoOrNull(flow.expiresAtMs),
        ],
      );
      return flowOf(rows[0] as Row);
    },

    /** From now on only what this opening leads to counts. False where an answer has come. */
    async opened(
      flow: Flow,
      secret: FlowSecret,
      { state, browserHash }: { readonly state: string | null; readonly browserHash: string },
    ): Promise<boolean> {
      const rows = await db.query(
        `update connection_flows set browser_hash = $2, state_hash = $3, sealed = $4
         where id = $1 and status = 'pending' and not answered returning id`,
        [flow.id, browserHash, state === null ? null : hashOf(state), seals.sealFlow(flow, secret)],
      );
      return rows.length > 0;
    },

    /**
     * Takes the answer of this opening, which must have come to something until then and has until then, too, where its time would be
     * over before. False where it came before, or another browser
     * opened the flow meanwhile.
     */
    async answered({ id, browserHash }: Pick<Flow, 'id' | 'browserHash'>, untilMs: number): Promise<boolean> {
      const rows = await db.query(
        `update connection_flows set answered = true, expires_at = $3
         where id = $1 and status = 'pending' and not answered and browser_hash = $2 returning id`,
        [id, browserHash, isoOrNull(untilMs)],
      );
      return rows.length > 0;
    },

    /** What was entered is wrong: it may be entered again. */
    async unanswered({ id, expiresAtMs }: Flow): Promise<void> {
      await db.query(
        `update connection_flows set answered = false, expires_at = $2
         where id = $1 and status = 'pending' and answered`,
        [id, isoOrNull(expiresAtMs)],
      );
    },

    /** The tokens wait for the project's own verifier. */
    async verifying(flow: Flow, secret: FlowSecret, verifyId: string): Promise<boolean> {
      const rows = await db.query(
        `update connection_flows set status = 'verifying', sealed = $2, verify_hash = $3, expires_at = $4
         where id = $1 and status = 'pending' returning id`,
        [flow.id, seals.sealFlow(flow, secret), hashOf(verifyId), isoOrNull(flow.expiresAtMs)],
      );
      return rows.length > 0;
    },

    async told(projectId: string, id: string): Promise<void> {
      await db.query(
        `update connection_flows set told = true where id = $1 and project_id = $2 and status = 'failed'`,
        [id, projectId],
      );
    },
  };
}

export function flowEnds(db: Queries) {
  return {
    /** With it all that was sealed goes. False where it has ended already. */
    async endFlow(
      queries: Queries,
      id: string,
      end: { readonly connectionId: string | null } | FlowFailure,
      nowIso: string,
    ): Promise<boolean> {
      const failure = 'code' in end ? end : null;
      const rows = await queries.query(
        `update connection_flows set status = $2, failure = $3, reason = $4, advice = $5, connection_id = $6, ended_at = $7,
           sealed = ''
         where id = $1 and status in ('pending', 'verifying') returning id`,
        [
          id,
          failure === null ? 'completed' : 'failed',
          failure?.code ?? null,
          failure?.reason ?? null,
          failure?.advice ?? null,
          'code' in end ? null : end.connectionId,
          nowIso,
        ],
      );
      return rows.length > 0;
    },

    /** Those whose time is over; or this one of them. */
    async overdueFlows(nowIso: string): Promise<readonly Flow[]> {
      const rows = await db.query(
        `select * from connection_flows where status in ('pending', 'verifying') and expires_at <= $1
         order by expires_at limit 500`,
        [nowIso],
      );
      return rows.map(flowOf);
    },

    async tidyFlows(beforeIso: string): Promise<void> {
      await db.query(
        `delete from connection_flows where status in ('completed', 'failed') and ended_at < $1`,
        [beforeIso],
      );
    },
  };
}
