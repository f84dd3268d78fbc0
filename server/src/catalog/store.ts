import type { Gateway, Tool, ToolListing } from '#domain';
import type { Db } from '#storage';
import { toolId } from './tool-id.ts';

/** A tool with what the catalog alone knows of it. */
export interface StoredTool {
  readonly tool: Tool;
  readonly position: number;
  readonly firstSeenMs: number;
}

interface ToolRow extends Record<string, unknown> {
  id: string;
  project_id: string;
  source_id: string;
  position: number;
  available: boolean;
  listing: ToolListing;
  first_seen: string;
}

export function createCatalogStore(db: Db) {
  return {
    async loadTools(): Promise<StoredTool[]> {
      return (await db.query<ToolRow>('select * from tools order by source_id, position')).map(fromRow);
    },

    /**
     * Keeps `first_seen` of the tools that stay, whatever their version: whoever offered a name first goes on owning it. One transaction, so
     * that a crash leaves the old list or the new one.
     */
    async replaceTools(
      projectId: string,
      sourceId: string,
      listings: readonly ToolListing[],
      nowIso: string,
    ): Promise<StoredTool[]> {
      const byKey = new Map<
        string,
        { id: string; version: string; position: number; [column: string]: unknown }
      >();
      for (const [position, listing] of listings.entries()) {
        const id = toolId(projectId, sourceId, listing.toolkit.name, listing.name);
        const version = listing.toolkit.version ?? '';
        // A source that lists the same tool twice means the first one.
        if (byKey.has(`${id}@${version}`)) continue;
        const text = JSON.stringify(listing);
        const row = {
          id,
          toolkit: listing.toolkit.name,
          name: listing.name,
          version,
          position,
          listing: text,
        };
        byKey.set(`${id}@${version}`, row);
      }
      const rows = [...byKey.values()];
      return await db.tx(async (q) => {
        await q.query(
          `insert into tools (id, project_id, source_id, toolkit, name, version, position, available, listing, first_seen)
           select id, $1, $2, toolkit, name, version, position, true, listing::json,
             coalesce((select min(known.first_seen) from tools known where known.id = listed.id), $4)
           from jsonb_to_recordset($3::jsonb)
             as listed(id text, toolkit text, name text, version text, position integer, listing text)
           on conflict (id, version) do update
             set position = excluded.position, available = true, listing = excluded.listing`,
          [projectId, sourceId, JSON.stringify(rows), nowIso],
        );
        await q.query(
          `delete from tools where project_id = $1 and source_id = $2
             and (id, version) not in (select id, version from jsonb_to_recordset($3::jsonb) as kept(id text, version text))`,
          [projectId, sourceId, JSON.stringify(rows.map(({ id, version }) => ({ id, version })))],
        );
        const stored = await q.query<ToolRow>(
          'select * from tools where project_id = $1 and source_id = $2 order by position',
          [projectId, sourceId],
        );
        return stored.map(fromRow);
      });
    },

    async markUnavailable(projectId: string, sourceId: string): Promise<void> {
      await db.query('update tools set available = false where project_id = $1 and source_id = $2', [
        projectId,
        sourceId,
      ]);
    },

    async forget(projectId: string, sourceId: string): Promise<void> {
      await db.query('delete from tools where project_id = $1 and source_id = $2', [projectId, sourceId]);
    },

    async loadGateways(): Promise<Gateway[]> {
      const rows = await db.query<{ definition: Gateway }>(
        'select definition from gateways order by created_at, id',
      );
      return rows.map((row) => row.definition);
    },

    async saveGateway(gateway: Gateway): Promise<void> {
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

    async deleteGateway(id: string): Promise<void> {
      await db.query('delete from gateways where id = $1', [id]);
    },
  };
}

export type CatalogStore = ReturnType<typeof createCatalogStore>;

function fromRow(row: ToolRow): StoredTool {
  return {
    tool: {
      ...row.listing,
      id: row.id,
      projectId: row.project_id,
      sourceId: row.source_id,
      qualifiedName: `${row.listing.toolkit.name}.${row.listing.name}`,
      ruleName: `${row.listing.toolkit.name}.${row.listing.name}`,
      available: row.available,
      quarantined: false,
    },
    position: row.position,
    firstSeenMs: Date.parse(row.first_seen),
  };
}
