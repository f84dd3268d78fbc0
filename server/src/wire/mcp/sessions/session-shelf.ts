import { type Refusal, refusal } from '#domain';
import { type Clock, err, ok, type Result } from '#foundation';
import type { Session } from './session.ts';

export interface SessionLimits {
  readonly idleMs: number;
  readonly total: number;
  readonly perPrincipal: number;
}

const limited = err(
  refusal('session.limit', 'too many sessions are open and busy; end some, or try again later'),
);

/** The sessions in use: one goes when idle, or to make room; never one that is busy. `onGone` hears of each. */
export function createSessionShelf(clock: Clock, limits: SessionLimits, onGone: (session: Session) => void) {
  // In order of use, the longest idle first.
  const inUse = new Map<string, Session>();
  const byId = new Map<string, Session>();
  const perPrincipal = new Map<string, number>();
  const stopSweeping = clock.every(Math.max(1000, limits.idleMs / 10), sweep);

  function drop(session: Session, why: string): void {
    if (!inUse.delete(session.sealedId)) return;
    byId.delete(session.id);
    const left = (perPrincipal.get(session.principalId) ?? 1) - 1;
    if (left === 0) perPrincipal.delete(session.principalId);
    else perPrincipal.set(session.principalId, left);
    session.stop(why);
    onGone(session);
  }

  function sweep(): void {
    const oldest = clock.now() - limits.idleMs;
    for (const session of inUse.values()) {
      if (session.lastSeenMs > oldest) break;
      if (!session.isBusy) drop(session, 'the session is idle');
    }
  }

  function makeRoom(mine: (session: Session) => boolean): boolean {
    for (const session of inUse.values()) {
      if (session.isBusy || !mine(session)) continue;
      drop(session, 'other sessions need the room');
      return true;
    }
    return false;
  }

  return {
    get: (sealedId: string) => inUse.get(sealedId),
    byId: (id: string) => byId.get(id),
    /** `session.limit` when every session of the principal, or of the server, is busy and the cap is reached. */
    put(session: Session): Result<Session, Refusal> {
      const { principalId } = session;
      const own = perPrincipal.get(principalId) ?? 0;
      if (own >= limits.perPrincipal && !makeRoom((other) => other.principalId === principalId))
        return limited;
      if (inUse.size >= limits.total && !makeRoom(() => true)) return limited;
      inUse.set(session.sealedId, session);
      byId.set(session.id, session);
      perPrincipal.set(principalId, (perPrincipal.get(principalId) ?? 0) + 1);
      return ok(session);
    },
    touch(session: Session): void {
      session.lastSeenMs = clock.now();
      if (inUse.delete(session.sealedId)) inUse.set(session.sealedId, session);
    },
    /** Ids of those that were used since then, or are busy now. */
    usedSince: (sinceMs: number) =>
      [...inUse.values()].flatMap(({ id, isBusy, lastSeenMs }) =>
        isBusy || lastSeenMs >= sinceMs ? [id] : [],
      ),
    drop,
    size: () => inUse.size,
    close(): void {
      stopSweeping();
      for (const session of [...inUse.values()]) drop(session, 'the server stops');
    },
  };
}

export type SessionShelf = ReturnType<typeof createSessionShelf>;
