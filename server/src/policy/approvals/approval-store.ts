import type { ApprovalStatus } from '@sallyport/contracts';
import type { Db, Queries } from '#storage';
import type { Approval } from './contract.ts';

/** An approval as it is kept, its arguments sealed. */
export interface KeptApproval extends Omit<Approval, 'args'> {
  readonly sealedArgs: string;
  readonly callHash: string;
  readonly principal: string;
  readonly toolId: string;
}

/** What matters to a call that comes again. */
export type LiveApproval = Pick<KeptApproval, 'id' | 'status' | 'rules' | 'expiresAt' | 'decidedBy'>;

export type ApprovalHead = Omit<Approval, 'args'>;

export interface Verdict {
  readonly status: 'approved' | 'denied';
  readonly decidedBy: string | null;
  readonly reason: string | null;
  readonly nowIso: string;
  /** When it is over, now that it is decided. */
  readonly expiresAt: string;
}

/** Of one user at one time. */
const maxPending = 100;
/** Of one project in one list. */
const maxListed = 10_000;
/** How long one stays to be looked at after it expired. */
const keptDays = 31;

/** What was neither decided nor used in its time is expired; `$1` is the time. */
const status = `case when status in ('pending', 'approved') and expires_at <= $1 then 'expired'
  when status = 'asking' then 'used' else status end as status`;
const head = `id, project_id, ${status}, rules, approvers, user_id, person_id, gateway, tool, created_at, expires_at, decided_by, decided_at, reason`;

/** Approvals in the database: every replica sees the same. */
export function createApprovalStore(db: Db) {
  return {
    live: (callHash: string, continues: boolean, nowIso: string) => live(db, callHash, continues, nowIso),

    /** Whether it was this call that used it: of several at once it is one. */
    async use(id: string, continues: boolean, nowIso: string): Promise<boolean> {
      const rows = await db.query(
        `update approvals set status = 'used'
         where id = $1 and (status = 'approved' or (status = 'asking' and $3::boolean)) and expires_at > $2 returning id`,
        [id, nowIso, continues],
      );
      return rows.length === 1;
    },

    async giveBack(id: string, to: 'asking' | 'approved'): Promise<void> {
      await db.query("update approvals set status = $2 where id = $1 and status = 'used'", [id, to]);
    },

    /** The live one of this call, where there is one by now; otherwise this. `null`: too many of this user wait. */
    hold(approval: KeptApproval): Promise<LiveApproval | null> {
      const { projectId, userId, callHash, createdAt: nowIso } = approval;
      const user = [projectId, userId ?? ''];
      return db.tx(async (queries) => {
        // One at a time for a user: two calls at once become one that waits, and the count holds.
        await queries.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
          `approvals ${JSON.stringify(user)}`,
        ]);
        const known = await live(queries, callHash, false, nowIso);
        if (known !== null) return known;
        await tidy(queries, user, nowIso);
        const [waiting] = await queries.query<{ count: number }>(
          "select count(*)::int as count from approvals where project_id = $1 and coalesce(user_id, '') = $2 and status = 'pending'",
          user,
        );
        if ((waiting?.count ?? 0) >= maxPending) return null;
        await insert(queries, approval);
        return approval;
      });
    },

    async heads(
      projectId: string,
      asked: ApprovalStatus | null,
      nowIso: string,
    ): Promise<readonly ApprovalHead[]> {
      const rows = await db.query<Row>(
        `select * from (select ${head} from approvals where project_id = $2) as heads
         where $3::text is null or status = $3 order by created_at desc, id desc limit ${maxListed}`,
        [nowIso, projectId, asked],
      );
      return rows.map(headOf);
    },

    async get(projectId: string, id: string, nowIso: string): Promise<ApprovalHead | null> {
      const [row] = await db.query<Row>(`select ${head} from approvals where project_id = $2 and id = $3`, [
        nowIso,
        projectId,
        id,
      ]);
      return row === undefined ? null : headOf(row);
    },

    async sealedArgs(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
      const rows = await db.query<{ id: string; sealed_args: string }>(
        'select id, sealed_args from approvals where id in (select jsonb_array_elements_text($1::jsonb))',
        [JSON.stringify(ids)],
      );
      return new Map(rows.map(({ id, sealed_args }) => [id, sealed_args]));
    },

    /** Whether it was still open. */
    async decide(id: string, verdict: Verdict): Promise<boolean> {
      const rows = await db.query(
        `update approvals set status = $2, decided_by = $3, decided_at = $4, reason = $5, expires_at = $6
         where id = $1 and status = 'pending' and expires_at > $4 returning id`,
        [id, verdict.status, verdict.decidedBy, verdict.nowIso, verdict.reason, verdict.expiresAt],
      );
      return rows.length === 1;
    },
  };
}

/** What is asked about in the midst of a call lets only that call go on. */
async function live(
  queries: Queries,
  callHash: string,
  continues: boolean,
  nowIso: string,
): Promise<LiveApproval | null> {
  const [row] = await queries.query<Row>(
    `select id, case when status = 'asking' then 'approved' else status end as status, rules, expires_at, decided_by
     from approvals where call_hash = $1 and expires_at > $2
       and (status in ('pending', 'approved', 'denied') or (status = 'asking' and $3::boolean))
     order by approvals.status = 'asking' desc, approvals.status = 'approved' desc, created_at desc, id desc limit 1`,
    [callHash, nowIso, continues],
  );
  if (row === undefined) return null;
  const { id, status, rules, expires_at, decided_by } = row;
  return { id, status, rules, expiresAt: expires_at, decidedBy: decided_by };
}

async function tidy(queries: Queries, user: readonly string[], nowIso: string): Promise<void> {
  await queries.query(
    `update approvals set status = 'expired'
     where project_id = $1 and coalesce(user_id, '') = $2 and status = 'pending' and expires_at <= $3`,
    [...user, nowIso],
  );
  await queries.query(
    `delete from approvals where expires_at < $1::timestamptz - interval '${keptDays} days'`,
    [nowIso],
  );
}

async function insert(queries: Queries, approval: KeptApproval): Promise<void> {
  await queries.query(
    `insert into approvals (id, project_id, call_hash, status, rules, approvers, user_id, person_id, principal, gateway, tool,
       tool_id, sealed_args, created_at, expires_at)
     values ($1, $2, $3, $4, $5::json, $6::json, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
    [
      approval.id,
      approval.projectId,
      approval.callHash,
      approval.status,
      JSON.stringify(approval.rules),
      JSON.stringify(approval.approvers),
      approval.userId,
      approval.personId,
      approval.principal,
      approval.gateway,
      approval.tool,
      approval.toolId,
      approval.sealedArgs,
      approval.createdAt,
      approval.expiresAt,
    ],
  );
}

interface Row extends Record<string, unknown> {
  id: string;
  project_id: string;
  status: ApprovalStatus;
  rules: Approval['rules'];
  approvers: Approval['approvers'];
  user_id: string | null;
  person_id: string | null;
  gateway: string | null;
  tool: string;
  created_at: string;
  expires_at: string;
  decided_by: string | null;
  decided_at: string | null;
  reason: string | null;
}

function headOf(row: Row): ApprovalHead {
  return {
    id: row.id,
    projectId: row.project_id,
    status: row.status,
    rules: row.rules,
    approvers: row.approvers,
    userId: row.user_id,
    personId: row.person_id,
    gateway: row.gateway,
    tool: row.tool,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    decidedBy: row.decided_by,
    decidedAt: row.decided_at,
    reason: row.reason,
  };
}
