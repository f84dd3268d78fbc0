import type { Queries } from '#storage';
import type { Target } from '../authority.ts';
import { besides, ofPlace, ofTarget } from './connections.ts';
import type { Connection, Place } from './kept.ts';
import { placeParams, targetParams } from './rows.ts';

/** What is said of accounts, and their end: their tokens stay as they are. */
export function accountWrites(db: Queries) {
  return {
    /** What the user says of an account. */
    async changeConnection(
      queries: Queries,
      one: Pick<Connection, 'id' | 'personId' | 'name' | 'isDefault' | 'gateways' | 'tools'> & Place,
    ): Promise<void> {
      if (one.isDefault) {
        await queries.query(`update connections set is_default = false where ${besides}`, [
          ...placeParams(one),
          one.id,
          one.personId,
        ]);
      }
      await queries.query(
        'update connections set name = $2, is_default = $3, gateways = $4, tools = $5 where id = $1',
        [one.id, one.name, one.isDefault, JSON.stringify(one.gateways), JSON.stringify(one.tools)],
      );
    },

    async usedConnection(id: string, nowIso: string): Promise<void> {
      await db.query('update connections set last_used_at = greatest(last_used_at, $2) where id = $1', [
        id,
        nowIso,
      ]);
    },

    async forgetConnection(queries: Queries, one: Connection): Promise<void> {
      await queries.query('delete from connections where id = $1', [one.id]);
      if (!one.isDefault) return;
      await queries.query(
        `update connections set is_default = true where id =
           (select id from connections where ${ofPlace} and person_id is not distinct from $5
            order by updated_at desc, id limit 1)`,
        [...placeParams(one), one.personId],
      );
    },

    /** The target is gone, and with it all that was kept for it. Consents under way end otherwise. */
    async forgetTarget(queries: Queries, target: Target): Promise<void> {
      await queries.query(`delete from connections where ${ofTarget}`, targetParams(target));
      if (target.kind !== 'source') return;
      for (const table of ['connection_clients', 'list_connections'])
        await queries.query(`delete from ${table} where project_id = $1 and source_id = $2`, [
          target.projectId,
          target.id,
        ]);
    },
  };
}
