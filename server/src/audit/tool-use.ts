import type { Db } from '#storage';
import type { AuditToolUse } from './contract.ts';
import { firstIdAt } from './log-book.ts';

/**
 * Ids begin with the time, so only records since then are read. Nothing has to be sorted: a median would cost several times as
 * much as all of this.
 */
export async function readToolUse(
  db: Db,
  { projectId, since }: { readonly projectId: string; readonly since: string },
): Promise<readonly AuditToolUse[]> {
  const rows = await db.query<{
    tool_id: string;
    calls: number;
    failures: number;
    refusals: number;
    typical_ms: number | null;
    last_used: string;
  }>(
    `select tool_id, count(*) as calls, count(*) filter (where decision = 'failed') as failures,
       count(*) filter (where decision = 'refused') as refusals, max(time) as last_used,
       exp(avg(ln(greatest(duration_ms, 0.001))) filter (where decision = 'allowed')) as typical_ms
     from audit_events where project_id = $1 and kind = 'tool_call' and tool_id is not null and id >= $2
     group by tool_id`,
    [projectId, firstIdAt(since)],
  );
  return rows.map(({ tool_id, typical_ms, last_used, ...counts }) => ({
    toolId: tool_id,
    ...counts,
    typicalMs: typical_ms === null ? null : Number(typical_ms.toPrecision(3)),
    lastUsed: last_used,
  }));
}
