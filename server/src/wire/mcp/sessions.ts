import type { ServerResponse } from 'node:http';
import type { Caller } from '#domain';
import { type Clock, randomHex } from '#foundation';
import type { RpcId } from './rpc.ts';

/** A legacy client between `initialize` and `DELETE`. */
export interface Session {
  readonly id: string;
  readonly principalId: string;
  readonly userId: string | null;
  readonly gatewayId: string;
  readonly protocolVersion: string;
  lastSeenMs: number;
  /** The client's GET stream, where it opened one. */
  stream: ServerResponse | null;
  /** Calls under way, by the client's request id, so that the client can cancel them. */
  readonly pending: Map<RpcId, AbortController>;
}

export interface SessionLimits {
  readonly idleMs: number;
  readonly total: number;
  readonly perPrincipal: number;
}

const defaultLimits: SessionLimits = { idleMs: 30 * 60_000, total: 20_000, perPrincipal: 5_000 };

/**
 * Sessions of legacy clients. Most clients never say goodbye, so a session ends by itself when idle, and at the cap the one
 * idle longest makes room. A session id is worth nothing to anyone but the caller who opened it.
 */
export function createSessions(clock: Clock, limits: SessionLimits = defaultLimits) {
  // In order of use, the longest idle first.
  const sessions = new Map<string, Session>();
  const perPrincipal = new Map<string, number>();
  const stopSweeping = clock.every(Math.max(1000, limits.idleMs / 10), sweep);

  function end(session: Session): void {
    if (!sessions.delete(session.id)) return;
    const left = (perPrincipal.get(session.principalId) ?? 1) - 1;
    if (left === 0) perPrincipal.delete(session.principalId);
    else perPrincipal.set(session.principalId, left);
    session.stream?.end();
    for (const controller of session.pending.values()) controller.abort();
  }

  function sweep(): void {
    const oldest = clock.now() - limits.idleMs;
    for (const session of sessions.values()) {
      if (session.lastSeenMs > oldest) break;
      if (isIdle(session)) end(session);
    }
  }

  function makeRoom(mine: (session: Session) => boolean): boolean {
    for (const session of sessions.values()) {
      if (!mine(session) || !isIdle(session)) continue;
      end(session);
      return true;
    }
    return false;
  }

  return {
    /** `null` when every session of the caller, or of the server, is busy and the cap is reached. */
    open(caller: Caller, gatewayId: string, protocolVersion: string): Session | null {
      const principalId = caller.principal.id;
      const own = perPrincipal.get(principalId) ?? 0;
      if (own >= limits.perPrincipal && !makeRoom((session) => session.principalId === principalId))
        return null;
      if (sessions.size >= limits.total && !makeRoom(() => true)) return null;
      const session: Session = {
        id: randomHex(24),
        principalId,
        userId: caller.userId,
        gatewayId,
        protocolVersion,
        lastSeenMs: clock.now(),
        stream: null,
        pending: new Map(),
      };
      sessions.set(session.id, session);
      perPrincipal.set(principalId, (perPrincipal.get(principalId) ?? 0) + 1);
      return session;
    },

    /** The caller's own session on this gateway; `null` for anyone else's. */
    find(id: string, caller: Caller, gatewayId: string): Session | null {
      const session = sessions.get(id);
      const isOwn =
        session !== undefined &&
        session.principalId === caller.principal.id &&
        session.userId === caller.userId &&
        session.gatewayId === gatewayId;
      if (!isOwn) return null;
      session.lastSeenMs = clock.now();
      sessions.delete(id);
      sessions.set(id, session);
      return session;
    },

    end,
    size: () => sessions.size,
    close() {
      stopSweeping();
      for (const session of [...sessions.values()]) end(session);
    },
  };
}

export type Sessions = ReturnType<typeof createSessions>;

function isIdle(session: Session): boolean {
  return session.stream === null && session.pending.size === 0;
}
