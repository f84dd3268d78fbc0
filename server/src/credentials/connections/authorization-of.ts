import type { Credential, Refusal } from '#domain';
import { type Clock, type MaybePromise, messageOf, ok, type Result } from '#foundation';
import type { Log } from '#telemetry';
import type { Authority } from '../authority.ts';
import type { Connection, ConnectionSecret } from '../store/kept.ts';
import type { ConnectionStore } from '../store/store.ts';
import { lasts } from './choice.ts';
import { earlyMs, type Renewal } from './renewal.ts';

export interface AuthorizationOfDeps {
  readonly store: ConnectionStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly authority: Authority;
  readonly renewal: Renewal;
}

export type Authorization = NonNullable<Credential['authorization']>;

/** What a call carries by an account: at once where its token lasts. `null`: the user has to consent anew. */
export type AuthorizationOf = (connection: Connection) => MaybePromise<Result<Authorization | null, Refusal>>;

const usedEveryMs = 60_000;
const aheadAgainMs = 30_000;
const maxRemembered = 20_000;

/** The one place where a token is opened: for one call. */
export function createAuthorizationOf(deps: AuthorizationOfDeps): AuthorizationOf {
  const { store, clock, authority, renewal } = deps;
  const used = createUsed(deps);
  const ahead = createAhead(deps);

  function carried(one: Connection, secret: ConnectionSecret | null): Result<Authorization | null, Refusal> {
    if (secret === null || secret.accessToken === '') return nothing;
    used(one);
    const { accessToken: token } = secret;
    const header = authority.headerOf(one.target, token);
    return ok({ token, userInfo: { ...one.userInfo }, ...(header === null ? {} : { header }) });
  }

  /** What this process holds may have been sealed anew meanwhile, with a key that is gone from memory. */
  async function readAnew(one: Connection): Promise<Result<Authorization | null, Refusal>> {
    const now = await store.connection(one.id);
    return now === null || now.status !== 'active' ? nothing : carried(now, await store.openConnection(now));
  }

  function opened(one: Connection): MaybePromise<Result<Authorization | null, Refusal>> {
    const secret = store.openConnection(one);
    const carry = (found: ConnectionSecret | null) => (found === null ? readAnew(one) : carried(one, found));
    return secret instanceof Promise ? secret.then(carry) : carry(secret);
  }

  async function renewed(one: Connection): Promise<Result<Authorization | null, Refusal>> {
    const next = await renewal.renew(one);
    if (next.ok) return next.value === null ? nothing : opened(next.value);
    const lasts = one.expiresAtMs !== null && one.expiresAtMs > clock.now();
    return lasts ? opened(one) : next;
  }

  return (one) => {
    // What was given for one address, or one client, is sent to no other.
    if (one.status !== 'active' || one.boundTo !== authority.boundTo(one.target)) return nothing;
    const nowMs = clock.now();
    if (!lasts(one, nowMs)) return nothing;
    if (one.expiresAtMs !== null && one.renewAtMs !== null) {
      if (one.expiresAtMs - earlyMs <= nowMs) return renewed(one);
      if (one.renewAtMs <= nowMs) ahead(one);
    }
    return opened(one);
  };
}

const nothing = ok(null);

/** Renews a token that still serves; who uses it does not wait. */
function createAhead({ renewal, clock, log }: Pick<AuthorizationOfDeps, 'renewal' | 'clock' | 'log'>) {
  const tried = new Map<string, number>();
  return (one: Connection): void => {
    if ((tried.get(one.id) ?? Number.NEGATIVE_INFINITY) > clock.now() - aheadAgainMs) return;
    if (tried.size >= maxRemembered) tried.clear();
    tried.set(one.id, clock.now());
    renewal.renew(one).catch((error) => {
      const said = { error: messageOf(error), connection: one.id };
      log.warn(said, 'a token could not be renewed ahead of its end');
    });
  };
}

/** Notes when an account was used, at most once a minute. */
function createUsed({ store, clock, log }: Pick<AuthorizationOfDeps, 'store' | 'clock' | 'log'>) {
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
