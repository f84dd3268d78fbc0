import type { Gateway } from '#domain';
import type { Db } from '#storage';

export function createGatewayStore(db: Db) {
  return {
    async load(): Promise<Gateway[]> {
      const rows = await db.query<{ definition: Gateway }>(
        'select definition from gateways order by created_at, id',
      );
      return rows.map((row) => row.definition);
    },

    async save(gateway: Gateway): Promise<void> {
      await db.query(
        `insert into gateways (id, project_id, slug, definition, created_at, updated_at)
         values ($1, $2, $3, $4::jsonb, $5, $6)
         on conflict (id) do update set slug = excluded.slug, definition = excluded.definition, updated_at = excluded.updated_at`,
        [
          gateway.id,
          gateway.projectId,
          gateway.slug,
          JSON.stringify(gateway),
          gateway.createdAt,
          gateway.updatedAt,
        ],
      );
    },

    async delete(id: string): Promise<void> {
      await db.query('delete from gateways where id = $1', [id]);
    },
  };
}
