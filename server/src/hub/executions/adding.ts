import type { Refusal } from '#domain';
import type { Db } from '#storage';
import { createBatches } from './batches.ts';
import type { Execution, Wanted } from './execution.ts';
import { maxOpen, tooMany, tooManyOfAll } from './refusals.ts';
import { type Seals, table } from './rows.ts';

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
  on conflict do nothing returning id`;
const openWhere = (column: string, value: string, limit: number) =>
  `(select count(*) from (select 1 from ${table} where ${column} = ${value} and ended_at is null limit ${limit}) as open)`;
const ofCaller = (owner: string) => openWhere('owner', owner, maxOpen.ofCaller);
const ofProject = (projectId: string) => openWhere('project_id', projectId, maxOpen.ofProject);

/** Adds executions. Of several with one key, in one process or in several, one is added. */
export function createAdding(db: Db, seals: Seals) {
  const any = batchesOf('true');
  const bounded = batchesOf(
    `${ofCaller('new.owner')} < ${maxOpen.ofCaller} and ${ofProject('new.project_id')} < ${maxOpen.ofProject}`,
  );

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
    /** `isBounded`: not where its owner, or its project, has too many. `false`: because of that, or of its key. */
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

    async fullFor({ owner, projectId }: Execution): Promise<Refusal | null> {
      const [row] = await db.query<{ caller: number; project: number }>(
        `select ${ofCaller('$1')}::int as caller, ${ofProject('$2')}::int as project`,
        [owner, projectId],
      );
      if ((row?.caller ?? 0) >= maxOpen.ofCaller) return tooMany;
      return (row?.project ?? 0) >= maxOpen.ofProject ? tooManyOfAll : null;
    },
  };
}
