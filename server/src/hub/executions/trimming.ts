import type { Db } from '#storage';
import { table } from './rows.ts';

/** Of what has ended, as much is kept; the oldest goes first. A key may name any user, each of whom is a caller. */
export const most = {
  ofCaller: { count: 5_000, bytes: 256 * 1024 * 1024 },
  ofProject: { count: 20_000, bytes: 1024 * 1024 * 1024 },
} as const;

/** What a process adds to a project before it looks whether that is too much. */
const looseness = { count: 2_000, bytes: 64 * 1024 * 1024 } as const;
/** Fewer than these are never too much, however large each of them is. */
const fewest = 100;

const newestFirst = 'order by ended_at desc, id desc rows unbounded preceding';
const trim = `delete from ${table} where id in (
  select id from (
    select id, count(*) over of_caller as number, sum(octet_length(answer)) over of_caller as bytes,
      count(*) over of_project as project_number, sum(octet_length(answer)) over of_project as project_bytes
    from ${table} where project_id = $1 and ended_at is not null
    window of_caller as (partition by owner ${newestFirst}), of_project as (${newestFirst})) as ended
  where number > $2 or bytes > $3 or project_number > $4 or project_bytes > $5)`;

/** Keeps what is known of ended executions within bounds. */
export function createTrimming(db: Pick<Db, 'query'>) {
  const added = new Map<string, { count: number; bytes: number }>();

  async function trimmed(projectId: string): Promise<void> {
    const { ofCaller, ofProject } = most;
    await db.query(trim, [projectId, ofCaller.count, ofCaller.bytes, ofProject.count, ofProject.bytes]);
  }

  return {
    /** One more has ended, and this much is kept of it. */
    ended(projectId: string, bytes: number): void {
      const sum = added.get(projectId) ?? { count: 0, bytes: 0 };
      added.set(projectId, sum);
      sum.count++;
      sum.bytes += bytes;
      if (sum.count < looseness.count && sum.bytes < looseness.bytes) return;
      added.delete(projectId);
      // Where the database is away, more is there the next time.
      trimmed(projectId).catch(() => undefined);
    },

    /** Whatever processes that are gone had added. */
    async all(): Promise<void> {
      const projects = await db.query<{ project_id: string }>(
        `select project_id from ${table} where ended_at is not null group by project_id having count(*) > ${fewest}`,
      );
      for (const { project_id } of projects) await trimmed(project_id);
    },
  };
}
