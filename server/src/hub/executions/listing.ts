import type { Db } from '#storage';
import type { View } from './execution.ts';
import { type ExecutionRow, type Seals, shownColumns, table } from './rows.ts';

/** Characters of a sealed answer that a list shows: it may have a thousand of them. */
const maxShown = 16 * 1024;
const leftOut = 'what came of it is too long for a list: ask for this one';

interface ListedRow extends ExecutionRow {
  is_long: boolean;
}

export interface Listed {
  readonly views: readonly View[];
  readonly count: number;
}

/** The executions of one owner, newest first. */
export function createListing(db: Db, seals: Seals) {
  async function viewOf(row: ListedRow): Promise<View> {
    const view = await seals.viewOf(row);
    return row.is_long ? { ...view, kept: { said: { advice: leftOut } } } : view;
  }

  return async (owner: string, limit: number, offset: number): Promise<Listed> => {
    const rows = await db.query<ListedRow>(
      `select ${shownColumns}, length(answer) > ${maxShown} as is_long,
         case when length(answer) > ${maxShown} then '' else answer end as answer
       from ${table} where owner = $1 order by created_at desc, id desc limit $2 offset $3`,
      [owner, limit, offset],
    );
    const [all] = await db.query<{ count: number }>(
      `select count(*)::int as count from ${table} where owner = $1`,
      [owner],
    );
    return { views: await Promise.all(rows.map(viewOf)), count: all?.count ?? 0 };
  };
}
