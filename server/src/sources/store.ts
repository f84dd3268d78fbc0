import { keyOfPlace, type Place, type Source } from '#domain';
import type { Changes, Db } from '#storage';
import { opened, type Vault } from '#vault';

export const topic = 'sources';

/**
 * The sources that the API registered. The only SQL of this room. Whole definitions are sealed: they hold secrets in many
 * places. Every change is told to other replicas in its own transaction.
 */
export interface SourceStore {
  /** The one, or all. */
  load(place: Place | null): Promise<Source[]>;
  /** False when the id is taken. */
  insert(source: Source): Promise<boolean>;
  /** False when there is none any more. */
  update(source: Source): Promise<boolean>;
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

export function createSourceStore(db: Db, changes: Changes, vault: Vault): SourceStore {
  vault.keeps({ table: 'sources', column: 'sealed' });

  async function sourceOf({ project_id, id, sealed, created_at, updated_at }: SourceRow): Promise<Source> {
    const boundTo = keyOfPlace({ projectId: project_id, id });
    const definition = await opened<Source>(vault, { purpose, sealed, boundTo }, `the source ${id}`);
    return { ...definition, origin: 'api', createdAt: created_at, updatedAt: updated_at };
  }

  const sealedOf = ({ createdAt, updatedAt, origin, ...definition }: Source) =>
    vault.seal(purpose, definition, keyOfPlace(definition));

  /** Whether it changed anything. */
  const told = (place: Place, sql: string, values: readonly string[]) =>
    db.tx(async (queries) => {
      const rows = await queries.query(sql, [place.projectId, place.id, ...values]);
      if (rows.length > 0) await changes.tell(queries, topic, keyOfPlace(place));
      return rows.length > 0;
    });

  return {
    async load(place) {
      const key = ['project_id', 'id'];
      await vault.adopt({ table: 'sources', key, plain: 'definition', purpose, boundTo: JSON.stringify });
      const rows = await db.query<SourceRow>(
        `select project_id, id, sealed, created_at, updated_at from sources
         ${place === null ? '' : 'where project_id = $1 and id = $2'} order by project_id, id`,
        place === null ? [] : [place.projectId, place.id],
      );
      return Promise.all(rows.map(sourceOf));
    },
    insert: (source) =>
      told(
        source,
        `insert into sources (project_id, id, definition, sealed, created_at, updated_at)
         values ($1, $2, '{}', $3, $4, $5) on conflict do nothing returning id`,
        [sealedOf(source), source.createdAt, source.updatedAt],
      ),
    update: (source) =>
      told(
        source,
        `update sources set definition = '{}', sealed = $3, updated_at = $4
         where project_id = $1 and id = $2 returning id`,
        [sealedOf(source), source.updatedAt],
      ),
    async remove(projectId, id) {
      const place = { projectId, id };
      await told(place, 'delete from sources where project_id = $1 and id = $2 returning id', []);
    },
  };
}
