import { createHash } from 'node:crypto';
import type { Clock } from '#foundation';
import type { Db } from '#storage';
import type { MissingNeed } from './contract.ts';
import { normalised, withoutPrivate } from './plain-text.ts';
import { byUse, callerHash, callersOf, counted, type Tally } from './tally.ts';

/** Of one project: how many there are, and how many of them one caller may have reported who is alone with them. */
const maxNeeds = 1000;
const maxByOne = 20;

const needId = /^need_[0-9a-f]{24}$/;

interface NeedRow extends Record<string, unknown> {
  id: string;
  need: string;
  reports: number;
  callers: Tally['callers'];
  last_reported: string;
}

/** What people found no tool for. The database answers. */
export function createNeeds({
  db,
  clock,
  key,
}: {
  readonly db: Db;
  readonly clock: Clock;
  readonly key: Buffer;
}) {
  return {
    async report(bearer: string, projectId: string, said: string): Promise<void> {
      const need = withoutPrivate(said);
      const wording = normalised(need);
      if (wording === '' || wording === '…') return;
      const digest = createHash('sha256')
        .update(JSON.stringify([projectId, wording]))
        .digest('hex');
      const id = `need_${digest.slice(0, 24)}`;
      const caller = callerHash(key, [projectId], bearer);
      await db.tx(async (queries) => {
        const [row] = await queries.query<NeedRow>(
          'select * from hub_needs where project_id = $1 and id = $2 for update',
          [projectId, id],
        );
        const tally = counted(row === undefined ? null : tallyOf(row), caller, clock.iso());
        if (tally === null) return;
        if (row === undefined) {
          // Nobody pushes out with their own what others need.
          await queries.query(
            `delete from hub_needs where project_id = $1 and id in (
               select id from hub_needs where project_id = $1 and only_caller = $2
               order by last_reported desc, id offset $3)`,
            [projectId, caller, maxByOne - 1],
          );
          await queries.query(
            `delete from hub_needs where project_id = $1 and id in (
               select id from hub_needs where project_id = $1
               order by (only_caller is null) desc, reports desc, last_reported desc, id offset $2)`,
            [projectId, maxNeeds - 1],
          );
        }
        await queries.query(
          `insert into hub_needs (project_id, id, need, reports, callers, only_caller, last_reported)
           values ($1, $2, $3, $4, $5::json, $6, $7)
           on conflict (project_id, id) do update
           set reports = excluded.reports, callers = excluded.callers, only_caller = excluded.only_caller,
             last_reported = excluded.last_reported`,
          [
            ...[projectId, id, need, tally.uses, JSON.stringify(tally.callers)],
            ...[callersOf(tally) === 1 ? caller : null, tally.last],
          ],
        );
      });
    },

    /** The one that most miss first. */
    async list(projectId: string): Promise<readonly MissingNeed[]> {
      const rows = await db.query<NeedRow>('select * from hub_needs where project_id = $1', [projectId]);
      return rows
        .sort((one, other) => byUse(tallyOf(other), tallyOf(one)) || (one.id < other.id ? -1 : 1))
        .map((row) => ({
          ...{ id: row.id, need: row.need, callers: callersOf(tallyOf(row)) },
          ...{ reports: row.reports, lastReported: row.last_reported },
        }));
    },

    async forget(projectId: string, id: string): Promise<boolean> {
      if (!needId.test(id)) return false;
      const gone = await db.query('delete from hub_needs where project_id = $1 and id = $2 returning id', [
        projectId,
        id,
      ]);
      return gone.length > 0;
    },
  };
}

const tallyOf = ({ reports, callers, last_reported }: NeedRow): Tally => ({
  uses: reports,
  callers,
  last: last_reported,
});
