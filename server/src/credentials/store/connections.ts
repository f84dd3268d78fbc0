import type { Queries, Row } from '#storage';
import type { Target } from '../authority.ts';
import type { ConnectionFilter } from '../connections/contract.ts';
import type { Connection, ConnectionSecret, Listed, Place, TokenChange } from './kept.ts';
import { isoOrNull, msOrNull, placeOf, placeParams } from './rows.ts';
import type { Seals } from './seals.ts';

function connectionOf(row: Row): Connection {
  return {
    ...placeOf(row),
    id: row.id as string,
    personId: row.person_id as string | null,
    name: row.name as string,
    subject: row.subject as string,
    isDefault: row.is_default as boolean,
    gateways: row.gateways as string[],
    tools: row.tools as string[],
    boundTo: row.bound_to as string,
    issuer: row.issuer as string,
    askedScopes: row.asked_scopes as string[],
    grantedScopes: row.granted_scopes as string[],
    userInfo: row.user_info as Record<string, unknown>,
    consentedAtMs: row.consented_at_ms as number[],
    status: row.status as Connection['status'],
    expiresAtMs: msOrNull(row.expires_at),
    renewAtMs: msOrNull(row.renew_at),
    version: row.version as number,
    createdAtMs: Date.parse(row.created_at as string),
    changedAtMs: Date.parse(row.updated_at as string),
    lastUsedAtMs: msOrNull(row.last_used_at),
    sealed: row.sealed as string,
  };
}

export const ofTarget = 'project_id = $1 and target_kind = $2 and target_id = $3';
export const ofPlace = `${ofTarget} and user_id = $4`;
/** What is the default one in place of another: never of what somebody else consented to, who has the same user id. */
export const besides = `${ofPlace} and id <> $5 and is_default and (person_id is null or person_id = $6)`;

const byFilter = `project_id = $1 and ($2::text[] is null or target_id = any($2))
  and ($3::text[] is null or user_id = any($3)) and ($4::text is null or person_id = $4)`;
const filterParams = (projectId: string, { targetIds, userIds, personId }: ConnectionFilter) => [
  projectId,
  targetIds === undefined ? null : [...targetIds],
  userIds === undefined ? null : [...userIds],
  personId ?? null,
];

export function connectionReads(db: Queries) {
  return {
    /** All accounts of the user there, the one that was consented to first in front. */
    async connectionsOf(place: Place, queries: Queries = db): Promise<readonly Connection[]> {
      const rows = await queries.query(
        `select * from connections where ${ofPlace} order by created_at, id`,
        placeParams(place),
      );
      return rows.map(connectionOf);
    },

    async connection(id: string, queries: Queries = db): Promise<Connection | null> {
      const [row] = await queries.query('select * from connections where id = $1', [id]);
      return row === undefined ? null : connectionOf(row);
    },

    /** All of them unless a page is asked for. */
    async connectionsBy(
      projectId: string,
      filter: ConnectionFilter,
      page?: { readonly limit: number; readonly offset: number },
    ): Promise<readonly Connection[]> {
      const rows = await db.query(
        `select * from connections where ${byFilter} order by target_id, user_id, created_at, id limit $5 offset $6`,
        [...filterParams(projectId, filter), page?.limit ?? null, page?.offset ?? 0],
      );
      return rows.map(connectionOf);
    },

    async countBy(projectId: string, filter: ConnectionFilter): Promise<number> {
      const [row] = await db.query<{ count: number }>(
        `select count(*)::int as count from connections where ${byFilter}`,
        filterParams(projectId, filter),
      );
      return row?.count ?? 0;
    },

    /** With what the lists of this source are asked for. */
    async listConnection(projectId: string, { sourceId, uri }: Listed): Promise<Connection | null> {
      const [row] = await db.query(
        `select * from connections where project_id = $1 and id =
           (select connection_id from list_connections where project_id = $1 and source_id = $2 and uri = $3)`,
        [projectId, sourceId, uri],
      );
      return row === undefined ? null : connectionOf(row);
    },

    /** The sources that anybody is connected to; or only this one of them. */
    async connectedSources(only: Target | null) {
      const rows = await db.query<Row>(
        `select distinct project_id, target_id from connections
         where target_kind = 'source' and ($1::text is null or (project_id = $1 and target_id = $2))`,
        [only?.projectId ?? null, only?.id ?? null],
      );
      return rows.map((row) => ({
        projectId: row.project_id as string,
        sourceId: row.target_id as string,
      }));
    },

    async countOf(projectId: string, userIds: readonly string[]): Promise<number> {
      const [row] = await db.query<{ count: number }>(
        'select count(*)::int as count from connections where project_id = $1 and user_id = any($2::text[])',
        [projectId, [...userIds]],
      );
      return row?.count ?? 0;
    },
  };
}

export type NewConnection = Omit<Connection, 'version' | 'changedAtMs' | 'lastUsedAtMs' | 'sealed'> & {
  readonly secret: ConnectionSecret;
  /** Whose lists are asked for with it from now on, and with no other. */
  readonly lists: Listed | null;
};

export function connectionWrites(seals: Seals) {
  return {
    /** What a consent gave, in place of what this account had. */
    async saveConnection(queries: Queries, one: NewConnection, nowIso: string): Promise<void> {
      const place = placeParams(one);
      if (one.isDefault) {
        await queries.query(`update connections set is_default = false where ${besides}`, [
          ...place,
          one.id,
          one.personId,
        ]);
      }
      await queries.query(
        `insert into connections (project_id, target_kind, target_id, user_id, id, person_id, name, subject, is_default,
           gateways, tools, bound_to, issuer, asked_scopes, granted_scopes, user_info, consented_at_ms, status,
           sealed, version, renewing_until, expires_at, renew_at, created_at, updated_at, last_used_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, 1, null, $20, $21, $22,
           $23, null)
         on conflict (id) do update set
           is_default = excluded.is_default, bound_to = excluded.bound_to, issuer = excluded.issuer,
           asked_scopes = excluded.asked_scopes, granted_scopes = excluded.granted_scopes, user_info = excluded.user_info,
           consented_at_ms = excluded.consented_at_ms, status = excluded.status, sealed = excluded.sealed,
           version = connections.version + 1, renewing_until = null, expires_at = excluded.expires_at,
           renew_at = excluded.renew_at, updated_at = excluded.updated_at`,
        [
          ...place,
          one.id,
          one.personId,
          one.name,
          one.subject,
          one.isDefault,
          JSON.stringify(one.gateways),
          JSON.stringify(one.tools),
          one.boundTo,
          one.issuer,
          JSON.stringify(one.askedScopes),
          JSON.stringify(one.grantedScopes),
          JSON.stringify(one.userInfo),
          JSON.stringify(one.consentedAtMs),
          one.status,
          seals.sealConnection(one, one.secret),
          isoOrNull(one.expiresAtMs),
          isoOrNull(one.renewAtMs),
          isoOrNull(one.createdAtMs),
          nowIso,
        ],
      );
      if (one.lists === null) return;
      const { sourceId, uri } = one.lists;
      await queries.query(
        `insert into list_connections (project_id, source_id, uri, connection_id) values ($1, $2, $3, $4)
         on conflict (project_id, source_id) do update set uri = excluded.uri, connection_id = excluded.connection_id`,
        [one.target.projectId, sourceId, uri, one.id],
      );
    },

    /** What a renewal changed; false, and of no effect, where the tokens have changed meanwhile. */
    async renewed(queries: Queries, one: Connection, change: TokenChange, sealed: string, nowIso: string) {
      const rows = await queries.query(
        `update connections set sealed = $3, granted_scopes = $4, user_info = $5, expires_at = $6, renew_at = $7, status = $8,
           updated_at = $9, renewing_until = null, version = version + 1
         where id = $1 and version = $2 returning id`,
        [
          one.id,
          one.version,
          sealed,
          JSON.stringify(change.grantedScopes),
          JSON.stringify(change.userInfo),
          isoOrNull(change.expiresAtMs),
          isoOrNull(change.renewAtMs),
          change.status,
          nowIso,
        ],
      );
      return rows.length > 0;
    },
  };
}

export function connectionLeases(db: Queries) {
  return {
    /** False where another replica is renewing it, or has. */
    async lease({ id, version }: Connection, nowIso: string, untilIso: string): Promise<boolean> {
      const rows = await db.query(
        `update connections set renewing_until = $3
         where id = $1 and version = $2 and (renewing_until is null or renewing_until <= $4) returning version`,
        [id, version, untilIso, nowIso],
      );
      return rows.length > 0;
    },

    async unlease({ id, version }: Connection): Promise<void> {
      await db.query('update connections set renewing_until = null where id = $1 and version = $2', [
        id,
        version,
      ]);
    },

    /** Of a process that ended in the middle, where there was only one. */
    async unleaseAll(): Promise<void> {
      await db.query('update connections set renewing_until = null where renewing_until is not null');
    },
  };
}
