import { type Clock, err, ok, type Result } from '#foundation';
import { failureOf } from '../failure.ts';
import type { Owner } from './capabilities.ts';
import { discover, type Found, type Greeting, initialize } from './era.ts';
import { createHearing, type HearingEvents } from './hearing.ts';
import { modernVersion } from './protocol.ts';
import type { HandshakeFailure, Session } from './sessions.ts';
import type { Bearer, Transport, Ways } from './transports/transport.ts';

/** Opens sessions with one server, whichever way it is to be reached. */
export interface Opening {
  /** A line of the first way, on which nothing was said yet. */
  first(owner: string, bearer: Bearer): Promise<Result<Found, HandshakeFailure>>;
  /** `onLost` is called once the session is known to be gone. */
  open(owner: Owner, onLost: (session: Session) => void): Promise<Result<Session, HandshakeFailure>>;
  end(session: Session): Promise<void>;
  close(): void;
}

type Opened = Result<Session, HandshakeFailure>;
type OnLost = (session: Session) => void;

/** A process that is to be started may have to be fetched before; one that runs answers at once. */
const discoverOnChannelMs = 10_000;

export interface OpeningOptions {
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly events: HearingEvents;
}

export function createOpening(ways: Ways, { timeoutMs, clock, events }: OpeningOptions): Opening {
  const { first, older: makeOlder } = ways;
  let older: Transport | null = null;
  let prefersOlder = false;

  async function lineOf(
    transport: Transport,
    owner: string,
    bearer: Bearer,
  ): Promise<Result<Found, HandshakeFailure>> {
    const line = await transport.open(transport.shared ? '' : owner, bearer);
    if (!line.ok) return err(failureOf(line.error, 'connected'));
    return ok({ line: line.value, authorizes: transport.authorizes, bearer });
  }

  async function openOn(transport: Transport, owner: Owner, onLost: OnLost): Promise<Opened> {
    const found = await lineOf(transport, owner.key, owner.bearer);
    if (!found.ok) return found;
    const { line } = found.value;
    const { isChannel } = line;
    const greeting = await greet(found.value, owner, transport);
    if (!greeting.ok) {
      if (isChannel) void line.end(null);
      return greeting;
    }
    const { bearer: _, ...nobodys } = greeting.value;
    const keepsNothing = nobodys.id === null && !isChannel;
    // What many users share speaks for none of them.
    const head = keepsNothing ? nobodys : greeting.value;
    const isShared = keepsNothing || transport.shared;
    const onEnd = () => {
      onLost(session);
      // A server that forgot a session was probably begun anew, and may offer something else.
      if (!isChannel) events.onListChanged();
    };
    const hearing = createHearing({ line, head, owner, isShared, clock, events, onEnd });
    const session: Session = { ...head, line, keepsNothing, owner, hearing };
    // The end of a channel is heard there too.
    if (isChannel) void hearing.start();
    return ok(session);
  }

  async function greet(
    found: Found,
    { capabilities }: Owner,
    { channels, mayBeModern }: Transport,
  ): Promise<Result<Greeting, HandshakeFailure>> {
    if (channels && mayBeModern) {
      const offer = await discover(found, Math.min(timeoutMs, discoverOnChannelMs));
      if (!offer.ok) return offer;
      if (offer.value !== null) return ok({ id: null, version: modernVersion, offer: offer.value });
    }
    return initialize(found, capabilities, timeoutMs);
  }

  /** Where one way fails the other one is tried, and preferred from then on if that works. */
  async function open(owner: Owner, onLost: OnLost): Promise<Opened> {
    const olderFirst = prefersOlder && older !== null ? await openOn(older, owner, onLost) : null;
    if (olderFirst?.ok === true) return olderFirst;
    const session = await openOn(first, owner, onLost);
    prefersOlder = false;
    if (session.ok || session.error.noRpc !== true || makeOlder === null) return session;
    if (olderFirst !== null) return olderFirst;
    older ??= makeOlder();
    const olderSession = await openOn(older, owner, onLost);
    prefersOlder = olderSession.ok;
    const isRefused = !olderSession.ok && olderSession.error.code === 'source.secret_refused';
    return olderSession.ok || isRefused ? olderSession : session;
  }

  return {
    first: (owner, bearer) => lineOf(first, owner, bearer),
    open,
    end: (session) => session.line.end(session.version === modernVersion ? null : session),
    close() {
      first.close();
      older?.close();
    },
  };
}
