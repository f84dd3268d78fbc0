import type { Db, Queries } from '#storage';
import { opened, type Vault } from '#vault';
import type { Entry, EntryKind } from './entries.ts';

interface EntryRow extends Record<string, unknown> {
  id: string;
  project_id: string;
  definition: unknown;
  sealed: string;
  created_at: string;
  updated_at: string;
}

/** The entries of one kind that the API laid down. With a vault, their definitions are sealed. */
export function createEntryStore<Definition>(db: Db, kind: EntryKind, vault: Vault | null) {
  const purpose = `policy ${kind}`;
  vault?.keeps({ table: 'policy_entries', column: 'sealed' });

  /** What is in the open, and what is sealed. */
  function written({ projectId, id, definition }: Entry<Definition>): [string, string] {
    return vault === null
      ? [JSON.stringify(definition), '']
      : ['{}', vault.seal(purpose, definition, about([projectId, id]))];
  }

  async function entryOf(row: EntryRow): Promise<Entry<Definition>> {
    const { id, project_id: projectId, sealed } = row;
    const boundTo = about([projectId, id]);
    return {
      id,
      projectId,
      origin: 'api',
      definition:
        vault === null
          ? (row.definition as Definition)
          : await opened<Definition>(vault, { purpose, sealed, boundTo }, `the ${kind} ${id}`),
      createdAt: row.created_at,
      updatedAt: row.updated_at,
    };
  }

  return {
    async load(): Promise<readonly Entry<Definition>[]> {
      const [table, key, where] = ['policy_entries', ['project_id', 'id'], `kind = '${kind}'`];
      await vault?.adopt({ table, key, plain: 'definition', purpose, boundTo: about, where });
      const rows = await db.query<EntryRow>(
        'select * from policy_entries where kind = $1 order by created_at, id',
        [kind],
      );
      return Promise.all(rows.map(entryOf));
    },

    /** Whether it is there already or not. */
    async write(queries: Queries, entry: Entry<Definition>): Promise<void> {
      await queries.query(
        `insert into policy_entries (project_id, kind, id, definition, sealed, created_at, updated_at)
         values ($1, $2, $3, $4::json, $5, $6, $7)
         on conflict (project_id, id) do update
         set definition = excluded.definition, sealed = excluded.sealed, updated_at = excluded.updated_at`,
        [entry.projectId, kind, entry.id, ...written(entry), entry.createdAt, entry.updatedAt],
      );
    },

    /** Whether it was there. */
    async update(entry: Entry<Definition>): Promise<boolean> {
      const rows = await db.query(
        `update policy_entries set definition = $3::json, sealed = $4, updated_at = $5
         where project_id = $1 and id = $2 returning id`,
        [entry.projectId, entry.id, ...written(entry), entry.updatedAt],
      );
      return rows.length > 0;
    },

    async remove({ projectId, id }: Entry<Definition>): Promise<void> {
      await db.query('delete from policy_entries where project_id = $1 and id = $2', [projectId, id]);
    },
  };
}

const about = (key: readonly string[]) => JSON.stringify(key);
