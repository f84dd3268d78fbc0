import type { Changes, Db } from '#storage';
import type { Secret } from './contract.ts';

export const topic = 'secrets';

/** A secret, and its value as it is kept. */
export interface StoredSecret {
  readonly secret: Secret;
  readonly sealed: string;
}

interface SecretRow extends Record<string, unknown> {
  id: string;
  organization_id: string;
  project_id: string;
  key: string;
  description: string;
  sealed: string;
  created_at: string;
  updated_at: string;
  last_accessed_at: string | null;
}

/** The secrets that the API made. Every change is told to other replicas in its own transaction. */
export function createSecretStore(db: Db, changes: Changes) {
  return {
    /** The one with this id, or all. */
    async load(id: string | null): Promise<StoredSecret[]> {
      const rows = await db.query<SecretRow>('select * from secrets where $1::text is null or id = $1', [id]);
      return rows.map(storedOf);
    },

    /** As it is kept now: one of that place and key that is there already keeps its id and its dates. `null`: there are too many. */
    upsert({ secret, sealed }: StoredSecret, description: string | undefined, max: number) {
      const { organizationId, projectId, key } = secret;
      return db.tx(async (queries): Promise<StoredSecret | null> => {
        const [row] = await queries.query<SecretRow>(
          `insert into secrets (id, organization_id, project_id, key, description, sealed, created_at, updated_at)
           select $1, $2, $3, $4, coalesce($5, ''), $6, $7, $7
           where (select count(*) from secrets where organization_id = $2 and project_id = $3 and key <> $4) < $8
           on conflict (organization_id, project_id, key) do update
             set sealed = excluded.sealed, updated_at = excluded.updated_at,
                 description = coalesce($5, secrets.description)
           returning *`,
          [
            secret.id,
            organizationId,
            projectId ?? '',
            key,
            description ?? null,
            sealed,
            secret.createdAt,
            max,
          ],
        );
        if (row === undefined) return null;
        await changes.tell(queries, topic, row.id);
        return storedOf(row);
      });
    },

    async remove(id: string): Promise<void> {
      await db.tx(async (queries) => {
        await queries.query('delete from secrets where id = $1', [id]);
        await changes.tell(queries, topic, id);
      });
    },

    /** Notes that these were opened; and gives back when any was, in whatever replica. */
    async accessed(ids: readonly string[], at: string): Promise<ReadonlyMap<string, string>> {
      if (ids.length > 0)
        await db.query(
          'update secrets set last_accessed_at = greatest(last_accessed_at, $1::timestamptz) where id = any($2::text[])',
          [at, ids],
        );
      const rows = await db.query<{ id: string; last_accessed_at: string }>(
        'select id, last_accessed_at from secrets where last_accessed_at is not null',
      );
      return new Map(rows.map(({ id, last_accessed_at }) => [id, last_accessed_at]));
    },
  };
}

function storedOf(row: SecretRow): StoredSecret {
  return {
    secret: {
      id: row.id,
      organizationId: row.organization_id,
      projectId: row.project_id === '' ? null : row.project_id,
      key: row.key,
      description: row.description,
      origin: 'api',
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      lastAccessedAt: row.last_accessed_at,
    },
    sealed: row.sealed,
  };
}
