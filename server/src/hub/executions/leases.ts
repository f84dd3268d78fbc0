import type { Clock } from '#foundation';
import type { Db } from '#storage';
import type { Execution, View } from './execution.ts';
import { type ExecutionRow, executionOf, type Seals, table } from './rows.ts';

/** How long a process that says nothing is believed to be there. */
const leaseMs = 20_000;
const longAgo = '1970-01-01T00:00:00.000Z';

/** Which process has which executions; `holder` names this one. */
export function createLeases(db: Db, seals: Seals, clock: Clock, holder: string) {
  const until = () => new Date(clock.now() + leaseMs).toISOString();
  return {
    mine: () => ({ by: holder, until: until() }),
    nobodys: { by: '', until: longAgo },

    /** Says that this process is there, and has these. Ids of those that somebody wants to end. */
    async stillThere(ids: readonly string[]): Promise<readonly string[]> {
      const rows = await db.query<{ id: string; cancelled: boolean }>(
        `update ${table} set leased_until = $2
         where id = any($3::text[]) and leased_by = $1 and status in ('pending', 'running') returning id, cancelled`,
        [holder, until(), ids],
      );
      return rows.filter(({ cancelled }) => cancelled).map(({ id }) => id);
    },

    /**
     * Those whose process is gone: they are this one's from now on. What this process runs it does not take from itself,
     * however long the database kept it from saying so.
     */
    async takeOver(most: number, running: readonly string[]): Promise<readonly Execution[]> {
      const rows = await db.query<ExecutionRow>(
        `update ${table} set leased_by = $1, leased_until = $2 where id in (
           select id from ${table} where status in ('pending', 'running') and leased_until <= $3
             and not (leased_by = $1 and id = any($5::text[]))
           order by created_at limit $4 for update skip locked)
         returning *`,
        [holder, until(), clock.iso(), most, running],
      );
      return rows.map(executionOf);
    },

    /** Another process takes them at once; `ofAll`: whichever process they were of. */
    async giveUp(ofAll: boolean): Promise<void> {
      await db.query(
        `update ${table} set leased_by = '', leased_until = $2
         where status in ('pending', 'running') and ($3::boolean or leased_by = $1)`,
        [holder, longAgo, ofAll],
      );
    },

    /** Those that nobody came back to; each is opened by itself, as one that cannot be is no reason to leave the others. */
    async overdue(most: number): Promise<readonly { execution: Execution; open: () => Promise<View> }[]> {
      const rows = await db.query<ExecutionRow>(
        `select * from ${table} where status = 'waiting' and expires_at <= $1 limit $2`,
        [clock.iso(), most],
      );
      return rows.map((row) => ({ execution: executionOf(row), open: () => seals.viewOf(row) }));
    },

    /** It waits on until then. */
    async extend(id: string, expiresAt: string): Promise<void> {
      await db.query(`update ${table} set expires_at = $2 where id = $1 and status = 'waiting'`, [
        id,
        expiresAt,
      ]);
    },

    async forget(): Promise<void> {
      await db.query(
        `delete from ${table} where status not in ('pending', 'running', 'waiting') and expires_at <= $1`,
        [clock.iso()],
      );
    },
  };
}

export type Leases = ReturnType<typeof createLeases>;
