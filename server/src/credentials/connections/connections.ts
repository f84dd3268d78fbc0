import type { Clock, MaybePromise } from '#foundation';
import type { Changes, Db, Queries } from '#storage';
import type { Log, Metrics } from '#telemetry';
import type { Authority, Target } from '../authority.ts';
import type { ConsentEvent } from '../contract.ts';
import type { Connection, Listed, Place } from '../store/kept.ts';
import type { ConnectionStore } from '../store/store.ts';
import { type AuthorizationOf, createAuthorizationOf } from './authorization-of.ts';
import { chosenOf, noUse, type Use, type User } from './choice.ts';
import { createConnected } from './connected.ts';
import { createKeep, type Keep } from './keep.ts';
import { createMemory } from './memory.ts';
import { createRenewal, type Renewal } from './renewal.ts';

export interface ConnectionsDeps {
  readonly db: Db;
  readonly changes: Changes;
  readonly store: ConnectionStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Its own unless told. */
  readonly metrics?: Metrics;
  readonly authority: Authority;
  readonly onEvent: (event: ConsentEvent) => void | Promise<void>;
}

/** Accounts of users, in this process and as they are kept. */
export interface Connections extends Pick<Renewal, 'renew' | 'refuse'> {
  /** Whether anybody is connected to that source. */
  has(projectId: string, sourceId: string): boolean;
  /** With what the lists of this source are asked for; `null`: as nobody. */
  listConnection(projectId: string, listed: Listed): Promise<Connection | null>;
  of(place: Place): MaybePromise<readonly Connection[]>;
  /** The account that serves, whether it can or not. */
  chosen(target: Target, user: User, use?: Use): MaybePromise<Connection | null>;
  /** The same, read anew: for who was refused with what this process knows. */
  latest(target: Target, user: User, use?: Use): Promise<Connection | null>;
  readonly authorizationOf: AuthorizationOf;
  readonly keep: Keep;
  /** Makes a change of the accounts there, and tells of it. */
  change<T>(place: Place, work: (queries: Queries) => Promise<T>): Promise<T>;
  forgetTarget(target: Target): Promise<void>;
  close(): void;
}

const topic = 'connections';

export async function createConnections(deps: ConnectionsDeps): Promise<Connections> {
  const { db, changes, store } = deps;
  const connected = await createConnected(store);
  const memory = createMemory((place) => store.connectionsOf(place));
  // The embedded database serves one process: what was under way in it before is not any more.
  if (db.kind === 'pglite') await store.unleaseAll();

  changes.on(topic, async (key) => {
    const told = key === null ? null : placeIn(key);
    if (told === null) memory.forgetAll();
    else if (told.userId === null) memory.forgetTarget(told.target);
    else memory.forget({ ...told, userId: told.userId });
    await connected.read(told?.target ?? null);
  });

  async function change<T>(place: Place, work: (queries: Queries) => Promise<T>): Promise<T> {
    const outcome = await db.tx(async (queries) => {
      const done = await work(queries);
      await changes.tell(queries, topic, JSON.stringify([place.target, place.userId]));
      return done;
    });
    memory.forget(place);
    await connected.read(place.target);
    return outcome;
  }

  const renewal = createRenewal({
    ...deps,
    changed: change,
    onRefused: ({ id, target, userId, personId }, { code, words }) =>
      deps.onEvent({ kind: 'renewal_refused', id, target, userId, personId, code, reason: words }),
  });
  const newest = (one: Connection | null) => (one === null ? null : renewal.newest(one));

  function chosen(target: Target, user: User, use: Use = noUse): MaybePromise<Connection | null> {
    const accounts = memory.of({ target, userId: user.userId });
    return accounts instanceof Promise
      ? accounts.then((all) => newest(chosenOf(all, user, use)))
      : newest(chosenOf(accounts, user, use));
  }

  return {
    has: connected.has,
    listConnection: async (projectId, listed) => newest(await store.listConnection(projectId, listed)),
    of: memory.of,
    chosen,
    async latest(target, user, use) {
      memory.forget({ target, userId: user.userId });
      return await chosen(target, user, use);
    },
    authorizationOf: createAuthorizationOf({ ...deps, renewal }),
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
      await connected.read(target);
    },
    close: renewal.close,
  };
}

function placeIn(key: string): { readonly target: Target; readonly userId: string | null } | null {
  try {
    const [target, userId] = JSON.parse(key) as [Target, string | null];
    return { target, userId };
  } catch {
    return null;
  }
}
