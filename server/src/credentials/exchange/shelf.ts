import type { Refusal } from '#domain';
import { type Clock, createSingleFlight, err, ok, type Result } from '#foundation';
import type { Changes } from '#storage';
import { createKeptExchanges, type Exchanged } from './kept.ts';

/** A token as an authorization server gave it. */
export interface Got {
  readonly token: string;
  readonly scopes: readonly string[];
  readonly expiresAtMs: number | null;
  readonly signInId: string | null;
}

/** Of a token of which nobody says how long it lasts. */
const assumedLifeMs = 5 * 60_000;
const earlyMs = 30_000;
/** A server that does not give one is not asked by every call. */
const pauseMs = 2_000;
/** A token that is refused so soon after it was given is refused for another reason than its age. */
const freshMs = 10_000;
const maxFailed = 10_000;

/** What was sent, and not taken; `isInsufficient`: for want of scopes. */
export interface RefusedToken {
  readonly token: string | null;
  readonly isInsufficient: boolean;
}

export type GetToken = () => Promise<Result<Got, Refusal>>;

/** Exchanged tokens by name: of memory while they last, got anew in their last tenth. */
export function createTokenShelf({
  changes,
  clock,
}: {
  readonly changes: Pick<Changes, 'on'>;
  readonly clock: Clock;
}) {
  const kept = createKeptExchanges(clock);
  const once = createSingleFlight<Result<Exchanged, Refusal>>();
  const failed = new Map<string, { readonly untilMs: number; readonly refusal: Refusal }>();
  let ends = 0;
  changes.on('sign_ins', (id) => {
    ends++;
    kept.dropOf(id);
  });

  async function getAnew(key: string, subject: string, get: GetToken): Promise<Result<Exchanged, Refusal>> {
    const before = failed.get(key);
    if (before !== undefined && before.untilMs > clock.now()) return err(before.refusal);
    failed.delete(key);
    const endsBefore = ends;
    const given = await get();
    if (!given.ok) {
      if (failed.size >= maxFailed) failed.clear();
      const isOfUser = given.error.code === 'credentials.consent_required';
      if (!isOfUser) failed.set(key, { untilMs: clock.now() + pauseMs, refusal: given.error });
      return given;
    }
    const { token, scopes, expiresAtMs, signInId } = given.value;
    const atMs = clock.now();
    const signInIds = [...new Set([subject, ...(signInId === null ? [] : [signInId])])];
    const got = { token, scopes, atMs, expiresAtMs: expiresAtMs ?? atMs + assumedLifeMs, signInIds };
    // A sign-in that ended meanwhile may be this one.
    if (endsBefore === ends) kept.put(key, got);
    return ok(got);
  }

  function lasts({ atMs, expiresAtMs }: Exchanged): boolean {
    const lifeMs = expiresAtMs - atMs;
    return clock.now() < expiresAtMs - Math.min(Math.max(lifeMs / 10, earlyMs), lifeMs / 2);
  }

  return {
    get: kept.get,
    /** Not the one that was refused, unless it is too new to be over. */
    async token(
      key: string,
      subject: string,
      refused: RefusedToken,
      get: GetToken,
    ): Promise<Result<Exchanged, Refusal>> {
      const now = kept.get(key);
      const isOld = now !== null && (clock.now() - now.atMs >= freshMs || refused.isInsufficient);
      const isRefused = isOld && now.token === refused.token;
      if (now !== null && !isRefused && lasts(now)) return ok(now);
      if (isRefused) kept.drop(key);
      const next = await once(key, () => getAnew(key, subject, get));
      const isOutage = !next.ok && next.error.code === 'credentials.provider_unavailable';
      return isOutage && now !== null && !isRefused ? ok(now) : next;
    },
  };
}

export type TokenShelf = ReturnType<typeof createTokenShelf>;
