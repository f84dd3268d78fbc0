import type { Sealer } from '#foundation';
import type { Queries, Row } from '#storage';
import type { Connection, ConnectionSecret, Place, SourcePlace } from './kept.ts';
import { isoOrNull, placeOf } from './rows.ts';

const about = ({ projectId, sourceId, userId }: Place) => JSON.stringify([projectId, sourceId, userId]);

function connectionOf(row: Row | undefined, sealer: Sealer): Connection | null {
  if (row === undefined) return null;
  const place = placeOf(row);
  const secret = sealer.open('connection', row.sealed as string, about(place));
  if (secret === null) return null;
  return {
    ...place,
    uri: row.uri as string,
    personId: row.person_id as string | null,
    issuer: row.issuer as string,
    servesList: row.serves_list as boolean,
    askedScopes: row.asked_scopes as string[],
    grantedScopes: row.granted_scopes as string[],
    consentedAtMs: row.consented_at_ms as number[],
    refused: row.refused as boolean,
    expiresAtMs: row.expires_at === null ? null : Date.parse(row.expires_at as string),
    version: row.version as number,
    changedAtMs: Date.parse(row.updated_at as string),
    secret: secret as ConnectionSecret,
  };
}

export function connectionReads(db: Queries, sealer: Sealer) {
  return {
    async connection({ projectId, sourceId, userId }: Place): Promise<Connection | null> {
      const [row] = await db.query(
        'select * from connections where project_id = $1 and source_id = $2 and user_id = $3',
        [projectId, sourceId, userId],
      );
      return connectionOf(row, sealer);
    },

    /** The sources that anybody is connected to, and with whose connection their lists are asked for. */
    async connectedSources() {
      const rows = await db.query<Row>(
        `select project_id, source_id, max(user_id) filter (where serves_list) as list_user
         from connections group by project_id, source_id`,
      );
      return rows.map((row) => ({
        projectId: row.project_id as string,
        sourceId: row.source_id as string,
        listUser: row.list_user as string | null,
      }));
    },
  };
}

export function connectionWrites(sealer: Sealer) {
  return {
    /** What a consent gave, in place of what there was. Only one connection of a source serves its lists. */
    async saveConnection(
      queries: Queries,
      one: Omit<Connection, 'version' | 'changedAtMs'>,
      nowIso: string,
    ): Promise<void> {
      const { projectId, sourceId, userId } = one;
      if (one.servesList) {
        await queries.query(
          `update connections set serves_list = false, version = version + 1
           where project_id = $1 and source_id = $2 and user_id <> $3 and serves_list`,
          [projectId, sourceId, userId],
        );
      }
      await queries.query(
        `insert into connections (project_id, source_id, user_id, uri, issuer, serves_list, asked_scopes, granted_scopes,
           consented_at_ms, sealed, refused, version, renewing_until, expires_at, created_at, updated_at, person_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, null, $12, $13, $13, $14)
         on conflict (project_id, source_id, user_id) do update set
           uri = excluded.uri, person_id = excluded.person_id, issuer = excluded.issuer,
           serves_list = connections.serves_list or excluded.serves_list,
           asked_scopes = excluded.asked_scopes, granted_scopes = excluded.granted_scopes,
           consented_at_ms = excluded.consented_at_ms, sealed = excluded.sealed, refused = excluded.refused,
           version = connections.version + 1, renewing_until = null,
           expires_at = excluded.expires_at, updated_at = excluded.updated_at`,
        [
          projectId,
          sourceId,
          userId,
          one.uri,
          one.issuer,
          one.servesList,
          JSON.stringify(one.askedScopes),
          JSON.stringify(one.grantedScopes),
          JSON.stringify(one.consentedAtMs),
          sealer.seal('connection', one.secret, about(one)),
          one.refused,
          isoOrNull(one.expiresAtMs),
          nowIso,
          one.personId,
        ],
      );
    },

    /** What a renewal changed; of no effect where the user has consented anew meanwhile. */
    async renewed(
      queries: Queries,
      one: Connection,
      change: Pick<Connection, 'secret' | 'grantedScopes' | 'expiresAtMs' | 'refused'>,
      nowIso: string,
    ): Promise<void> {
      const { projectId, sourceId, userId, version } = one;
      await queries.query(
        `update connections set sealed = $5, granted_scopes = $6, expires_at = $7, refused = $8, updated_at = $9,
           renewing_until = null, version = version + 1
         where project_id = $1 and source_id = $2 and user_id = $3 and version = $4`,
        [
          projectId,
          sourceId,
          userId,
          version,
          sealer.seal('connection', change.secret, about(one)),
          JSON.stringify(change.grantedScopes),
          isoOrNull(change.expiresAtMs),
          change.refused,
          nowIso,
        ],
      );
    },

    async forgetSource(queries: Queries, { projectId, sourceId }: SourcePlace): Promise<void> {
      for (const table of ['connections', 'connection_clients', 'connection_flows']) {
        await queries.query(`delete from ${table} where project_id = $1 and source_id = $2`, [
          projectId,
          sourceId,
        ]);
      }
    },
  };
}

export function connectionLeases(db: Queries) {
  return {
    /** False where another replica is renewing it, or has. */
    async lease({ projectId, sourceId, userId, version }: Connection, nowIso: string, untilIso: string) {
      const rows = await db.query(
        `update connections set renewing_until = $5
         where project_id = $1 and source_id = $2 and user_id = $3 and version = $4
           and (renewing_until is null or renewing_until < $6) returning version`,
        [projectId, sourceId, userId, version, untilIso, nowIso],
      );
      return rows.length > 0;
    },

    async unlease({ projectId, sourceId, userId, version }: Connection): Promise<void> {
      await db.query(
        `update connections set renewing_until = null
         where project_id = $1 and source_id = $2 and user_id = $3 and version = $4`,
        [projectId, sourceId, userId, version],
      );
    },
  };
}
