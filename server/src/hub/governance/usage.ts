import type { Audit } from '#audit';
import type { Clock } from '#foundation';
import type { ToolUse } from './contract.ts';

const keptMs = 60_000;
/** Answers that are kept; beyond, the oldest goes. */
const maxKept = 64;
const dayMs = 24 * 3_600_000;

type Uses = ReadonlyMap<string, ToolUse>;

/** Counted from what the audit has: it counts every call already. An answer is kept for a while, as counting costs. */
export function createUsage(audit: Pick<Audit, 'toolUse'>, clock: Clock) {
  const kept = new Map<string, { readonly atMs: number; readonly uses: Promise<Uses> }>();

  async function count(projectId: string, days: number): Promise<Uses> {
    const since = new Date(clock.now() - days * dayMs).toISOString();
    const rows = await audit.toolUse({ projectId, since });
    return new Map(rows.map(({ toolId, ...use }) => [toolId, use]));
  }

  return (projectId: string, days: number): Promise<Uses> => {
    const key = JSON.stringify([projectId, days]);
    const known = kept.get(key);
    if (known !== undefined && clock.now() - known.atMs < keptMs) return known.uses;
    const uses = count(projectId, days);
    kept.delete(key);
    kept.set(key, { atMs: clock.now(), uses });
    for (const oldest of kept.keys()) {
      if (kept.size <= maxKept) break;
      kept.delete(oldest);
    }
    uses.catch(() => kept.delete(key));
    return uses;
  };
}
