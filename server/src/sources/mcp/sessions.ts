import type { SourceFailure } from '#domain';
import { type Clock, isMembers, ok, type Result } from '#foundation';
import type { Owner } from './capabilities.ts';
import type { Hearing } from './hearing.ts';
import type { Offer } from './protocol.ts';
import type { Line, SessionHead } from './transports/transport.ts';

/** A session with a server of the legacy era; over channels, what a server of either era has at the end of one. */
export interface Session extends SessionHead {
  /** `null` where the server keeps none. */
  readonly id: string | null;
  readonly version: string;
  readonly offer: Offer;
  readonly line: Line;
  /** Whether owners may share it: a server that is reached in single requests and keeps nothing between them. */
  readonly keepsNothing: boolean;
  readonly owner: Owner;
  readonly hearing: Hearing;
}

/**
 * `notLegacy`: the server answered, but does not do the handshake of the legacy era; `noRpc`: it refused without a word of
 * JSON-RPC, so that it may be one of the old transport.
 */
export type HandshakeFailure = SourceFailure & { readonly notLegacy?: true; readonly noRpc?: true };

/** A session that is used right now and so is not ended. */
export interface Lease {
  readonly session: Session;
  release(): void;
  /** The server does not know the session any more; the next one who asks opens another. */
  lose(): void;
}

export interface Sessions {
  /** The owner's session, opened if needed; several who ask at once share one opening. */
  acquire(owner: Owner): Promise<Result<Lease, HandshakeFailure>>;
  /** The session under that key, if there is one. */
  find(key: string): Session | null;
  /** Whether the server was asked for one, and neither keeps anything in one nor tells in one of what happens in others. */
  areStateless(): boolean;
  /** That session is known to be gone. */
  lost(session: Session): void;
  /** Ends the session under that key, whoever uses it. */
  end(key: string): void;
  /** Ends them all; done when the server was told. */
  close(): Promise<void>;
}

interface Entry {
  readonly user: string;
  readonly opened: Promise<Result<Session, HandshakeFailure>>;
  session: Session | null;
  users: number;
  usedAt: number;
}

export interface SessionsOptions {
  readonly open: (owner: Owner) => Promise<Result<Session, HandshakeFailure>>;
  /** Tells the server that a session is over. */
  readonly end: (session: Session) => Promise<void>;
  readonly clock: Clock;
  readonly max?: number;
  readonly idleMs?: number;
}

const maxStateless = 100;

/**
 * One session for each owner, as what a server keeps in a session must not pass from one user to another. At most
 * `max`: the one unused for longest goes first, of the same user where there is one, so that no user ends those of all. A server that keeps no sessions is asked to open one only once for each set
 * of capabilities.
 */
export function createSessions({
  open,
  end,
  clock,
  max = 2000,
  idleMs = 600_000,
}: SessionsOptions): Sessions {
  // In the order of their last use.
  const entries = new Map<string, Entry>();
  // By the capabilities that were declared.
  const stateless = new Map<string, Session>();
  const stopSweeping = clock.every(60_000, () => {
    for (const [key, entry] of entries) {
      if (entry.users === 0 && entry.usedAt <= clock.now() - idleMs) void drop(key, entry);
    }
  });

  async function drop(key: string, entry: Entry): Promise<void> {
    entries.delete(key);
    const session = await entry.opened;
    if (!session.ok) return;
    session.value.hearing.stop();
    await end(session.value);
  }

  function makeRoom(isMeant: (entry: Entry) => boolean): void {
    if (entries.size <= max) return;
    for (const [key, entry] of entries) {
      if (entry.users === 0 && isMeant(entry)) void drop(key, entry);
      if (entries.size <= max) return;
    }
  }

  async function acquire(owner: Owner): Promise<Result<Lease, HandshakeFailure>> {
    const common = stateless.size === 0 ? undefined : stateless.get(owner.capabilitiesText);
    if (common !== undefined) return ok(statelessLease(common));
    const { key, user } = owner;
    let entry = entries.get(key);
    if (entry === undefined) entry = { user, opened: open(owner), session: null, users: 0, usedAt: 0 };
    else entries.delete(key);
    entries.set(key, entry);
    entry.users++;
    entry.usedAt = clock.now();
    makeRoom((other) => other.user === user);
    makeRoom(() => true);
    const opened = await entry.opened;
    if (!opened.ok) {
      forget(key, entry);
      return opened;
    }
    const session = opened.value;
    if (session.keepsNothing) {
      if (stateless.size >= maxStateless) clearStateless();
      stateless.set(owner.capabilitiesText, session);
      entries.delete(key);
      return ok(statelessLease(session));
    }
    entry.session = session;
    return ok(leaseOf(key, entry, session));
  }

  function leaseOf(key: string, entry: Entry, session: Session): Lease {
    return {
      session,
      release() {
        entry.users--;
        entry.usedAt = clock.now();
      },
      lose: () => forget(key, entry),
    };
  }

  function forget(key: string, entry: Entry): void {
    entry.session?.hearing.stop();
    if (entries.get(key) === entry) entries.delete(key);
  }

  const statelessLease = (session: Session): Lease => ({ session, release() {}, lose: () => lost(session) });

  function clearStateless(): void {
    for (const session of stateless.values()) session.hearing.stop();
    stateless.clear();
  }

  function lost(session: Session): void {
    for (const [text, known] of stateless) if (known === session) stateless.delete(text);
    for (const [key, entry] of entries) if (entry.session === session) forget(key, entry);
    session.hearing.stop();
  }

  return {
    acquire,
    lost,
    find: (key) => entries.get(key)?.session ?? null,
    areStateless: () => areStateless(entries, stateless),
    end(key) {
      const entry = entries.get(key);
      if (entry !== undefined) void drop(key, entry);
    },
    async close() {
      stopSweeping();
      clearStateless();
      await Promise.all([...entries].map(([key, entry]) => drop(key, entry)));
    },
  };
}

function areStateless(entries: ReadonlyMap<string, Entry>, stateless: ReadonlyMap<string, Session>): boolean {
  for (const { session } of entries.values()) if (session !== null) return false;
  for (const { offer } of stateless.values()) {
    const { resources } = offer.capabilities;
    if (isMembers(resources) && resources.subscribe === true) return false;
  }
  return stateless.size > 0;
}
