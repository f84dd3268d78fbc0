import type { Sealer } from '#foundation';
import type { Queries } from '#storage';
import { clientQueries } from './clients.ts';
import { connectionLeases, connectionReads, connectionWrites } from './connections.ts';
import { flowEnds, flowReads, flowWrites } from './flows.ts';

/** Connections, clients and flows: the only SQL of this room, and the only place where secrets are sealed and opened. */
export type ConnectionStore = ReturnType<typeof createConnectionStore>;

export function createConnectionStore(db: Queries, sealer: Sealer) {
  return {
    ...connectionReads(db, sealer),
    ...connectionWrites(sealer),
    ...connectionLeases(db),
    ...clientQueries(db, sealer),
    ...flowReads(db, sealer),
    ...flowWrites(db, sealer),
    ...flowEnds(db),
    async countOf(projectId: string, userIds: readonly string[]): Promise<number> {
      const [row] = await db.query<{ count: number }>(
        'select count(*)::int as count from connections where project_id = $1 and user_id = any($2::text[])',
        [projectId, [...userIds]],
      );
      return row?.count ?? 0;
    },
  };
}
