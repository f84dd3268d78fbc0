import type { Changes, Db } from '#storage';
import type { UserSource } from './contract.ts';

export const topic = 'user_sources';

interface SourceRow extends Record<string, unknown> {
  project_id: string;
  id: string;
  definition: Omit<UserSource, 'id' | 'projectId' | 'origin' | 'createdAt' | 'updatedAt'>;
  created_at: string;
  updated_at: string;
}

/** Every change is told to other replicas in its own transaction. */
export function createSourceStore(db: Db, changes: Changes) {
  return {
    /** Those with this id, or all. */
    async load(id: string | null): Promise<UserSource[]> {
      const rows = await db.query<SourceRow>(
        'select * from user_sources where $1::text is null or id = $1 order by created_at, id',
        [id],
      );
      return rows.map((row) => ({
        ...row.definition,
        id: row.id,
        projectId: row.project_id,
        origin: 'api',
        createdAt: row.created_at,
        updatedAt: row.updated_at,
      }));
    },

    async insert(source: UserSource): Promise<void> {
      await db.tx(async (queries) => {
        await queries.query(
          `insert into user_sources (project_id, id, definition, created_at, updated_at)
           values ($1, $2, $3::json, $4, $5)`,
          [source.projectId, source.id, definitionOf(source), source.createdAt, source.updatedAt],
        );
        await changes.tell(queries, topic, source.id);
      });
    },

    /** Whether it was there. */
    async update(source: UserSource): Promise<boolean> {
      return db.tx(async (queries) => {
        const rows = await queries.query(
          `update user_sources set definition = $3::json, updated_at = $4
           where project_id = $1 and id = $2 returning id`,
          [source.projectId, source.id, definitionOf(source), source.updatedAt],
        );
        if (rows.length > 0) await changes.tell(queries, topic, source.id);
        return rows.length > 0;
      });
    },

    async remove({ projectId, id }: Pick<UserSource, 'projectId' | 'id'>): Promise<void> {
      await db.tx(async (queries) => {
        await queries.query('delete from user_sources where project_id = $1 and id = $2', [projectId, id]);
        await changes.tell(queries, topic, id);
      });
    },
  };
}

function definitionOf(source: UserSource): string {
  const { id, projectId, origin, createdAt, updatedAt, ...definition } = source;
  return JSON.stringify(definition);
}
