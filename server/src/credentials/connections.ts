import { type Credential, type Refusal, refusal, type Source } from '#domain';
import { type Clock, err, type MaybePromise, ok, type Result } from '#foundation';
import type { Changes, Db } from '#storage';
import type { Connection, ConnectionStore, Place } from './store.ts';
import type { FetchFor } from './upstream/fetching.ts';
import { tokensAgain } from './upstream/tokens.ts';

export interface ConnectionsDeps {
  readonly db: Db;
  readonly changes: Changes;
  readonly store: ConnectionStore;
  readonly clock: Clock;
  readonly fetchFor: FetchFor;
}

/** Tokens of users at sources, in this process and as they are kept. */
export interface Connections {
  /** What a call carries; at once where nobody is connected to that source, and where the token is known and lasts. */
  credentialOf(source: Source, userId: string): MaybePromise<Result<Credential | null, Refusal>>;
  /** With what the lists of that source are asked for. */
  listUserOf(source: Source): string | null;
  find(place: Place): Promise<Connection | null>;
  /** What a call carries that goes by this connection. */
  remember(connection: Connection): Credential;
  /** A new token in place of this one; `null` where the user has to consent anew. Once, whoever asks, wherever. */
  renew(connection: Connection, source: Source): Promise<Result<Connection | null, Refusal>>;
  /** The source does not take it any more. */
  refuse(connection: Connection): Promise<void>;
  save(connection: Omit<Connection, 'version'>): Promise<void>;
  forgetSource(projectId: string, sourceId: string): Promise<void>;
}

const topic = 'connections';
/** Before a token is over, as it is on its way for a while. */
const earlyMs = 30_000;
const leaseMs = 45_000;
const lookAgainMs = 200;
const maxLive = 20_000;

interface Live {
  readonly uri: string;
  readonly untilMs: number;
  readonly credential: Credential;
}

const sourceKey = (projectId: string, sourceId: string) => JSON.stringify([projectId, sourceId]);
const placeKey = ({ projectId, sourceId, userId }: Place) => JSON.stringify([projectId, sourceId, userId]);

export async function createConnections(deps: ConnectionsDeps): Promise<Connections> {
  const { db, changes, store, clock, fetchFor } = deps;
  /** The sources that anybody is connected to, and whose connection serves their lists. */
  let connected = new Map<string, string | null>();
  /** In the order in which they were read. */
  const live = new Map<string, Live>();
  const renewing = new Map<string, Promise<Result<Connection | null, Refusal>>>();

  async function readSources(): Promise<void> {
    const rows = await store.connectedSources();
    connected = new Map(rows.map((row) => [sourceKey(row.projectId, row.sourceId), row.listUser]));
  }

  changes.on(topic, async (key) => {
    await readSources();
    if (key === null) live.clear();
    else live.delete(key);
  });

  async function changed(place: Place, change: Parameters<typeof db.tx<void>>[0]): Promise<void> {
    const key = placeKey(place);
    await db.tx(async (queries) => {
      await change(queries);
      await changes.tell(queries, topic, key);
    });
    live.delete(key);
    await readSources();
  }

  function isOver({ expiresAtMs }: Connection): boolean {
    return expiresAtMs !== null && expiresAtMs - earlyMs <= clock.now();
  }

  function keep(connection: Connection): Credential {
    const { secret, expiresAtMs, uri } = connection;
    const credential = credentialIn(connection);
    const untilMs = expiresAtMs === null ? Number.POSITIVE_INFINITY : expiresAtMs - earlyMs;
    if (live.size >= maxLive) {
      const [oldest] = live.keys();
      if (oldest !== undefined) live.delete(oldest);
    }
    if (secret.accessToken !== '') live.set(placeKey(connection), { uri, untilMs, credential });
    return credential;
  }

  async function read(source: Source, place: Place): Promise<Result<Credential | null, Refusal>> {
    const found = await store.connection(place);
    // What was given for one address is sent to no other.
    if (found === null || found.refused || found.uri !== source.uri) return ok(null);
    if (!isOver(found)) return ok(keep(found));
    if (found.secret.refreshToken === null) return ok(null);
    const renewed = await renew(found, source);
    if (!renewed.ok) return renewed;
    return ok(renewed.value === null ? null : keep(renewed.value));
  }

  function renew(connection: Connection, source: Source): Promise<Result<Connection | null, Refusal>> {
    const key = placeKey(connection);
    const running = renewing.get(key);
    if (running !== undefined) return running;
    const begun = renewOnce(connection, source).finally(() => renewing.delete(key));
    renewing.set(key, begun);
    return begun;
  }

  /** One replica renews it; the others wait for what comes of it. */
  async function renewOnce(stale: Connection, source: Source): Promise<Result<Connection | null, Refusal>> {
    const giveUpMs = clock.now() + leaseMs;
    while (clock.now() < giveUpMs) {
      const now = await store.connection(stale);
      if (now === null || now.refused || now.uri !== source.uri) return ok(null);
      if (now.version !== stale.version) return ok(now);
      if (await store.lease(now, clock.iso(), iso(clock.now() + leaseMs))) return renewLeased(now, source);
      await pause(clock, lookAgainMs);
    }
    return err(unavailable(source, 'its token is being renewed for too long'));
  }

  async function renewLeased(one: Connection, source: Source): Promise<Result<Connection | null, Refusal>> {
    const { refreshToken, server, client } = one.secret;
    if (refreshToken === null) return ok(await endOf(one));
    const tokens = await tokensAgain(refreshToken, server, client, { fetchFn: fetchFor(source), clock });
    if (!tokens.ok) {
      const { kind, words } = tokens.error;
      if (kind === 'consent' || kind === 'client') {
        if (kind === 'client') await store.forgetClient(one, server.issuer);
        return ok(await endOf(one));
      }
      await store.unlease(one);
      return err(unavailable(source, words));
    }
    const { accessToken, refreshToken: next, expiresAtMs, scopes } = tokens.value;
    const change = {
      secret: { ...one.secret, accessToken, refreshToken: next ?? refreshToken },
      grantedScopes: scopes ?? one.grantedScopes,
      expiresAtMs,
      refused: false,
    };
    await changed(one, (queries) => store.renewed(queries, one, change, clock.iso()));
    return ok(await store.connection(one));
  }

  async function endOf(one: Connection): Promise<null> {
    const secret = { ...one.secret, accessToken: '', refreshToken: null };
    const { grantedScopes, expiresAtMs } = one;
    const change = { secret, grantedScopes, expiresAtMs, refused: true };
    await changed(one, (queries) => store.renewed(queries, one, change, clock.iso()));
    return null;
  }

  await readSources();
  return {
    credentialOf(source, userId) {
      const { projectId, id } = source;
      if (connected.size === 0 || !connected.has(sourceKey(projectId, id))) return nothing;
      if (hasOwnAuthorization(source)) return nothing;
      const place = { projectId, sourceId: id, userId };
      const known = live.get(placeKey(place));
      if (known !== undefined && known.untilMs > clock.now() && known.uri === source.uri)
        return ok(known.credential);
      return read(source, place);
    },
    listUserOf: ({ projectId, id }) => connected.get(sourceKey(projectId, id)) ?? null,
    find: store.connection,
    remember: keep,
    renew,
    refuse: async (connection) => void (await endOf(connection)),
    save: (connection) =>
      changed(connection, (queries) => store.saveConnection(queries, connection, clock.iso())),
    async forgetSource(projectId, sourceId) {
      const place = { projectId, sourceId };
      await db.tx(async (queries) => {
        await store.forgetSource(queries, place);
        await changes.tell(queries, topic, placeKey({ ...place, userId: '' }));
      });
      live.clear();
      await readSources();
    },
  };
}

const nothing = ok(null);

function credentialIn({ secret }: Connection): Credential {
  return { authorization: { token: secret.accessToken, userInfo: {} }, secrets: [] };
}

/** Such a source acts as whoever runs it, and for everybody. */
export function hasOwnAuthorization({ headers }: Source): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
}

function unavailable({ id }: Source, why: string): Refusal {
  return refusal('source.unreachable', `the authorization for ${id} cannot be renewed now: ${why}`);
}

const iso = (ms: number) => new Date(ms).toISOString();

export function pause(clock: Clock, forMs: number): Promise<void> {
  return new Promise((resolve) => {
    const stop = clock.every(forMs, () => {
      stop();
      resolve();
    });
  });
}
