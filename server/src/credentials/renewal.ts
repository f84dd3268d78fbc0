import { type Refusal, refusal, type Source } from '#domain';
import { type Clock, err, ok, type Result } from '#foundation';
import type { Queries } from '#storage';
import type { Connection, Place } from './store/kept.ts';
import type { ConnectionStore } from './store/store.ts';
import type { FetchFor } from './upstream/fetching.ts';
import { tokensAgain } from './upstream/tokens.ts';

export interface RenewalDeps {
  readonly store: ConnectionStore;
  readonly clock: Clock;
  readonly fetchFor: FetchFor;
  /** Makes a change of a connection, and tells of it. */
  readonly changed: (place: Place, change: (queries: Queries) => Promise<void>) => Promise<void>;
}

export interface Renewal {
  /** A new token in place of this one; `null` where the user has to consent anew. Once, whoever asks, wherever. */
  renew(connection: Connection, source: Source): Promise<Result<Connection | null, Refusal>>;
  /** Nothing is sent with it any more. */
  refuse(connection: Connection): Promise<null>;
}

const leaseMs = 45_000;
const lookAgainMs = 200;

export function createRenewal({ store, clock, fetchFor, changed }: RenewalDeps): Renewal {
  const renewing = new Map<string, Promise<Result<Connection | null, Refusal>>>();

  function renew(connection: Connection, source: Source): Promise<Result<Connection | null, Refusal>> {
    const key = JSON.stringify([connection.projectId, connection.sourceId, connection.userId]);
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
    if (refreshToken === null) return ok(await refuse(one));
    const tokens = await tokensAgain(refreshToken, server, client, { fetchFn: fetchFor(source), clock });
    if (!tokens.ok) {
      const { kind, words } = tokens.error;
      if (kind === 'consent' || kind === 'client') {
        if (kind === 'client') await store.forgetClient(one, server.issuer);
        return ok(await refuse(one));
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

  async function refuse(one: Connection): Promise<null> {
    const secret = { ...one.secret, accessToken: '', refreshToken: null };
    const { grantedScopes, expiresAtMs } = one;
    const change = { secret, grantedScopes, expiresAtMs, refused: true };
    await changed(one, (queries) => store.renewed(queries, one, change, clock.iso()));
    return null;
  }

  return { renew, refuse };
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
