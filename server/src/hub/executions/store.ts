import type { Clock } from '#foundation';
import type { Changes, Db } from '#storage';
import type { Vault } from '#vault';
import { createAdding } from './adding.ts';
import { createBatches } from './batches.ts';
import type { Execution, View, Wanted } from './execution.ts';
import { createLeases } from './leases.ts';
import { createListing } from './listing.ts';
import { createSeals, type ExecutionRow, executionOf, table } from './rows.ts';
import { createSettles } from './settles.ts';
import { createTrimming } from './trimming.ts';

/** Other replicas look at the row of this id again. */
export const executionsTopic = 'hub executions';

const executionId = /^te_[0-9a-f]{32}$/;

export interface StoreDeps {
  readonly db: Db;
  readonly changes: Pick<Changes, 'tell' | 'here'>;
  readonly vault: Vault;
  readonly clock: Clock;
  /** Names this process among those that have leases. */
  readonly holder: string;
}

/** Executions in the database: what is there is what is true. Whoever changes one says in which state it must be. */
export function createStore({ db, changes, vault, clock, holder }: StoreDeps) {
  const seals = createSeals(vault);
  const leases = createLeases(db, seals, clock, holder);
  const adding = createAdding(db, seals);
  const trimming = createTrimming(db);

  const removeAll = createBatches<string, void>(
    (id) => id.length,
    async (ids) => {
      await db.query(`delete from ${table} where id = any($1::text[])`, [ids]);
      return ids.map(() => undefined);
    },
  );

  const settleAll = createSettles(db);

  async function changed(sql: string, params: readonly unknown[]): Promise<Execution | null> {
    const [row] = await db.query<ExecutionRow>(`update ${table} set ${sql} returning *`, params);
    return row === undefined ? null : executionOf(row);
  }

  async function viewed(sql: string, params: readonly unknown[]): Promise<View | null> {
    const [row] = await db.query<ExecutionRow>(`select * from ${table} where ${sql}`, params);
    return row === undefined ? null : seals.viewOf(row);
  }

  return {
    leases,

    async forget(): Promise<void> {
      await leases.forget();
      await trimming.all();
    },

    /** Of one that somebody may ask for: not where they have too many. `isHere`: this process has it; otherwise whoever looks first. */
    add: (execution: Execution, wanted: Wanted, isHere: boolean): Promise<boolean> =>
      adding.add(execution, wanted, isHere ? leases.mine() : leases.nobodys, true),

    /** Of one that runs here for as long as it takes: nobody can ask for it yet. */
    note: (execution: Execution, wanted: Wanted): Promise<boolean> =>
      adding.add(execution, wanted, leases.mine(), false),

    /** Why somebody may have no other one that they can ask for; `null`: they may. */
    fullFor: adding.fullFor,

    /** Whatever somebody gives for an id. */
    find: async (id: string, owner: string): Promise<View | null> =>
      executionId.test(id) ? viewed('id = $1 and owner = $2', [id, owner]) : null,

    byKey: (keyHash: string): Promise<View | null> => viewed('key_hash = $1', [keyHash]),

    list: createListing(db, seals),

    /** `null`: it is over. */
    async wantedBy(id: string): Promise<Wanted | null> {
      const [row] = await db.query<{ request: string }>(`select request from ${table} where id = $1`, [id]);
      return row === undefined || row.request === '' ? null : seals.wantedOf(id, row.request);
    },

    /** From now on it may have had its effect. `null`: it was begun since, somebody else has it by now, or it was cancelled. */
    begin: ({ id, attempt }: Execution, deadline: string): Promise<Execution | null> =>
      changed(
        `status = 'running', attempt = attempt + 1, leased_by = $2, leased_until = $3, expires_at = $4
         where id = $1 and attempt = $5 and leased_by = $2 and not cancelled and status in ('pending', 'running')`,
        [id, holder, leases.mine().until, deadline, attempt],
      ),

    /**
     * Goes on with one that waits as it was seen to: of several who want to, one does. What answers a question is no answer to the
     * next one. `isAnswered`: it could not be asked the same once more.
     */
    goOn: ({ id, attempt }: Execution, deadline: string, isAnswered: boolean): Promise<Execution | null> =>
      changed(
        `status = 'running', waiting_for = null, answer = '', attempt = attempt + 1, repeatable = repeatable and not $5::boolean,
           leased_by = $2, leased_until = $3, expires_at = $4
         where id = $1 and attempt = $7 and status = 'waiting' and not cancelled and expires_at > $6`,
        [id, holder, leases.mine().until, deadline, isAnswered, clock.iso(), attempt],
      ),

    /**
     * How an attempt ended, or what it waits for; `wanted`: what it takes to make it again. Who began an attempt knows better than who
     * only missed its process. `false`: it was begun again since, or is over.
     */
    async settle({ execution, kept }: View, wanted: Wanted | null): Promise<boolean> {
      const { id, projectId, status, waitingFor, attempt, keyHash, endedAt, expiresAt } = execution;
      const answer = seals.answer(id, kept);
      const isSettled = await settleAll({
        ...{ id, status, waiting_for: waitingFor, attempt, key_hash: keyHash, ended_at: endedAt },
        ...{ expires_at: expiresAt, answer },
        request: wanted === null ? null : seals.request(id, wanted),
      });
      if (isSettled && endedAt !== null) trimming.ended(projectId, answer.length);
      return isSettled;
    },

    /** Of one that was not begun, or only waits; `false`: it is so no longer. */
    async end({ execution, kept }: View): Promise<boolean> {
      const { id, projectId, status, keyHash, endedAt, expiresAt, attempt } = execution;
      const answer = seals.answer(id, kept);
      const ended = await changed(
        `status = $2, waiting_for = null, answer = $3, key_hash = $4, ended_at = $5, expires_at = $6, leased_by = '',
           request = ''
         where id = $1 and attempt = $7 and status in ('pending', 'waiting')`,
        [id, status, answer, keyHash, endedAt, expiresAt, attempt],
      );
      if (ended !== null) trimming.ended(projectId, answer.length);
      return ended !== null;
    },

    /** Its end was told to the only one who could ask. */
    remove: removeAll,

    /** Tells whichever process has it. */
    async wantCancelled(id: string): Promise<void> {
      await db.tx(async (queries) => {
        await queries.query(`update ${table} set cancelled = true where id = $1 and ended_at is null`, [id]);
        await changes.tell(queries, executionsTopic, id);
      });
      await changes.here(executionsTopic, id);
    },
  };
}

export type Store = ReturnType<typeof createStore>;
