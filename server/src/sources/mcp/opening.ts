import { err, ok, type Result } from '#foundation';
import { failureOf } from '../failure.ts';
import { discover, type Found, initialize } from './era.ts';
import { modernVersion } from './protocol.ts';
import type { HandshakeFailure, Session } from './sessions.ts';
import type { Transport, Ways } from './transport.ts';

/** Opens sessions with one server, whichever way it is to be reached. */
export interface Opening {
  /** A line of the first way, on which nothing was said yet. */
  first(owner: string): Promise<Result<Found, HandshakeFailure>>;
  open(owner: string): Promise<Result<Session, HandshakeFailure>>;
  end(session: Session): Promise<void>;
  close(): void;
}

/** A process that is to be started may have to be fetched before; one that runs answers at once. */
const discoverOnChannelMs = 10_000;

export function createOpening({ first, older: makeOlder }: Ways, timeoutMs: number): Opening {
  let older: Transport | null = null;
  let prefersOlder = false;

  async function lineOf(transport: Transport, owner: string): Promise<Result<Found, HandshakeFailure>> {
    const line = await transport.open(transport.shared ? '' : owner);
    if (!line.ok) return err(failureOf(line.error, 'connected'));
    return ok({ line: line.value, isChannel: transport.channels, authorizes: transport.authorizes });
  }

  async function openOn(transport: Transport, owner: string): Promise<Result<Session, HandshakeFailure>> {
    const found = await lineOf(transport, owner);
    if (!found.ok) return found;
    const session = await greet(found.value, transport);
    if (!session.ok && transport.channels) void found.value.line.end(null);
    return session;
  }

  async function greet(found: Found, transport: Transport): Promise<Result<Session, HandshakeFailure>> {
    if (transport.channels && transport.mayBeModern) {
      const offer = await discover(found, Math.min(timeoutMs, discoverOnChannelMs));
      if (!offer.ok) return offer;
      if (offer.value !== null) {
        const head = { id: null, version: modernVersion };
        return ok({ ...head, offer: offer.value, line: found.line, isChannel: true, keepsNothing: false });
      }
    }
    return initialize(found, timeoutMs);
  }

  /** Where one way fails the other one is tried, and preferred from then on if that works. */
  async function open(owner: string): Promise<Result<Session, HandshakeFailure>> {
    const olderFirst = prefersOlder && older !== null ? await openOn(older, owner) : null;
    if (olderFirst?.ok === true) return olderFirst;
    const session = await openOn(first, owner);
    prefersOlder = false;
    if (session.ok || session.error.noRpc !== true || makeOlder === null) return session;
    if (olderFirst !== null) return olderFirst;
    older ??= makeOlder();
    const olderSession = await openOn(older, owner);
    prefersOlder = olderSession.ok;
    const isRefused = !olderSession.ok && olderSession.error.code === 'source.secret_refused';
    return olderSession.ok || isRefused ? olderSession : session;
  }

  return {
    first: (owner) => lineOf(first, owner),
    open,
    end: (session) => session.line.end(session.version === modernVersion ? null : session),
    close() {
      first.close();
      older?.close();
    },
  };
}
