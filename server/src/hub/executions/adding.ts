import type { Db } from '#storage';
import { createBatches } from './batches.ts';
import type { Execution, Wanted } from './execution.ts';
import { type Seals, table } from './rows.ts';

/** Of one caller at one time, not yet ended; about so many, as several at once may each be the last. */
export const maxOpen = 200;

/** `by`: the process that has it; `''`: whoever looks first takes it. */
export interface Leased {
  readonly by: string;
  readonly until: string;
}

interface NewRow {
  readonly id: string;
  readonly request: string;
  readonly [column: string]: unknown;
}

const columns = {
  ...{ id: 'text', project_id: 'text', owner: 'text', gateway_id: 'text', key_hash: 'text' },
  ...{ request_hash: 'text', tool_id: 'text', ref: 'text', mode: 'text', status: 'text', attempt: 'integer' },
  ...{ repeatable: 'boolean', cancelled: 'boolean', request: 'text', answer: 'text', leased_by: 'text' },
  ...{ leased_until: 'timestamptz', created_at: 'timestamptz', expires_at: 'timestamptz' },
};
const names = Object.keys(columns).join(', ');
const typed = Object.entries(columns)
  .map(([name, type]) => `${name} ${type}`)
  .join(', ');
const insert = (where: string) => `insert into ${table} (${names})
  select ${names} from json_to_recordset($1::json) as new (${typed}) where ${where}
  on conflict (key_hash) where key_hash is not null do nothing returning id`;
const openOf = (owner: string) =>
  `(select count(*) from (select 1 from ${table} where owner = ${owner} and ended_at is null limit ${maxOpen}) as open)`;

/** Adds executions. Of several with one key, in one process or in several, one is added. */
export function createAdding(db: Db, seals: Seals) {
  const any = batchesOf('true');
  const bounded = batchesOf(`${openOf('new.owner')} < ${maxOpen}`);

  function batchesOf(where: string): (row: NewRow) => Promise<boolean> {
    const sql = insert(where);
    return createBatches<NewRow, boolean>(
      ({ request }) => request.length,
      async (rows) => {
        const added = await db.query<{ id: string }>(sql, [JSON.stringify(rows)]);
        const ids = new Set(added.map(({ id }) => id));
        return rows.map(({ id }) => ids.has(id));
      },
    );
  }

  return {
    /** `isBounded`: not where its owner has too many. `false`: because of that, or of its key. */
    add(execution: Execution, wanted: Wanted, leased: Leased, isBounded: boolean): Promise<boolean> {
      const { id, projectId, owner, gatewayId, keyHash, requestHash, toolId, ref, mode } = execution;
      const { status, attempt, repeatable, createdAt, expiresAt } = execution;
      return (isBounded ? bounded : any)({
        ...{ id, project_id: projectId, owner, gateway_id: gatewayId, key_hash: keyHash },
        ...{ request_hash: requestHash, tool_id: toolId, ref, mode, status, attempt, repeatable },
        ...{ cancelled: false, request: seals.request(id, wanted), answer: '', leased_by: leased.by },
        ...{ leased_until: leased.until, created_at: createdAt, expires_at: expiresAt },
      });
    },

    async hasRoom(owner: string): Promise<boolean> {
      const [row] = await db.query<{ open: number }>(`select ${openOf('$1')}::int as open`, [owner]);
      return (row?.open ?? 0) < maxOpen;
    },
  };
}
