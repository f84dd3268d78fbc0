import { keyOfPlace, type Place } from '#domain';
import type { Changes, Db, Queries } from '#storage';
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

export const topicOf = (kind: EntryKind): string => `policy ${kind}`;

export interface EntryStoreDeps {
  readonly db: Db;
  readonly changes: Changes;
  /** With one, definitions are sealed. */
  readonly vault: Vault | null;
}

/** The entries of one kind that the API laid down. Every change is told to other replicas in its own transaction. */
export function createEntryStore<Definition>({ db, changes, vault }: EntryStoreDeps, kind: EntryKind) {
  const purpose = `policy ${kind}`;
  vault?.keeps({ table: 'policy_entries', column: 'sealed' });

  /** What is in the open, and what is sealed. */
  function written({ projectId, id, definition }: Entry<Definition>): [string, string] {
    return vault === null
      ? [JSON.stringify(definition), '']
      : ['{}', vault.seal(purpose, definition, keyOfPlace({ projectId, id }))];
  }

  async function entryOf(row: EntryRow): Promise<Entry<Definition>> {
    const { id, project_id: projectId, sealed } = row;
    const boundTo = keyOfPlace({ projectId, id });
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

  async function write(queries: Queries, entry: Entry<Definition>): Promise<void> {
    await queries.query(
      `insert into policy_entries (project_id, kind, id, definition, sealed, created_at, updated_at)
       values ($1, $2, $3, $4::json, $5, $6, $7)
       on conflict (project_id, id) do update
       set definition = excluded.definition, sealed = excluded.sealed, updated_at = excluded.updated_at`,
      [entry.projectId, kind, entry.id, ...written(entry), entry.createdAt, entry.updatedAt],
    );
    await changes.tell(queries, topicOf(kind), keyOfPlace(entry));
  }

  return {
    /** The one, or all. */
    async load(place: Place | null): Promise<readonly Entry<Definition>[]> {
      const [table, key, where] = ['policy_entries', ['project_id', 'id'], `kind = '${kind}'`];
      await vault?.adopt({ table, key, plain: 'definition', purpose, boundTo: JSON.stringify, where });
      const rows = await db.query<EntryRow>(
        `select * from policy_entries where kind = $1 ${place === null ? '' : 'and project_id = $2 and id = $3'}
         order by created_at, id`,
        place === null ? [kind] : [kind, place.projectId, place.id],
      );
      return Promise.all(rows.map(entryOf));
    },

    /** All of them or none, whether they are there already or not. */
    async writeAll(entries: readonly Entry<Definition>[]): Promise<void> {
      await db.tx(async (queries) => {
        for (const entry of entries) await write(queries, entry);
      });
    },

    /** Whether it was there. */
    async update(entry: Entry<Definition>): Promise<boolean> {
      return db.tx(async (queries) => {
        const rows = await queries.query(
          `update policy_entries set definition = $3::json, sealed = $4, updated_at = $5
           where project_id = $1 and id = $2 returning id`,
          [entry.projectId, entry.id, ...written(entry), entry.updatedAt],
        );
        if (rows.length > 0) await changes.tell(queries, topicOf(kind), keyOfPlace(entry));
        return rows.length > 0;
      });
    },

    async remove({ projectId, id }: Place): Promise<void> {
      await db.tx(async (queries) => {
        await queries.query('delete from policy_entries where project_id = $1 and id = $2', [projectId, id]);
        await changes.tell(queries, topicOf(kind), keyOfPlace({ projectId, id }));
      });
    },
  };
}
