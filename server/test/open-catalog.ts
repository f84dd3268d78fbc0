import { type Catalog, createCatalog } from '#catalog';
import type { Clock } from '#foundation';
import type { Changes, Db } from '#storage';
import { silentLog } from '#telemetry';
import { openVault } from '#vault';
import { changesAlone } from './database.ts';

/** The catalog of this database, of the only process on it unless it shares changes. */
export async function openCatalog(
  db: Db,
  clock: Clock,
  { changes, hasSource }: { changes?: Changes; hasSource?: (projectId: string, id: string) => boolean } = {},
): Promise<Catalog> {
  const vault = await openVault({ db, clock });
  const registered = hasSource === undefined ? {} : { hasSource };
  const log = silentLog;
  return createCatalog({
    db,
    changes: changes ?? (await changesAlone(db)),
    vault,
    clock,
    log,
    ...registered,
  });
}
