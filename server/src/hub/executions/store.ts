import type { ExecutionMode, ExecutionStatus } from '@sallyport/contracts';
import type { Clock } from '#foundation';
import type { Changes, Db, Row } from '#storage';
import { opened, type Vault } from '#vault';
import type { Execution, Kept, View, Wanted } from './execution.ts';

/** Other replicas look at the row of this id again. */
export const executionsTopic = 'hub executions';

export interface StoreDeps {
  readonly db: Db;
  readonly changes: Pick<Changes, 'tell' | 'here'>;
  readonly vault: Vault;
  readonly clock: Clock;
  /** Names this process among those that have leases. */
  readonly holder: string;
}

/** How long a process that says nothing is believed to be there. */
export const leaseMs = 20_000;
const requestPurpose = 'execution request';
const answerPurpose = 'execution answer';
const table = 'hub_executions';
/** Of one caller at one time, not yet ended. */
export const maxOpen = 200;

const nobody = '1970-01-01T00:00:00.000Z';
/** Those of one caller that have not ended. */
const openOnes = `(select count(*) from (select 1 from ${table} where owner = $3 and ended_at is null limit ${maxOpen}) as open)`;

export type Added = 'added' | 'key_taken' | 'too_many';

/** Executions in the database: what is there is what is true. Whoever changes one says in which state it must be. */
export function createStore({ db, changes, vault, clock, holder }: StoreDeps) {
  vault.keeps({ table, column: 'request' });
  vault.keeps({ table, column: 'answer' });
  const leasedUntil = () => new Date(clock.now() + leaseMs).toISOString();

  async function viewOf(row: ExecutionRow): Promise<View> {
    const execution = executionOf(row);
    const { id, answer: sealed } = row;
    if (sealed === '') return { execution, kept: { said: {} } };
    const of = { purpose: answerPurpose, sealed, boundTo: id };
    return { execution, kept: await opened<Kept>(vault, of, `the answer of the execution ${id}`) };
  }

  async function changed(sql: string, params: readonly unknown[]): Promise<Execution | null> {
    const [row] = await db.query<ExecutionRow>(`update ${table} set ${sql} returning *`, params);
    return row === undefined ? null : executionOf(row);
  }

  async function byKey(keyHash: string): Promise<View | null> {
    const [row] = await db.query<ExecutionRow>(`select * from ${table} where key_hash = $1`, [keyHash]);
    return row === undefined ? null : viewOf(row);
  }

  return {
    /** `isHere`: this process has it; otherwise whoever looks first takes it. */
    async add(execution: Execution, wanted: Wanted, isHere: boolean): Promise<Added> {
      const { id, projectId, owner, gatewayId, keyHash, requestHash, toolId, ref, mode } = execution;
      const { status, attempt, repeatable, createdAt, expiresAt } = execution;
      const rows = await db.query(
        `insert into ${table} (id, project_id, owner, gateway_id, key_hash, request_hash, tool_id, ref, mode, status, attempt,
           repeatable, cancelled, request, answer, leased_by, leased_until, created_at, expires_at)
         select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::int, $12::boolean, false, $13, '', $14, $15::timestamptz,
           $16::timestamptz, $17::timestamptz
         where ${openOnes} < ${maxOpen}
         on conflict (key_hash) do nothing returning id`,
        [
          ...[id, projectId, owner, gatewayId, keyHash, requestHash, toolId, ref, mode, status, attempt],
          ...[repeatable, vault.seal(requestPurpose, wanted, id), isHere ? holder : ''],
          ...[isHere ? leasedUntil() : nobody, createdAt, expiresAt],
        ],
      );
      if (rows.length > 0) return 'added';
      return keyHash !== null && (await byKey(keyHash)) !== null ? 'key_taken' : 'too_many';
    },

    async find(id: string, owner: string): Promise<View | null> {
      const [row] = await db.query<ExecutionRow>(`select * from ${table} where id = $1 and owner = $2`, [
        id,
        owner,
      ]);
      return row === undefined ? null : viewOf(row);
    },

    byKey,

    async list(owner: string, limit: number, offset: number) {
      const rows = await db.query<ExecutionRow>(
        `select * from ${table} where owner = $1 order by created_at desc, id desc limit $2 offset $3`,
        [owner, limit, offset],
      );
      const [all] = await db.query<{ count: number }>(
        `select count(*)::int as count from ${table} where owner = $1`,
        [owner],
      );
      return { views: await Promise.all(rows.map(viewOf)), count: all?.count ?? 0 };
    },

    async wantedBy(id: string): Promise<Wanted | null> {
      const [row] = await db.query<{ request: string }>(`select request from ${table} where id = $1`, [id]);
      if (row === undefined) return null;
      const of = { purpose: requestPurpose, sealed: row.request, boundTo: id };
      return opened<Wanted>(vault, of, `the request of the execution ${id}`);
    },

    /** From now on it may have had its effect. `null`: somebody else has it by now, or it was cancelled. */
    begin: (id: string, deadline: string): Promise<Execution | null> =>
      changed(
        `status = 'running', attempt = attempt + 1, leased_by = $2, leased_until = $3, expires_at = $4
         where id = $1 and leased_by = $2 and not cancelled and status in ('pending', 'running')`,
        [id, holder, leasedUntil(), deadline],
      ),

    /** Goes on with one that waits: of several who want to, one does. `isAnswered`: it could not be asked the same once more. */
    goOn: (id: string, deadline: string, isAnswered: boolean): Promise<Execution | null> =>
      changed(
        `status = 'running', waiting_for = null, answer = '', attempt = attempt + 1, repeatable = repeatable and not $5::boolean,
           leased_by = $2, leased_until = $3, expires_at = $4
         where id = $1 and status = 'waiting' and expires_at > $6`,
        [id, holder, leasedUntil(), deadline, isAnswered, clock.iso()],
      ),

    /**
     * How an attempt ended, or what it waits for; `wanted`: what it takes to make it again. Who began an attempt knows better than who only missed its process. `null`: it was
     * begun again since, or is over.
     */
    settle({ execution, kept }: View, wanted: Wanted | null): Promise<Execution | null> {
      const { id, status, waitingFor, attempt, keyHash, endedAt, expiresAt } = execution;
      return changed(
        `status = $2, waiting_for = $3, answer = $4, key_hash = $5, ended_at = $6, expires_at = $7, leased_by = '',
           request = coalesce($9, request)
         where id = $1 and attempt = $8 and status in ('pending', 'running', 'unknown')`,
        [
          ...[id, status, waitingFor, vault.seal(answerPurpose, kept, id), keyHash, endedAt, expiresAt],
          ...[attempt, wanted === null ? null : vault.seal(requestPurpose, wanted, id)],
        ],
      );
    },

    /** Of one that nobody has, and nobody began since. */
    end({ execution, kept }: View): Promise<Execution | null> {
      const { id, status, keyHash, endedAt, expiresAt, attempt } = execution;
      return changed(
        `status = $2, waiting_for = null, answer = $3, key_hash = $4, ended_at = $5, expires_at = $6, leased_by = ''
         where id = $1 and attempt = $7 and status in ('pending', 'waiting')`,
        [id, status, vault.seal(answerPurpose, kept, id), keyHash, endedAt, expiresAt, attempt],
      );
    },

    /** Its end was told to the only one who could ask. */
    async remove(id: string): Promise<void> {
      await db.query(`delete from ${table} where id = $1`, [id]);
    },

    /** Tells whichever process has it. */
    async wantCancelled(id: string): Promise<void> {
      await db.tx(async (queries) => {
        await queries.query(`update ${table} set cancelled = true where id = $1 and ended_at is null`, [id]);
        await changes.tell(queries, executionsTopic, id);
      });
      await changes.here(executionsTopic, id);
    },

    /** Says that this process is there. Ids of those that somebody wants to end. */
    async stillThere(): Promise<readonly string[]> {
      const rows = await db.query<{ id: string; cancelled: boolean }>(
        `update ${table} set leased_until = $2 where leased_by = $1 and status in ('pending', 'running')
         returning id, cancelled`,
        [holder, leasedUntil()],
      );
      return rows.filter(({ cancelled }) => cancelled).map(({ id }) => id);
    },

    /** Those whose process is gone: they are this one's from now on. */
    async takeOver(limit: number): Promise<readonly Execution[]> {
      const rows = await db.query<ExecutionRow>(
        `update ${table} set leased_by = $1, leased_until = $2 where id in (
           select id from ${table} where status in ('pending', 'running') and leased_until <= $3
           order by created_at limit $4 for update skip locked)
         returning *`,
        [holder, leasedUntil(), clock.iso(), limit],
      );
      return rows.map(executionOf);
    },

    /** Another process takes them at once; `ofAll`: whichever process they were of. */
    async giveUp(ofAll: boolean): Promise<void> {
      await db.query(
        `update ${table} set leased_by = '', leased_until = $2
         where status in ('pending', 'running') and ($3::boolean or leased_by = $1)`,
        [holder, nobody, ofAll],
      );
    },

    async overdue(limit: number): Promise<readonly View[]> {
      const rows = await db.query<ExecutionRow>(
        `select * from ${table} where status = 'waiting' and expires_at <= $1 limit $2`,
        [clock.iso(), limit],
      );
      return Promise.all(rows.map(viewOf));
    },

    /** It waits on until then. */
    async extend(id: string, expiresAt: string): Promise<void> {
      await db.query(`update ${table} set expires_at = $2 where id = $1 and status = 'waiting'`, [
        id,
        expiresAt,
      ]);
    },

    async forget(): Promise<void> {
      await db.query(`delete from ${table} where ended_at is not null and expires_at <= $1`, [clock.iso()]);
    },
  };
}

export type Store = ReturnType<typeof createStore>;

interface ExecutionRow extends Row {
  id: string;
  project_id: string;
  owner: string;
  gateway_id: string | null;
  key_hash: string | null;
  request_hash: string;
  tool_id: string;
  ref: string;
  mode: ExecutionMode;
  status: ExecutionStatus;
  waiting_for: Execution['waitingFor'];
  attempt: number;
  repeatable: boolean;
  cancelled: boolean;
  answer: string;
  created_at: string;
  ended_at: string | null;
  expires_at: string;
}

function executionOf(row: ExecutionRow): Execution {
  return {
    id: row.id,
    projectId: row.project_id,
    owner: row.owner,
    gatewayId: row.gateway_id,
    keyHash: row.key_hash,
    requestHash: row.request_hash,
    toolId: row.tool_id,
    ref: row.ref,
    mode: row.mode,
    status: row.status,
    waitingFor: row.waiting_for,
    attempt: row.attempt,
    repeatable: row.repeatable,
    cancelled: row.cancelled,
    createdAt: row.created_at,
    endedAt: row.ended_at,
    expiresAt: row.expires_at,
  };
}
