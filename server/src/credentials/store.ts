import { hash } from 'node:crypto';
import type { Sealer } from '#foundation';
import type { Queries, Row } from '#storage';
import type { UpstreamClient, UpstreamServer } from './upstream/contract.ts';

/** Whose authorization at which source. */
export interface Place {
  readonly projectId: string;
  readonly sourceId: string;
  /** `''`: nobody in particular. */
  readonly userId: string;
}
type SourcePlace = Pick<Place, 'projectId' | 'sourceId'>;

/** What a user let us do at a source. */
export interface Connection extends Place {
  /** The address that the tokens are for. */
  readonly uri: string;
  readonly issuer: string;
  /** Its lists are asked for with it. */
  readonly servesList: boolean;
  readonly askedScopes: readonly string[];
  readonly grantedScopes: readonly string[];
  readonly consentedAtMs: readonly number[];
  readonly refused: boolean;
  readonly expiresAtMs: number | null;
  readonly version: number;
  readonly secret: ConnectionSecret;
}

export interface ConnectionSecret {
  readonly accessToken: string;
  readonly refreshToken: string | null;
  readonly server: UpstreamServer;
  readonly client: UpstreamClient;
}

/** A consent that a user is asked for. */
export interface Flow extends Place {
  /** `ac_…`; also the reference in words to the user. */
  readonly id: string;
  readonly personId: string | null;
  readonly servesList: boolean;
  readonly scopes: readonly string[];
  readonly status: 'pending' | 'completed' | 'failed';
  readonly reason: string | null;
  readonly expiresAtMs: number;
  /** Of the browser that goes through it; `null` before one does. */
  readonly browserHash: string | null;
  readonly secret: FlowSecret;
}

export interface FlowSecret {
  /** In the address that the user opens. */
  readonly token: string;
  readonly state: string;
  readonly codeVerifier: string;
  readonly authorizationUrl: string;
  readonly redirectUri: string;
  readonly uri: string;
  readonly server: UpstreamServer;
  readonly client: UpstreamClient;
}

export const hashOf = (secret: string): string => hash('sha256', secret, 'hex');

/** Connections, clients and flows: the only SQL of this room, and the only place where secrets are opened. */
export type ConnectionStore = ReturnType<typeof createConnectionStore>;

export function createConnectionStore(db: Queries, sealer: Sealer) {
  const aboutConnection = ({ projectId, sourceId, userId }: Place) =>
    JSON.stringify([projectId, sourceId, userId]);
  const aboutClient = (projectId: string, sourceId: string, issuer: string) =>
    JSON.stringify([projectId, sourceId, issuer]);

  function connectionOf(row: Row | undefined): Connection | null {
    if (row === undefined) return null;
    const place = placeOf(row);
    const secret = sealer.open('connection', row.sealed as string, aboutConnection(place));
    if (secret === null) return null;
    return {
      ...place,
      uri: row.uri as string,
      issuer: row.issuer as string,
      servesList: row.serves_list as boolean,
      askedScopes: row.asked_scopes as string[],
      grantedScopes: row.granted_scopes as string[],
      consentedAtMs: row.consented_at_ms as number[],
      refused: row.refused as boolean,
      expiresAtMs: row.expires_at === null ? null : Date.parse(row.expires_at as string),
      version: row.version as number,
      secret: secret as ConnectionSecret,
    };
  }

  function flowOf(row: Row | undefined): Flow | null {
    if (row === undefined) return null;
    const secret = sealer.open('connection flow', row.sealed as string, row.id as string);
    if (secret === null) return null;
    return {
      ...placeOf(row),
      id: row.id as string,
      personId: row.person_id as string | null,
      servesList: row.serves_list as boolean,
      scopes: row.scopes as string[],
      status: row.status as Flow['status'],
      reason: row.reason as string | null,
      expiresAtMs: Date.parse(row.expires_at as string),
      browserHash: row.browser_hash as string | null,
      secret: secret as FlowSecret,
    };
  }

  return {
    async connection({ projectId, sourceId, userId }: Place): Promise<Connection | null> {
      const [row] = await db.query(
        'select * from connections where project_id = $1 and source_id = $2 and user_id = $3',
        [projectId, sourceId, userId],
      );
      return connectionOf(row);
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

    /** What a consent gave, in place of what there was. Only one connection of a source serves its lists. */
    async saveConnection(queries: Queries, one: Omit<Connection, 'version'>, nowIso: string): Promise<void> {
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
           consented_at_ms, sealed, refused, version, renewing_until, expires_at, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, null, $12, $13, $13)
         on conflict (project_id, source_id, user_id) do update set
           uri = excluded.uri, issuer = excluded.issuer,
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
          sealer.seal('connection', one.secret, aboutConnection(one)),
          one.refused,
          isoOrNull(one.expiresAtMs),
          nowIso,
        ],
      );
    },

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
          sealer.seal('connection', change.secret, aboutConnection(one)),
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

    async client({ projectId, sourceId }: SourcePlace, issuer: string): Promise<UpstreamClient | null> {
      const [row] = await db.query<{ sealed: string }>(
        'select sealed from connection_clients where project_id = $1 and source_id = $2 and issuer = $3',
        [projectId, sourceId, issuer],
      );
      if (row === undefined) return null;
      const about = aboutClient(projectId, sourceId, issuer);
      return sealer.open('connection client', row.sealed, about) as UpstreamClient | null;
    },

    async clients({ projectId, sourceId }: SourcePlace) {
      const rows = await db.query<{ issuer: string; sealed: string }>(
        'select issuer, sealed from connection_clients where project_id = $1 and source_id = $2',
        [projectId, sourceId],
      );
      return rows.flatMap(({ issuer, sealed }) => {
        const client = sealer.open('connection client', sealed, aboutClient(projectId, sourceId, issuer));
        return client === null ? [] : [{ issuer, client: client as UpstreamClient }];
      });
    },

    async saveClient(
      { projectId, sourceId }: SourcePlace,
      issuer: string,
      client: UpstreamClient,
      nowIso: string,
    ) {
      const sealed = sealer.seal('connection client', client, aboutClient(projectId, sourceId, issuer));
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

    async pendingFlows(projectId: string): Promise<number> {
      const [row] = await db.query<{ count: number }>(
        `select count(*) as count from connection_flows where project_id = $1 and status = 'pending'`,
        [projectId],
      );
      return row?.count ?? 0;
    },

    async insertFlow(flow: Flow, createdIso: string): Promise<void> {
      await db.query(
        `insert into connection_flows (id, token_hash, state_hash, browser_hash, project_id, source_id, user_id, person_id,
           serves_list, scopes, sealed, status, reason, answered, created_at, expires_at, ended_at)
         values ($1, $2, $3, null, $4, $5, $6, $7, $8, $9, $10, 'pending', null, false, $11, $12, null)`,
        [
          flow.id,
          hashOf(flow.secret.token),
          hashOf(flow.secret.state),
          flow.projectId,
          flow.sourceId,
          flow.userId,
          flow.personId,
          flow.servesList,
          JSON.stringify(flow.scopes),
          sealer.seal('connection flow', flow.secret, flow.id),
          createdIso,
          isoOrNull(flow.expiresAtMs),
        ],
      );
    },

    /** Those of this place that nobody has opened or finished yet, the newest first. */
    async unopenedFlows({ projectId, sourceId, userId }: Place, nowIso: string): Promise<readonly Flow[]> {
      const rows = await db.query(
        `select * from connection_flows where project_id = $1 and source_id = $2 and user_id = $3
           and status = 'pending' and browser_hash is null and expires_at > $4 order by created_at desc limit 5`,
        [projectId, sourceId, userId, nowIso],
      );
      return rows.map(flowOf).filter((flow) => flow !== null);
    },

    async flow(id: string): Promise<Flow | null> {
      const [row] = await db.query('select * from connection_flows where id = $1', [id]);
      return flowOf(row);
    },

    async flowByToken(token: string): Promise<Flow | null> {
      const [row] = await db.query('select * from connection_flows where token_hash = $1', [hashOf(token)]);
      return flowOf(row);
    },

    async flowByState(state: string): Promise<Flow | null> {
      const [row] = await db.query('select * from connection_flows where state_hash = $1', [hashOf(state)]);
      return flowOf(row);
    },

    /** False where another browser was faster. */
    async openedBy(id: string, browserHash: string): Promise<boolean> {
      const rows = await db.query(
        `update connection_flows set browser_hash = $2
         where id = $1 and status = 'pending' and (browser_hash is null or browser_hash = $2) returning id`,
        [id, browserHash],
      );
      return rows.length > 0;
    },

    /** False where the answer came before. */
    async answered(id: string): Promise<boolean> {
      const rows = await db.query(
        `update connection_flows set answered = true where id = $1 and status = 'pending' and not answered returning id`,
        [id],
      );
      return rows.length > 0;
    },

    /** False where it has ended already. */
    async endFlow(
      queries: Queries,
      id: string,
      end: { readonly status: 'completed' | 'failed'; readonly reason: string | null },
      nowIso: string,
    ): Promise<boolean> {
      const rows = await queries.query(
        `update connection_flows set status = $2, reason = $3, ended_at = $4 where id = $1 and status = 'pending' returning id`,
        [id, end.status, end.reason, nowIso],
      );
      return rows.length > 0;
    },

    /** Those whose time is over, which end now. */
    async expireFlows(reason: string, nowIso: string): Promise<readonly (Place & { readonly id: string })[]> {
      const rows = await db.query(
        `update connection_flows set status = 'failed', reason = $1, ended_at = $2
         where status = 'pending' and expires_at <= $2 returning id, project_id, source_id, user_id`,
        [reason, nowIso],
      );
      return rows.map((row) => ({ ...placeOf(row), id: row.id as string }));
    },

    async tidyFlows(beforeIso: string): Promise<void> {
      await db.query(`delete from connection_flows where status <> 'pending' and ended_at < $1`, [beforeIso]);
    },
  };
}

function placeOf(row: Row): Place {
  return {
    projectId: row.project_id as string,
    sourceId: row.source_id as string,
    userId: row.user_id as string,
  };
}

const isoOrNull = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
