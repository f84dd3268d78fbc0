import type { Changes, Db } from '#storage';
import { opened, type Vault } from '#vault';
import type { UserSource } from './contract.ts';

export const topic = 'user_sources';

const purpose = 'user source';
type Definition = Omit<UserSource, 'id' | 'projectId' | 'origin' | 'createdAt' | 'updatedAt'>;

interface SourceRow extends Record<string, unknown> {
  project_id: string;
  id: string;
  sealed: string;
  created_at: string;
  updated_at: string;
}

/** Definitions are sealed. Every change is told to other replicas in its own transaction. */
export function createSourceStore({
  db,
  changes,
  vault,
}: {
  readonly db: Db;
  readonly changes: Changes;
  readonly vault: Vault;
}) {
  vault.keeps({ table: 'user_sources', column: 'sealed' });

  async function sourceOf(row: SourceRow): Promise<UserSource> {
    const { project_id: projectId, id, sealed } = row;
    const boundTo = about([projectId, id]);
    return {
      ...(await opened<Definition>(vault, { purpose, sealed, boundTo }, `the user source ${id}`)),
      id,
      projectId,
      origin: 'api',
      createdAt: row.created_at,
      updatedAt: row.updated_at,
    };
  }

  function sealedOf(source: UserSource): string {
    const { id, projectId, origin, createdAt, updatedAt, ...definition } = source;
    return vault.seal(purpose, definition, about([projectId, id]));
  }

  return {
    /** Those with this id, or all. */
    async load(id: string | null): Promise<UserSource[]> {
      const key = ['project_id', 'id'];
      await vault.adopt({ table: 'user_sources', key, plain: 'definition', purpose, boundTo: about });
      const rows = await db.query<SourceRow>(
        `select project_id, id, sealed, created_at, updated_at from user_sources
         where $1::text is null or id = $1 order by created_at, id`,
        [id],
      );
      return Promise.all(rows.map(sourceOf));
    },

    async insert(source: UserSource): Promise<void> {
      await db.tx(async (queries) => {
        await queries.query(
          `insert into user_sources (project_id, id, definition, sealed, created_at, updated_at)
           values ($1, $2, '{}', $3, $4, $5)`,
          [source.projectId, source.id, sealedOf(source), source.createdAt, source.updatedAt],
        );
        await changes.tell(queries, topic, source.id);
      });
    },

    /** Whether it was there. */
    async update(source: UserSource): Promise<boolean> {
      return db.tx(async (queries) => {
        const rows = await queries.query(
          `update user_sources set definition = '{}', sealed = $3, updated_at = $4
           where project_id = $1 and id = $2 returning id`,
          [source.projectId, source.id, sealedOf(source), source.updatedAt],
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

const about = (key: readonly string[]) => JSON.stringify(key);
