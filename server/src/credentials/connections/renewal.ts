import { type Refusal, refusal } from '#domain';
import { type Clock, createSingleFlight, err, ok, pause, type Result } from '#foundation';
import type { Queries } from '#storage';
import { createMetrics, type Log, type Metrics } from '#telemetry';
import type { Authority, Granted, Problem } from '../authority.ts';
import type { Connection, ConnectionSecret, TokenChange } from '../store/kept.ts';
import type { ConnectionStore } from '../store/store.ts';

export interface RenewalDeps {
  readonly store: ConnectionStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Its own unless told. */
  readonly metrics?: Metrics;
  readonly authority: Authority;
  /** Makes a change of a connection, and tells of it. */
  readonly changed: (one: Connection, change: (queries: Queries) => Promise<boolean>) => Promise<boolean>;
  /** The provider does not take it any more. */
  readonly onRefused: (one: Connection, problem: Problem) => void | Promise<void>;
}

export interface Renewal {
  /** With another token in place of this one's; `null` where the user has to consent anew. Once, whoever asks, wherever. */
  renew(connection: Connection): Promise<Result<Connection | null, Refusal>>;
  /** Nothing is sent with it any more. */
  refuse(connection: Connection, problem: Problem | null): Promise<null>;
  /** As it is by what could not be kept yet. */
  newest(connection: Connection): Connection;
  close(): void;
}

const leaseMs = 45_000;
const lookAgainMs = 200;
/** A provider that is away is not asked by every call. */
const pauseMs = 2_000;
const saveAgainMs = 1_000;

export function createRenewal(deps: RenewalDeps): Renewal {
  const { store, clock } = deps;
  const once = createSingleFlight<Result<Connection | null, Refusal>>();
  const failed = new Map<string, { readonly untilMs: number; readonly refusal: Refusal }>();
  const saving = createSaving(deps);
  const renewals = (deps.metrics ?? createMetrics()).counter({
    name: 'sallyport_token_refreshes_total',
    help: 'Tokens of connections that were due for another one, by what came of it.',
    labels: ['project', 'provider', 'outcome'],
  });

  async function renew(connection: Connection): Promise<Result<Connection | null, Refusal>> {
    const { id } = connection;
    const before = failed.get(id);
    if (before !== undefined && before.untilMs > clock.now()) return err(before.refusal);
    failed.delete(id);
    const outcome = await renewOnce(connection);
    if (!outcome.ok) failed.set(id, { untilMs: clock.now() + pauseMs, refusal: outcome.error });
    if (failed.size > 10_000) failed.clear();
    return outcome;
  }

  /** One replica renews it; the others wait for what comes of it. */
  async function renewOnce(stale: Connection): Promise<Result<Connection | null, Refusal>> {
    const giveUpMs = clock.now() + leaseMs;
    while (clock.now() < giveUpMs) {
      const found = await store.connection(stale.id);
      const now = found === null ? null : saving.newest(found);
      if (now === null || now.status !== 'active') return ok(null);
      if (now.version !== stale.version) return ok(now);
      if (await store.lease(now, clock.iso(), iso(clock.now() + leaseMs))) return renewLeased(now);
      await pause(clock, lookAgainMs);
    }
    return err(unavailable(stale, 'another replica has been renewing it for too long'));
  }

  async function renewLeased(one: Connection): Promise<Result<Connection | null, Refusal>> {
    const secret = await store.openConnection(one);
    if (secret === null || secret.refreshToken === null) return ok(await refuse(one, null));
    const { held, accessToken, refreshToken } = secret;
    const tokens = { accessToken, refreshToken, scopes: one.grantedScopes };
    const granted = await deps.authority.renew(one.target, held, tokens);
    const { projectId, id } = one.target;
    renewals.of(projectId, id, granted.ok ? 'renewed' : granted.error.kind).add();
    if (granted.ok) return ok(await saving.save(one, renewedBy(one, secret, granted.value, clock)));
    if (granted.error.kind === 'consent') return ok(await refuse(one, granted.error));
    await store.unlease(one);
    return err(refusalOf(one, granted.error));
  }

  async function refuse(one: Connection, problem: Problem | null): Promise<null> {
    const { grantedScopes, userInfo } = one;
    const secret: ConnectionSecret = { accessToken: '', refreshToken: null, held: {} };
    const status = 'revoked' as const;
    const change = { secret, grantedScopes, userInfo, status, expiresAtMs: null, renewAtMs: null };
    const sealed = store.sealConnection(one, secret);
    const isNew = await deps.changed(one, (queries) =>
      store.renewed(queries, one, change, sealed, clock.iso()),
    );
    if (isNew && problem !== null) await deps.onRefused(one, problem);
    return null;
  }

  return {
    renew: (one) => once(one.id, () => renew(one)),
    refuse,
    newest: saving.newest,
    close: saving.close,
  };
}

/** Keeps what a renewal gave. The old tokens may be worth nothing by then, so it is tried until it is kept. */
function createSaving({ store, clock, log, changed }: RenewalDeps) {
  /** Newer than what is kept, by id. */
  const unsaved = new Map<string, Connection>();
  const stops = new Map<string, () => void>();

  async function attempt(one: Connection, next: Connection, change: TokenChange): Promise<boolean> {
    const save = (queries: Queries) => store.renewed(queries, one, change, next.sealed, clock.iso());
    const isSaved = await changed(one, save);
    unsaved.delete(one.id);
    return isSaved;
  }

  function tryAgain(one: Connection, next: Connection, change: TokenChange): void {
    unsaved.set(one.id, next);
    let isTrying = false;
    const stop = clock.every(saveAgainMs, () => {
      if (isTrying) return;
      isTrying = true;
      attempt(one, next, change)
        .then(() => {
          stop();
          stops.delete(one.id);
        })
        .catch(() => undefined)
        .finally(() => {
          isTrying = false;
        });
    });
    stops.set(one.id, stop);
  }

  return {
    newest(one: Connection): Connection {
      const next = unsaved.get(one.id);
      return next !== undefined && next.version > one.version ? next : one;
    },

    async save(one: Connection, change: TokenChange): Promise<Connection | null> {
      const { secret, ...fields } = change;
      const sealed = store.sealConnection(one, secret);
      const next = { ...one, ...fields, sealed, version: one.version + 1, changedAtMs: clock.now() };
      try {
        return (await attempt(one, next, change)) ? next : await store.connection(one.id);
      } catch (error) {
        log.warn(
          { err: error, connection: one.id },
          'a renewed token could not be kept yet; it is tried again',
        );
        tryAgain(one, next, change);
        return next;
      }
    },

    close: () => {
      for (const stop of stops.values()) stop();
    },
  };
}

function renewedBy(one: Connection, before: ConnectionSecret, granted: Granted, clock: Clock): TokenChange {
  const refreshToken = granted.refreshToken ?? before.refreshToken;
  return {
    secret: { accessToken: granted.accessToken, refreshToken, held: granted.held ?? before.held },
    grantedScopes: granted.scopes ?? one.grantedScopes,
    userInfo: granted.userInfo ?? one.userInfo,
    status: 'active',
    ...lifeOf({ expiresAtMs: granted.expiresAtMs, refreshToken }, clock.now()),
  };
}

/** Before a token is over, as it is on its way for a while. */
export const earlyMs = 30_000;
const maxAheadMs = 5 * 60_000;

/** When a token ends, and from when on it is renewed while it still serves: in the last tenth of its life. */
export function lifeOf(
  {
    expiresAtMs,
    refreshToken,
  }: { readonly expiresAtMs: number | null; readonly refreshToken: string | null },
  nowMs: number,
): Pick<Connection, 'expiresAtMs' | 'renewAtMs'> {
  if (expiresAtMs === null || refreshToken === null) return { expiresAtMs, renewAtMs: null };
  const aheadMs = Math.min(maxAheadMs, (expiresAtMs - nowMs) / 10);
  return { expiresAtMs, renewAtMs: Math.round(expiresAtMs - Math.max(aheadMs, earlyMs)) };
}

/** An outage over there, or a client that is not set up right, takes nothing from the user. */
function refusalOf(one: Connection, { kind, words, advice }: Problem): Refusal {
  if (kind !== 'client') return unavailable(one, words);
  const message = `the authorization for ${one.target.id} cannot be renewed: ${words}${advice === '' ? '' : `. ${advice}`}`;
  return refusal('credentials.not_configured', message);
}

function unavailable({ target }: Connection, why: string): Refusal {
  const message = `the authorization for ${target.id} cannot be renewed now: ${why}`;
  return refusal('credentials.provider_unavailable', message);
}

const iso = (ms: number) => new Date(ms).toISOString();
