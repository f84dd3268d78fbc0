import { type Clock, createSingleFlight, ok, type Result } from '#foundation';
import type { CallFailure } from '../contract.ts';
import { catalogueKey } from './capabilities.ts';
import { discover } from './era.ts';
import type { Opening } from './opening.ts';
import type { Offer } from './protocol.ts';
import { createSessions, type Sessions } from './sessions.ts';
import type { Line, Transport } from './transports/transport.ts';

/** What is believed about a server. */
export type Era =
  | { readonly kind: 'modern'; readonly line: Line; readonly offer: Offer; probedAt: number }
  /** The legacy era; and channels, where each finds out for itself what is at its end. */
  | { readonly kind: 'sessions'; readonly sessions: Sessions; probedAt: number };

export interface Belief {
  /** `null` until the server was asked, and after it acted otherwise. */
  known(): Era | null;
  /** Asks the server where nothing is known; one probe for all who want to know at once and have the same authorization. */
  current(authorization: string): Promise<Result<Era, CallFailure>>;
  forget(stale: Era): void;
  /**
   * What a server is and declares may have changed some minutes later, which no failure would tell: it may have been upgraded
   * since.
   */
  reconsider(authorization: string): Promise<void>;
  close(): Promise<void>;
}

export interface BeliefOptions {
  readonly opening: Opening;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

const reconsiderAfterMs = 5 * 60_000;

export function createBelief({ opening, transport, clock, timeoutMs }: BeliefOptions): Belief {
  let era: Era | null = null;
  const once = createSingleFlight<Result<Era, CallFailure>>();

  function sessionsEra(): Era {
    const sessions: Sessions = createSessions({
      open: (owner) => opening.open(owner, (session) => sessions.lost(session)),
      end: opening.end,
      clock,
      // The one process of all is kept; another one would not know what this one does.
      ...(transport.shared ? { idleMs: Number.POSITIVE_INFINITY } : {}),
    });
    return { kind: 'sessions', sessions, probedAt: clock.now() };
  }

  async function probe(authorization: string): Promise<Result<Era, CallFailure>> {
    const found = transport.channels ? ok(null) : await probeLine(authorization);
    if (!found.ok) return found;
    era ??= found.value ?? sessionsEra();
    return ok(era);
  }

  async function probeLine(authorization: string): Promise<Result<Era | null, CallFailure>> {
    const found = await opening.first(catalogueKey, { line: authorization });
    if (!found.ok) return found;
    const offer = await discover(found.value, timeoutMs);
    if (!offer.ok) return offer;
    if (offer.value === null) return ok(null);
    return ok({ kind: 'modern', line: found.value.line, offer: offer.value, probedAt: clock.now() });
  }

  function forget(stale: Era): void {
    if (era !== stale) return;
    era = null;
    if (stale.kind === 'sessions') void stale.sessions.close();
  }

  return {
    known: () => era,
    current(authorization) {
      if (era !== null) return Promise.resolve(ok(era));
      return once(authorization, () => probe(authorization));
    },
    forget,
    async reconsider(authorization) {
      const known = era;
      if (transport.channels || known === null) return;
      if (clock.now() - known.probedAt < reconsiderAfterMs) return;
      known.probedAt = clock.now();
      const modern = await probeLine(authorization);
      if (!modern.ok || modern.value === null || era !== known) return;
      forget(known);
      era = modern.value;
    },
    async close() {
      const last = era;
      era = null;
      if (last?.kind === 'sessions') await last.sessions.close();
    },
  };
}
