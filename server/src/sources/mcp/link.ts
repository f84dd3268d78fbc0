import { err, ok, type Result } from '#foundation';
import type { CallFailure } from '../contract.ts';
import { type Answer, type Ask, askLegacy, askModern } from './ask.ts';
import { discover, initialize, sessionHeaders } from './era.ts';
import type { Endpoint } from './exchange.ts';
import type { Offer } from './protocol.ts';
import { createSessions, type Session, type Sessions } from './sessions.ts';

/** The connection to one MCP server: finds out its era, keeps its sessions, and mends both when the server restarts. */
export interface Link {
  ask(ask: Ask): Promise<Result<Answer, CallFailure>>;
  /** A server found to be legacy some minutes ago may have been upgraded since, which no failure would tell. */
  reconsider(): Promise<void>;
  close(): Promise<void>;
}

export interface LinkOptions {
  readonly endpoint: Endpoint;
  readonly timeoutMs: number;
  readonly onToolsChanged: () => void;
}

type Era =
  | { readonly kind: 'modern'; readonly offer: Offer }
  | { readonly kind: 'legacy'; readonly sessions: Sessions; probedAt: number };

const reconsiderAfterMs = 5 * 60_000;

export function createLink({ endpoint, timeoutMs, onToolsChanged }: LinkOptions): Link {
  const { clock } = endpoint;
  let era: Era | null = null;
  let probing: Promise<Result<Era, CallFailure>> | null = null;

  function legacyEra(): Era {
    const sessions = createSessions({
      open: () => initialize(endpoint, timeoutMs),
      end: (session) => endSession(endpoint, session),
      clock,
    });
    return { kind: 'legacy', sessions, probedAt: clock.now() };
  }

  async function probe(): Promise<Result<Era, CallFailure>> {
    const offer = await discover(endpoint, timeoutMs);
    if (!offer.ok) return offer;
    era = offer.value === null ? legacyEra() : { kind: 'modern', offer: offer.value };
    return ok(era);
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
    if (stale.kind === 'legacy') void stale.sessions.close();
  }

  async function ask(request: Ask): Promise<Result<Answer, CallFailure>> {
    const asked = { endpoint, onToolsChanged };
    for (let attempt = 0; ; attempt++) {
      const known = era;
      const current = known === null ? await probeOnce() : ok(known);
      if (!current.ok) return current;
      const outcome =
        current.value.kind === 'modern'
          ? await askModern(request, current.value.offer, asked)
          : await askLegacy(request, current.value.sessions, asked);
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
      if (known?.kind !== 'legacy' || clock.now() - known.probedAt < reconsiderAfterMs) return;
      known.probedAt = clock.now();
      const offer = await discover(endpoint, timeoutMs);
      if (!offer.ok || offer.value === null || era !== known) return;
      forget(known);
      era = { kind: 'modern', offer: offer.value };
    },
    async close() {
      const last = era;
      era = null;
      if (last?.kind === 'legacy') await last.sessions.close();
    },
  };
}

async function endSession(endpoint: Endpoint, session: Session): Promise<void> {
  await endpoint.upstream.request({
    method: 'DELETE',
    path: endpoint.path,
    headers: endpoint.headers + sessionHeaders(session),
    timeoutMs: 2000,
    maxBytes: 64 * 1024,
  });
}
