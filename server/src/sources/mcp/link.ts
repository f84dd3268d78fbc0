import type { CallNotification } from '#domain';
import { type Clock, err, ok, type Result } from '#foundation';
import type { CallFailure, SourceEvents } from '../contract.ts';
import { type Answer, type Ask, askInSession, askModern, type EraKind } from './ask.ts';
import { createBelief } from './belief.ts';
import { conversationKey, type Owner, sharedOwner } from './capabilities.ts';
import { createOpening } from './opening.ts';
import { modernVersion } from './protocol.ts';
import type { Lease, Session } from './sessions.ts';
import type { Line, Ways } from './transports/transport.ts';

/** Where something of an owner is to be had: a session that is held, or the one line of the modern era. */
export type Place =
  | { readonly era: 'modern'; readonly line: Line; readonly lease: Lease | null }
  | { readonly era: 'legacy'; readonly lease: Lease };

/** The connection to one MCP server: finds out its era, keeps its sessions, and mends both when the server restarts. */
export interface Link {
  /** The source has an `authorization` header of its own. */
  readonly authorizes: boolean;
  ask(ask: Ask): Promise<Result<Answer, CallFailure>>;
  /** The era as far as it is known; asks the server where nothing is. */
  era(owner: Owner): Promise<Result<EraKind, CallFailure>>;
  /** Where to keep something for that owner; whoever gets a lease gives it back. */
  place(owner: Owner): Promise<Result<Place, CallFailure>>;
  /** The session under that key, if it is open. */
  find(key: string): Session | null;
  /** The era of a server that keeps nothing from one request to the next; `null`: it does, or is not known not to. */
  stateless(): EraKind | null;
  /** Says something in the conversation's session, if there is one. */
  tell(conversation: string, notification: CallNotification): void;
  /** That session is known to be gone. */
  lost(session: Session): void;
  end(key: string): void;
  /**
   * What a server is and declares may have changed some minutes later, which no failure would tell: it may have been upgraded
   * since.
   */
  reconsider(authorization: string): Promise<void>;
  close(): Promise<void>;
}

export interface LinkOptions {
  readonly ways: Ways;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly events: SourceEvents;
}

export function createLink({ ways, clock, timeoutMs, events }: LinkOptions): Link {
  const { first } = ways;
  const asked = { authorizes: first.authorizes, onListChanged: events.onListChanged };
  const opening = createOpening(ways, { timeoutMs, clock, events });
  const belief = createBelief({ opening, transport: first, clock, timeoutMs });

  /** Where everybody shares a process, everybody shares its session; where each user has one, each user does. */
  function ownerFor(given: Ask['owner'], authorization: string): Owner {
    const owner = typeof given === 'string' ? sharedOwner(given, authorization) : given();
    if (first.shared) return sharedOwner('everybody');
    return first.perUser ? sharedOwner(owner.user) : owner;
  }

  async function ask(request: Ask): Promise<Result<Answer, CallFailure>> {
    for (let attempt = 0; ; attempt++) {
      const known = belief.known();
      const current = known === null ? await belief.current(request.authorization) : ok(known);
      if (!current.ok) return current;
      const outcome =
        current.value.kind === 'modern'
          ? await askModern(request, current.value.line, current.value.offer, asked)
          : await askInSession(
              request,
              current.value.sessions,
              ownerFor(request.owner, request.authorization),
              asked,
            );
      if (!('stale' in outcome)) return outcome;
      belief.forget(current.value);
      // What was found a moment ago is not stale: the server contradicts itself.
      if (known === null || attempt > 0) return err(outcome.stale);
    }
  }

  async function place(owner: Owner): Promise<Result<Place, CallFailure>> {
    const current = await belief.current(owner.bearer.line);
    if (!current.ok) return current;
    if (current.value.kind === 'modern') return ok({ era: 'modern', line: current.value.line, lease: null });
    const lease = await current.value.sessions.acquire(ownerFor(() => owner, owner.bearer.line));
    if (!lease.ok) {
      if (lease.error.notLegacy === true) belief.forget(current.value);
      return lease;
    }
    const { version, line } = lease.value.session;
    if (version === modernVersion) return ok({ era: 'modern', line, lease: lease.value });
    return ok({ era: 'legacy', lease: lease.value });
  }

  function sessions() {
    const known = belief.known();
    return known?.kind === 'sessions' ? known.sessions : null;
  }

  return {
    authorizes: first.authorizes,
    ask,
    place,
    find: (key) => sessions()?.find(key) ?? null,
    stateless() {
      const known = belief.known();
      if (known?.kind === 'modern') return 'modern';
      return known?.sessions.areStateless() === true ? 'legacy' : null;
    },
    async era(owner) {
      const found = await place(owner);
      if (!found.ok) return found;
      found.value.lease?.release();
      return ok(found.value.era);
    },
    tell(conversation, notification) {
      const session = sessions()?.find(conversationKey(conversation)) ?? null;
      if (session !== null && session.version !== modernVersion)
        void session.line.tell(notification, session);
    },
    lost: (session) => sessions()?.lost(session),
    end: (key) => sessions()?.end(key),
    reconsider: belief.reconsider,
    async close() {
      await belief.close();
      opening.close();
    },
  };
}
