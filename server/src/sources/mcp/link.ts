import { type Clock, err, ok, type Result } from '#foundation';
import type { CallFailure } from '../contract.ts';
import { type Answer, type Ask, askInSession, askModern } from './ask.ts';
import { discover } from './era.ts';
import { createOpening } from './opening.ts';
import type { Offer } from './protocol.ts';
import { createSessions, type Sessions } from './sessions.ts';
import type { Line, Ways } from './transport.ts';

/** The connection to one MCP server: finds out its era, keeps its sessions, and mends both when the server restarts. */
export interface Link {
  ask(ask: Ask): Promise<Result<Answer, CallFailure>>;
  /**
   * What a server is and declares may have changed some minutes later, which no failure would tell: it may have been upgraded
   * since.
   */
  reconsider(): Promise<void>;
  close(): Promise<void>;
}

export interface LinkOptions {
  readonly ways: Ways;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly onListChanged: () => void;
}

type Era =
  | { readonly kind: 'modern'; readonly line: Line; readonly offer: Offer; probedAt: number }
  /** The legacy era; and channels, where each finds out for itself what is at its end. */
  | { readonly kind: 'sessions'; readonly sessions: Sessions; probedAt: number };

const reconsiderAfterMs = 5 * 60_000;

export function createLink({ ways, clock, timeoutMs, onListChanged }: LinkOptions): Link {
  const { first } = ways;
  const asked = { authorizes: first.authorizes, onListChanged };
  const opening = createOpening(ways, timeoutMs);
  let era: Era | null = null;
  let probing: Promise<Result<Era, CallFailure>> | null = null;

  function sessionsEra(): Era {
    const end = opening.end;
    return {
      kind: 'sessions',
      sessions: createSessions({ open: opening.open, end, clock }),
      probedAt: clock.now(),
    };
  }

  async function probe(): Promise<Result<Era, CallFailure>> {
    const found = first.channels ? ok(null) : await probeLine();
    if (!found.ok) return found;
    era = found.value ?? sessionsEra();
    return ok(era);
  }

  async function probeLine(): Promise<Result<Era | null, CallFailure>> {
    const found = await opening.first('catalogue');
    if (!found.ok) return found;
    const offer = await discover(found.value, timeoutMs);
    if (!offer.ok) return offer;
    if (offer.value === null) return ok(null);
    return ok({ kind: 'modern', line: found.value.line, offer: offer.value, probedAt: clock.now() });
  }

  /** One probe for all who ask at once. */
  function probeOnce(): Promise<Result<Era, CallFailure>> {
    probing ??= probe().finally(() => {
      probing = null;
    });
    return probing;
  }

  function forget(stale: Era): void {
    if (era !== stale) return;
    era = null;
    if (stale.kind === 'sessions') void stale.sessions.close();
  }

  async function ask(request: Ask): Promise<Result<Answer, CallFailure>> {
    for (let attempt = 0; ; attempt++) {
      const known = era;
      const current = known === null ? await probeOnce() : ok(known);
      if (!current.ok) return current;
      const outcome =
        current.value.kind === 'modern'
          ? await askModern(request, current.value.line, current.value.offer, asked)
          : await askInSession(request, current.value.sessions, asked);
      if (!('stale' in outcome)) return outcome;
      forget(current.value);
      // What was found a moment ago is not stale: the server contradicts itself.
      if (known === null || attempt > 0) return err(outcome.stale);
    }
  }

  return {
    ask,
    async reconsider() {
      const known = era;
      if (first.channels || known === null) return;
      if (clock.now() - known.probedAt < reconsiderAfterMs) return;
      known.probedAt = clock.now();
      const modern = await probeLine();
      if (!modern.ok || modern.value === null || era !== known) return;
      forget(known);
      era = modern.value;
    },
    async close() {
      const last = era;
      era = null;
      if (last?.kind === 'sessions') await last.sessions.close();
      opening.close();
    },
  };
}
