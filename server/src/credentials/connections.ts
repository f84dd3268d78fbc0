import type { Credential, Refusal, Source } from '#domain';
import { type Clock, type MaybePromise, ok, type Result } from '#foundation';
import type { Changes, Db } from '#storage';
import { createRenewal, type Renewal } from './renewal.ts';
import type { Connection, Place } from './store/kept.ts';
import type { ConnectionStore } from './store/store.ts';
import type { FetchFor } from './upstream/fetching.ts';

export interface ConnectionsDeps {
  readonly db: Db;
  readonly changes: Changes;
  readonly store: ConnectionStore;
  readonly clock: Clock;
  readonly fetchFor: FetchFor;
}

/** Tokens of users at sources, in this process and as they are kept. */
export interface Connections extends Renewal {
  /** Whether anybody is connected to that source. */
  has(projectId: string, sourceId: string): boolean;
  /** What a call carries; at once where nobody is connected to that source, and where the token is known and lasts. */
  credentialOf(source: Source, who: User): MaybePromise<Result<Credential | null, Refusal>>;
  /** With what the lists of that source are asked for. */
  listUserOf(source: Source): string | null;
  /** What to send in the place of a token that was refused; `null` where there is nothing else. */
  anotherFor(source: Source, who: User, refused: string): Promise<Result<Credential | null, Refusal>>;
  find(place: Place): Promise<Connection | null>;
  /** What a call carries that goes by this connection. */
  remember(connection: Connection): Credential;
  save(connection: Omit<Connection, 'version' | 'changedAtMs'>): Promise<void>;
  forgetSource(projectId: string, sourceId: string): Promise<void>;
}

/** Whose authorization is wanted. A person goes only by what they consented to themselves; an API key by whatever the user has. */
export interface User {
  readonly userId: string;
  readonly personId: string | null;
}

export const isOf = (connection: { readonly personId: string | null }, { personId }: User): boolean =>
  personId === null || connection.personId === personId;

const topic = 'connections';
/** Before a token is over, as it is on its way for a while. */
const earlyMs = 30_000;
const maxLive = 20_000;

interface Live {
  readonly uri: string;
  readonly personId: string | null;
  readonly untilMs: number;
  readonly credential: Credential;
}

const sourceKey = (projectId: string, sourceId: string) => JSON.stringify([projectId, sourceId]);
const placeKey = ({ projectId, sourceId, userId }: Place) => JSON.stringify([projectId, sourceId, userId]);

export async function createConnections(deps: ConnectionsDeps): Promise<Connections> {
  const { db, changes, store, clock } = deps;
  /** The sources that anybody is connected to, and whose connection serves their lists. */
  let connected = new Map<string, string | null>();
  /** In the order in which they were read. */
  const live = new Map<string, Live>();

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

  const renewal = createRenewal({ ...deps, changed });

  function isOver({ expiresAtMs }: Connection): boolean {
    return expiresAtMs !== null && expiresAtMs - earlyMs <= clock.now();
  }

  function keep(connection: Connection): Credential {
    const { secret, expiresAtMs, uri, personId } = connection;
    const credential = credentialIn(connection);
    const untilMs = expiresAtMs === null ? Number.POSITIVE_INFINITY : expiresAtMs - earlyMs;
    if (live.size >= maxLive) {
      const [oldest] = live.keys();
      if (oldest !== undefined) live.delete(oldest);
    }
    if (secret.accessToken !== '') live.set(placeKey(connection), { uri, personId, untilMs, credential });
    return credential;
  }

  async function read(source: Source, place: Place, who: User): Promise<Result<Credential | null, Refusal>> {
    const found = await store.connection(place);
    // What was given for one address is sent to no other.
    if (found === null || found.refused || found.uri !== source.uri || !isOf(found, who)) return ok(null);
    if (!isOver(found)) return ok(keep(found));
    if (found.secret.refreshToken === null) return ok(null);
    const renewed = await renewal.renew(found, source);
    if (!renewed.ok) return renewed;
    return ok(renewed.value === null ? null : keep(renewed.value));
  }

  await readSources();
  return {
    has: (projectId, sourceId) => connected.size > 0 && connected.has(sourceKey(projectId, sourceId)),
    credentialOf(source, who) {
      const { projectId, id } = source;
      if (hasOwnAuthorization(source)) return nothing;
      const place = { projectId, sourceId: id, userId: who.userId };
      const known = live.get(placeKey(place));
      if (known !== undefined && known.untilMs > clock.now() && known.uri === source.uri && isOf(known, who))
        return ok(known.credential);
      return read(source, place, who);
    },
    listUserOf: ({ projectId, id }) => connected.get(sourceKey(projectId, id)) ?? null,
    anotherFor: (source, who, refused) => anotherFor(source, who, refused, { store, renewal, keep }),
    find: store.connection,
    remember: keep,
    ...renewal,
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

async function anotherFor(
  source: Source,
  { userId }: User,
  refused: string,
  {
    store,
    renewal,
    keep,
  }: { store: ConnectionStore; renewal: Renewal; keep: (one: Connection) => Credential },
): Promise<Result<Credential | null, Refusal>> {
  const found = await store.connection({ projectId: source.projectId, sourceId: source.id, userId });
  if (found === null || found.refused || found.uri !== source.uri) return nothing;
  if (found.secret.accessToken !== refused) return ok(keep(found));
  if (found.secret.refreshToken === null) return nothing;
  const renewed = await renewal.renew(found, source);
  if (!renewed.ok) return renewed;
  return renewed.value === null ? nothing : ok(keep(renewed.value));
}

function credentialIn({ secret }: Connection): Credential {
  return { authorization: { token: secret.accessToken, userInfo: {} }, secrets: [] };
}

/** Such a source acts as whoever runs it, and for everybody. */
export function hasOwnAuthorization({ headers }: Source): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
}
