import type { Source } from '#domain';
import type { Queries } from '#storage';
import { opened, type Vault } from '#vault';

/** The sources that the API registered. The only SQL of this room. Whole definitions are sealed: they hold secrets in many places. */
export interface SourceStore {
  all(): Promise<Source[]>;
  /** False when the id is taken. */
  insert(source: Source): Promise<boolean>;
  update(source: Source): Promise<void>;
  remove(projectId: string, id: string): Promise<void>;
}

const purpose = 'source';

interface SourceRow extends Record<string, unknown> {
  project_id: string;
  id: string;
  sealed: string;
  created_at: string;
  updated_at: string;
}

export function createSourceStore(db: Queries, vault: Vault): SourceStore {
  vault.keeps({ table: 'sources', column: 'sealed' });

  async function sourceOf({ project_id, id, sealed, created_at, updated_at }: SourceRow): Promise<Source> {
    const boundTo = about([project_id, id]);
    const definition = await opened<Source>(vault, { purpose, sealed, boundTo }, `the source ${id}`);
    return { ...definition, origin: 'api', createdAt: created_at, updatedAt: updated_at };
  }

  const sealedOf = ({ createdAt, updatedAt, origin, ...definition }: Source) =>
    vault.seal(purpose, definition, about([definition.projectId, definition.id]));

  return {
    async all() {
      const key = ['project_id', 'id'];
      await vault.adopt({ table: 'sources', key, plain: 'definition', purpose, boundTo: about });
      const rows = await db.query<SourceRow>(
        'select project_id, id, sealed, created_at, updated_at from sources order by project_id, id',
      );
      return Promise.all(rows.map(sourceOf));
    },
    async insert(source) {
      const rows = await db.query(
        `insert into sources (project_id, id, definition, sealed, created_at, updated_at)
         values ($1, $2, '{}', $3, $4, $5) on conflict do nothing returning id`,
        [source.projectId, source.id, sealedOf(source), source.createdAt, source.updatedAt],
      );
      return rows.length > 0;
    },
    async update(source) {
      await db.query(
        `update sources set definition = '{}', sealed = $3, updated_at = $4 where project_id = $1 and id = $2`,
        [source.projectId, source.id, sealedOf(source), source.updatedAt],
      );
    },
    async remove(projectId, id) {
      await db.query('delete from sources where project_id = $1 and id = $2', [projectId, id]);
    },
  };
}

const about = (key: readonly string[]) => JSON.stringify(key);
