import type { Changes, Db, Queries } from '#storage';
import type { People } from './contract.ts';

/** Does `work` while nobody else changes who is in the organisation, tells it, and looks at the person again. */
export type ChangePerson = <T>(
  organizationId: string,
  personId: string,
  work: (queries: Queries) => Promise<T>,
) => Promise<T>;

export function changePersonWith({
  db,
  changes,
  refresh,
}: {
  db: Db;
  changes: Changes;
  refresh: People['refresh'];
}): ChangePerson {
  return async (organizationId, personId, work) => {
    const outcome = await db.tx(async (queries) => {
      await lockOrganization(queries, organizationId);
      const done = await work(queries);
      await changes.tell(queries, 'people', personId);
      return done;
    });
    await refresh([personId]);
    return outcome;
  };
}

/** Whatever changes who is in an organisation, or owns it, goes one after another. */
export async function lockOrganization(queries: Queries, organizationId: string): Promise<boolean> {
  const rows = await queries.query('select id from organizations where id = $1 for no key update', [
    organizationId,
  ]);
  return rows.length > 0;
}
