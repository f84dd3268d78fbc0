import type { Queries } from '#storage';
import type { Vault } from '#vault';
import type { UpstreamClient } from '../upstream/contract.ts';

/** A source of a project. */
export interface SourcePlace {
  readonly projectId: string;
  readonly sourceId: string;
}

const about = (projectId: string, sourceId: string, issuer: string) =>
  JSON.stringify([projectId, sourceId, issuer]);

export function clientQueries(db: Queries, vault: Vault) {
  return {
    async client({ projectId, sourceId }: SourcePlace, issuer: string): Promise<UpstreamClient | null> {
      const [row] = await db.query<{ sealed: string }>(
        'select sealed from connection_clients where project_id = $1 and source_id = $2 and issuer = $3',
        [projectId, sourceId, issuer],
      );
      if (row === undefined) return null;
      const name = about(projectId, sourceId, issuer);
      return (await vault.open('connection client', row.sealed, name)) as UpstreamClient | null;
    },

    async clients({ projectId, sourceId }: SourcePlace) {
      const rows = await db.query<{ issuer: string; sealed: string }>(
        'select issuer, sealed from connection_clients where project_id = $1 and source_id = $2',
        [projectId, sourceId],
      );
      const opened = rows.map(async ({ issuer, sealed }) => ({
        issuer,
        client: await vault.open('connection client', sealed, about(projectId, sourceId, issuer)),
      }));
      const all = await Promise.all(opened);
      return all.filter((one): one is { issuer: string; client: UpstreamClient } => one.client !== null);
    },

    async saveClient(
      { projectId, sourceId }: SourcePlace,
      issuer: string,
      client: UpstreamClient,
      nowIso: string,
    ) {
      const sealed = vault.seal('connection client', client, about(projectId, sourceId, issuer));
      await db.query(
        `insert into connection_clients (project_id, source_id, issuer, sealed, created_at) values ($1, $2, $3, $4, $5)
         on conflict (project_id, source_id, issuer) do update set sealed = excluded.sealed, created_at = excluded.created_at`,
        [projectId, sourceId, issuer, sealed, nowIso],
      );
    },

    async forgetClient({ projectId, sourceId }: SourcePlace, issuer: string): Promise<void> {
      await db.query(
        'delete from connection_clients where project_id = $1 and source_id = $2 and issuer = $3',
        [projectId, sourceId, issuer],
      );
    },
  };
}
