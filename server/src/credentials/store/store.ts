import type { Queries } from '#storage';
import type { Vault } from '#vault';
import { accountWrites } from './accounts.ts';
import { clientQueries } from './clients.ts';
import { connectionLeases, connectionReads, connectionWrites } from './connections.ts';
import { flowEnds, flowReads, flowWrites } from './flows.ts';
import { createSeals } from './seals.ts';
import { verificationQueries } from './verification.ts';

/** Connections, clients and flows: the only SQL of these, and the only place where their secrets are sealed and opened. */
export type ConnectionStore = ReturnType<typeof createConnectionStore>;

export function createConnectionStore(db: Queries, vault: Vault) {
  const seals = createSeals(vault);
  return {
    ...seals,
    ...connectionReads(db),
    ...connectionWrites(seals),
    ...accountWrites(db),
    ...connectionLeases(db),
    ...clientQueries(db, vault),
    ...flowReads(db),
    ...flowWrites(db, seals),
    ...flowEnds(db),
    ...verificationQueries(db),
    /** Until the transaction ends nobody else changes anything at this place. */
    async alone(queries: Queries, place: readonly string[]): Promise<void> {
      await queries.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [JSON.stringify(place)]);
    },
  };
}
