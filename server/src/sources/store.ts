import type { Source } from '#domain';
import type { Queries } from '#storage';

/** The sources that the API registered. The only SQL of this room. */
export interface SourceStore {
  all(): Promise<Source[]>;
  /** False when the id is taken. */
  insert(source: Source): Promise<boolean>;
  update(source: Source): Promise<void>;
  remove(projectId: string, id: string): Promise<void>;
}

export function createSourceStore(db: Queries): SourceStore {
  return {
    async all() {
      const rows = await db.query<{ definition: Source; created_at: string; updated_at: string }>(
        'select definition, created_at, updated_at from sources order by project_id, id',
      );
      return rows.map(({ definition, created_at, updated_at }) => ({
        ...definition,
        origin: 'api',
        createdAt: created_at,
        updatedAt: updated_at,
      }));
    },
    async insert(source) {
      const rows = await db.query(
        `insert into sources (project_id, id, definition, created_at, updated_at) values ($1, $2, $3, $4, $5)
         on conflict do nothing returning id`,
        [source.projectId, source.id, definitionOf(source), source.createdAt, source.updatedAt],
      );
      return rows.length > 0;
    },
    async update(source) {
      await db.query(
        'update sources set definition = $3, updated_at = $4 where project_id = $1 and id = $2',
        [source.projectId, source.id, definitionOf(source), source.updatedAt],
      );
    },
    async remove(projectId, id) {
      await db.query('delete from sources where project_id = $1 and id = $2', [projectId, id]);
    },
  };
}

function definitionOf({ createdAt, updatedAt, origin, ...definition }: Source): object {
  return definition;
}
