import type { AuthProviderRequest } from '@sallyport/contracts';
import type { Refusal } from '#domain';
import type { Result } from '#foundation';
import type { Changes, Db, Queries } from '#storage';

export const topic = 'auth_providers';

/** A provider as it is kept: its secrets sealed, `''` where it has none. */
export interface StoredProvider {
  readonly projectId: string;
  readonly written: AuthProviderRequest;
  readonly sealed: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

interface ProviderRow extends Record<string, unknown> {
  project_id: string;
  id: string;
  definition: AuthProviderRequest;
  sealed: string;
  created_at: string;
  updated_at: string;
}

export type Inserted = 'inserted' | 'taken' | 'too_many';

export type ProviderStore = ReturnType<typeof createProviderStore>;

/** The providers that the API registered. Every change is told to other replicas in its own transaction. */
export function createProviderStore(db: Db, changes: Changes) {
  async function insert(queries: Queries, stored: StoredProvider, max: number): Promise<Inserted> {
    const { projectId, written, sealed, createdAt, updatedAt } = stored;
    const [{ count = 0 } = {}] = await queries.query<{ count: number }>(
      'select count(*)::int as count from auth_providers where project_id = $1',
      [projectId],
    );
    if (count >= max) return 'too_many';
    const rows = await queries.query(
      `insert into auth_providers (project_id, id, definition, sealed, created_at, updated_at)
       values ($1, $2, $3::json, $4, $5, $6) on conflict do nothing returning id`,
      [projectId, written.id, JSON.stringify(written), sealed, createdAt, updatedAt],
    );
    if (rows.length === 0) return 'taken';
    await changes.tell(queries, topic, written.id);
    return 'inserted';
  }

  return {
    /** Those with this id, or all. */
    async load(id: string | null): Promise<StoredProvider[]> {
      const rows = await db.query<ProviderRow>(
        'select * from auth_providers where $1::text is null or id = $1 order by created_at, id',
        [id],
      );
      return rows.map(storedOf);
    },

    insert: (stored: StoredProvider, max: number) => db.tx((queries) => insert(queries, stored, max)),

    /** What `change` makes of it as it is now; of two changes at once, each sees what the other did. `null`: it is not there. */
    change(
      projectId: string,
      id: string,
      change: (before: StoredProvider) => Result<StoredProvider, Refusal>,
    ): Promise<Result<StoredProvider, Refusal> | null> {
      return db.tx(async (queries) => {
        const [row] = await queries.query<ProviderRow>(
          'select * from auth_providers where project_id = $1 and id = $2 for update',
          [projectId, id],
        );
        if (row === undefined) return null;
        const changed = change(storedOf(row));
        if (!changed.ok) return changed;
        const { written, sealed, updatedAt } = changed.value;
        await queries.query(
          `update auth_providers set definition = $3::json, sealed = $4, updated_at = $5
           where project_id = $1 and id = $2`,
          [projectId, id, JSON.stringify(written), sealed, updatedAt],
        );
        await changes.tell(queries, topic, id);
        return changed;
      });
    },

    /** Whether it was there. */
    remove(projectId: string, id: string): Promise<boolean> {
      return db.tx(async (queries) => {
        const rows = await queries.query(
          'delete from auth_providers where project_id = $1 and id = $2 returning id',
          [projectId, id],
        );
        if (rows.length > 0) await changes.tell(queries, topic, id);
        return rows.length > 0;
      });
    },
  };
}

function storedOf(row: ProviderRow): StoredProvider {
  return {
    projectId: row.project_id,
    written: { ...row.definition, id: row.id },
    sealed: row.sealed,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
