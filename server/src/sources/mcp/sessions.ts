import type { SourceFailure } from '#domain';
import { type Clock, ok, type Result } from '#foundation';
import type { Offer } from './protocol.ts';
import type { Line, SessionHead } from './transport.ts';

/** A session with a server of the legacy era; over channels, what a server of either era has at the end of one. */
export interface Session extends SessionHead {
  /** `null` where the server keeps none. */
  readonly id: string | null;
  readonly version: string;
  readonly offer: Offer;
  readonly line: Line;
  readonly isChannel: boolean;
  /** Whether owners may share it: a server that is reached in single requests and keeps nothing between them. */
  readonly keepsNothing: boolean;
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
  acquire(owner: string): Promise<Result<Lease, HandshakeFailure>>;
  /** Ends them all; done when the server was told. */
  close(): Promise<void>;
}

interface Entry {
  readonly opened: Promise<Result<Session, HandshakeFailure>>;
  users: number;
  usedAt: number;
}

export interface SessionsOptions {
  readonly open: (owner: string) => Promise<Result<Session, HandshakeFailure>>;
  /** Tells the server that a session is over. */
  readonly end: (session: Session) => Promise<void>;
  readonly clock: Clock;
  readonly max?: number;
  readonly idleMs?: number;
}

/**
 * One session for each owner, as what a server keeps in a session must not pass from one user to another. At most
 * `max`: the one unused for longest goes first. A server that keeps no sessions is asked to open one only once.
 */
export function createSessions({ open, end, clock, max = 500, idleMs = 600_000 }: SessionsOptions): Sessions {
  // In the order of their last use.
  const entries = new Map<string, Entry>();
  let stateless: Session | null = null;
  const stopSweeping = clock.every(60_000, sweep);

  function sweep(): void {
    for (const [owner, entry] of entries) {
      if (entry.users === 0 && entry.usedAt <= clock.now() - idleMs) void drop(owner, entry);
    }
  }

  async function drop(owner: string, entry: Entry): Promise<void> {
    entries.delete(owner);
    const session = await entry.opened;
    if (session.ok) await end(session.value);
  }

  function makeRoom(): void {
    for (const [owner, entry] of entries) {
      if (entries.size <= max) return;
      if (entry.users === 0) void drop(owner, entry);
    }
  }

  async function acquire(owner: string): Promise<Result<Lease, HandshakeFailure>> {
    if (stateless !== null) return ok(statelessLease(stateless));
    let entry = entries.get(owner);
    if (entry === undefined) entry = { opened: open(owner), users: 0, usedAt: 0 };
    else entries.delete(owner);
    entries.set(owner, entry);
    entry.users++;
    entry.usedAt = clock.now();
    makeRoom();
    const opened = await entry.opened;
    if (!opened.ok) {
      forget(owner, entry);
      return opened;
    }
    const session = opened.value;
    if (session.keepsNothing) {
      stateless = session;
      entries.delete(owner);
      return ok(statelessLease(session));
    }
    return ok({
      session,
      release() {
        entry.users--;
      },
      lose: () => forget(owner, entry),
    });
  }

  function forget(owner: string, entry: Entry): void {
    if (entries.get(owner) === entry) entries.delete(owner);
  }

  function statelessLease(session: Session): Lease {
    return {
      session,
      release() {},
      lose() {
        if (stateless === session) stateless = null;
      },
    };
  }

  return {
    acquire,
    async close() {
      stopSweeping();
      await Promise.all([...entries].map(([owner, entry]) => drop(owner, entry)));
    },
  };
}
