import type { Credential, Refusal } from '#domain';
import { type Clock, type MaybePromise, messageOf, ok, type Result } from '#foundation';
import type { Changes, Db, Queries } from '#storage';
import type { Log } from '#telemetry';
import type { Authority, Target } from '../authority.ts';
import type { ConsentEvent } from '../contract.ts';
import type { Connection, Place } from '../store/kept.ts';
import type { ConnectionStore } from '../store/store.ts';
import { chosenOf, noUse, type Use, type User } from './choice.ts';
import { createKeep, type Keep } from './keep.ts';
import { createMemory } from './memory.ts';
import { createRenewal, earlyMs, type Renewal } from './renewal.ts';

export interface ConnectionsDeps {
  readonly db: Db;
  readonly changes: Changes;
  readonly store: ConnectionStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly authority: Authority;
  readonly onEvent: (event: ConsentEvent) => void | Promise<void>;
}

type Authorization = NonNullable<Credential['authorization']>;

/** Accounts of users, in this process and as they are kept. */
export interface Connections extends Pick<Renewal, 'renew' | 'refuse'> {
  /** Whether anybody is connected to that source. */
  has(projectId: string, sourceId: string): boolean;
  /** With what the lists of sources are asked for there; `null`: as nobody. */
  listConnection(target: Target): Promise<Connection | null>;
  of(place: Place): MaybePromise<readonly Connection[]>;
  /** The account that serves, whether it can or not. */
  chosen(target: Target, user: User, use?: Use): MaybePromise<Connection | null>;
  /** The same, read anew: for who was refused with what this process knows. */
  latest(target: Target, user: User): Promise<Connection | null>;
  /** What a call carries by it: at once where its token lasts. `null`: the user has to consent anew. */
  authorizationOf(connection: Connection): MaybePromise<Result<Authorization | null, Refusal>>;
  readonly keep: Keep;
  /** Makes a change of the accounts there, and tells of it. */
  change<T>(place: Place, work: (queries: Queries) => Promise<T>): Promise<T>;
  forgetTarget(target: Target): Promise<void>;
  close(): void;
}

const topic = 'connections';
const usedEveryMs = 60_000;
const aheadAgainMs = 30_000;
const maxRemembered = 20_000;

export async function createConnections(deps: ConnectionsDeps): Promise<Connections> {
  const { db, changes, store, clock, log, authority } = deps;
  const connected = await createConnected(store);
  const memory = createMemory(async (place) =>
    (await store.connectionsOf(place)).map((one) => renewal.newest(one)),
  );
  // The embedded database serves one process: what was under way in it before is not any more.
  if (db.kind === 'pglite') await store.unleaseAll();

  changes.on(topic, async (key) => {
    const told = key === null ? null : placeIn(key);
    if (told === null) memory.forgetAll();
    else if (told.userId === null) memory.forgetTarget(told.target);
    else memory.forget({ ...told, userId: told.userId });
    if (told === null || told.target.kind === 'source') await connected.read(told?.target ?? null);
  });

  async function change<T>(place: Place, work: (queries: Queries) => Promise<T>): Promise<T> {
    const { target, userId } = place;
    const outcome = await db.tx(async (queries) => {
      const done = await work(queries);
      await changes.tell(queries, topic, JSON.stringify([target, userId]));
      return done;
    });
    memory.forget(place);
    if (target.kind === 'source') await connected.read(target);
    return outcome;
  }

  const renewal = createRenewal({
    ...deps,
    changed: change,
    onRefused: ({ id, target, userId, personId }, { code, words }) =>
      deps.onEvent({ kind: 'renewal_refused', id, target, userId, personId, code, reason: words }),
  });
  const used = createUsed({ store, clock, log });
  const ahead = createAhead(renewal, { clock, log });

  function opened(one: Connection): MaybePromise<Result<Authorization | null, Refusal>> {
    const secret = store.openConnection(one);
    const carry = (opened: Awaited<typeof secret>) => {
      if (opened === null || opened.accessToken === '') return nothing;
      used(one);
      const { accessToken: token } = opened;
      const header = authority.headerOf(one.target, token);
      return ok({ token, userInfo: { ...one.userInfo }, ...(header === null ? {} : { header }) });
    };
    return secret instanceof Promise ? secret.then(carry) : carry(secret);
  }

  async function renewed(one: Connection): Promise<Result<Authorization | null, Refusal>> {
    const next = await renewal.renew(one);
    if (next.ok) return next.value === null ? nothing : opened(next.value);
    const lasts = one.expiresAtMs !== null && one.expiresAtMs > clock.now();
    return lasts ? opened(one) : next;
  }

  function chosen(target: Target, user: User, use: Use = noUse): MaybePromise<Connection | null> {
    const accounts = memory.of({ target, userId: user.userId });
    return accounts instanceof Promise
      ? accounts.then((all) => chosenOf(all, user, use))
      : chosenOf(accounts, user, use);
  }

  return {
    has: connected.has,
    async listConnection(target) {
      const found = await store.listConnection(target);
      return found === null ? null : renewal.newest(found);
    },
    of: memory.of,
    chosen,
    async latest(target, user) {
      memory.forget({ target, userId: user.userId });
      return await chosen(target, user);
    },
    authorizationOf(one) {
      // What was given for one address, or one client, is sent to no other.
      if (one.status !== 'active' || one.boundTo !== authority.boundTo(one.target)) return nothing;
      const nowMs = clock.now();
      if (one.expiresAtMs !== null) {
        if (one.renewAtMs === null) return one.expiresAtMs > nowMs ? opened(one) : nothing;
        if (one.expiresAtMs - earlyMs <= nowMs) return renewed(one);
        if (one.renewAtMs <= nowMs) ahead(one);
      }
      return opened(one);
    },
    renew: renewal.renew,
    refuse: renewal.refuse,
    change,
    keep: createKeep({ ...deps, change }),
    async forgetTarget(target) {
      await db.tx(async (queries) => {
        await store.forgetTarget(queries, target);
        await changes.tell(queries, topic, JSON.stringify([target, null]));
      });
      memory.forgetTarget(target);
      if (target.kind === 'source') await connected.read(target);
    },
    close: renewal.close,
  };
}

const nothing = ok(null);

function placeIn(key: string): { readonly target: Target; readonly userId: string | null } | null {
  try {
    const [target, userId] = JSON.parse(key) as [Target, string | null];
    return { target, userId };
  } catch {
    return null;
  }
}

/** The sources that anybody is connected to: a call elsewhere looks no further. */
async function createConnected(store: ConnectionStore) {
  const connected = new Set<string>();
  const keyOf = (projectId: string, sourceId: string) => JSON.stringify([projectId, sourceId]);

  async function read(only: Target | null): Promise<void> {
    const rows = await store.connectedSources(only);
    if (only === null) connected.clear();
    else connected.delete(keyOf(only.projectId, only.id));
    for (const { projectId, sourceId } of rows) connected.add(keyOf(projectId, sourceId));
  }

  await read(null);
  return {
    read,
    has: (projectId: string, sourceId: string) =>
      connected.size > 0 && connected.has(keyOf(projectId, sourceId)),
  };
}

/** Renews a token that still serves; who uses it does not wait. */
function createAhead(renewal: Renewal, { clock, log }: { readonly clock: Clock; readonly log: Log }) {
  const tried = new Map<string, number>();
  return (one: Connection): void => {
    if ((tried.get(one.id) ?? Number.NEGATIVE_INFINITY) > clock.now() - aheadAgainMs) return;
    if (tried.size >= maxRemembered) tried.clear();
    tried.set(one.id, clock.now());
    renewal.renew(one).catch((error) => {
      log.warn(
        { error: messageOf(error), connection: one.id },
        'a token could not be renewed ahead of its end',
      );
    });
  };
}

/** Notes when an account was used, at most once a minute. */
function createUsed({ store, clock, log }: Pick<ConnectionsDeps, 'store' | 'clock' | 'log'>) {
  const noted = new Map<string, number>();
  return ({ id, lastUsedAtMs }: Connection): void => {
    const nowMs = clock.now();
    if ((noted.get(id) ?? lastUsedAtMs ?? Number.NEGATIVE_INFINITY) > nowMs - usedEveryMs) return;
    if (noted.size >= maxRemembered) noted.clear();
    noted.set(id, nowMs);
    store.usedConnection(id, new Date(nowMs).toISOString()).catch((error) => {
      log.debug({ error: messageOf(error) }, 'when an account was used could not be noted');
    });
  };
}
