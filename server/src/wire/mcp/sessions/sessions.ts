import { type Caller, type LogLevel, type Refusal, refusal } from '#domain';
import {
  type Clock,
  createSingleFlight,
  err,
  type MaybePromise,
  messageOf,
  ok,
  type Result,
  randomHex,
  type Sealer,
} from '#foundation';
import type { Sources } from '#sources';
import type { Db } from '#storage';
import type { Log } from '#telemetry';
import { createAsking } from '../asking.ts';
import { amongProcesses, type TellProcesses } from './among-processes.ts';
import { Session } from './session.ts';
import { type IssuedSession, openSession, sealSession } from './session-id.ts';
import { createSessionShelf, type SessionLimits, type SessionShelf } from './session-shelf.ts';
import { createSessionStore, type SessionStore } from './session-store.ts';

export interface SessionDeps {
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly db: Db;
  readonly sources: Pick<Sources, 'endConversation' | 'onAnnouncement'>;
  readonly log: Log;
  readonly tell: TellProcesses;
}

/** What a client says of itself when it opens a session. */
export type NewSession = Pick<IssuedSession, 'version' | 'capabilities' | 'clientName'>;

const defaultLimits: SessionLimits = { idleMs: 30 * 60_000, total: 20_000, perPrincipal: 5_000 };
const dayMs = 24 * 60 * 60_000;
/** For so long after it was issued an id is good. */
const lifeMs = 30 * dayMs;
const lookEveryMs = 10_000;
/** Clocks of replicas differ, and a write takes its time to be seen. */
const lookBackMs = lookEveryMs + 60_000;
const pruneEveryMs = 60 * 60_000;

const unknown = err(
  refusal('session.unknown', 'this session has ended; initialize again', { field: 'Mcp-Session-Id' }),
);

/**
 * Sessions of clients with a handshake. The client carries its session in its id, sealed, so that any replica knows it again;
 * in memory is only what is in use. Most clients never say goodbye: an entry goes by itself and comes back with the next
 * request. The table knows what a client cannot carry.
 */
export function createSessions(deps: SessionDeps, limits: SessionLimits = defaultLimits) {
  const { clock, sealer, sources } = deps;
  const store = createSessionStore(deps.db);
  const asking = createAsking(clock);
  const shelf = createSessionShelf(clock, limits, ({ id }) => sources.endConversation(id));
  const once = createSingleFlight<Result<Session, Refusal>>();
  const reopening = createReopening(store, shelf);
  const inBackground = (work: Promise<void>) =>
    work.catch((error) => {
      deps.log.warn({ error: messageOf(error) }, 'the table of sessions was not looked after');
    });
  const stopping = [
    clock.every(lookEveryMs, () => void inBackground(look())),
    clock.every(pruneEveryMs, () => void inBackground(store.prune(clock.now() - lifeMs - dayMs))),
    sources.onAnnouncement((announcement) =>
      shelf.byId(announcement.conversation)?.listener?.hear(announcement),
    ),
  ];

  const reopenOnce = (session: Session) => once(session.sealedId, () => reopening.of(session));

  function ended(id: string): void {
    reopening.overtaken(id);
    const session = shelf.byId(id);
    if (session !== undefined) shelf.drop(session, 'the session was ended');
  }

  /** Other replicas write too: a session that was ended there ends here. */
  async function look(): Promise<void> {
    if (shelf.size() === 0) return;
    for (const { id, changes } of await store.changedSince(clock.now() - lookBackMs)) {
      const session = shelf.byId(id);
      if (!session?.isBehind(changes)) continue;
      const stored = await store.read(id);
      if (stored?.ended) ended(id);
      else if (stored !== null && !session.isOver) session.take(stored);
    }
  }

  const isTooOld = ({ issuedAtMs }: { issuedAtMs: number }) => clock.now() - issuedAtMs > lifeMs;

  return {
    open(caller: Caller, gatewayId: string, said: NewSession): Result<Session, Refusal> {
      const issued = { id: randomHex(16), issuedAtMs: clock.now(), ...said };
      const sealedId = sealSession(sealer, issued, caller, gatewayId);
      return shelf.put(new Session(sealedId, issued, caller, gatewayId, clock.now()));
    },

    /** The caller's own session on this gateway; `session.unknown` for anyone else's, and for what is over. */
    find(sealedId: string, caller: Caller, gatewayId: string): MaybePromise<Result<Session, Refusal>> {
      const checked = (session: Session): Result<Session, Refusal> => {
        if (!session.isOf(caller, gatewayId) || session.isOver || isTooOld(session)) return unknown;
        shelf.touch(session);
        return ok(session);
      };
      const session = shelf.get(sealedId);
      if (session !== undefined) return checked(session);
      const issued = openSession(sealer, sealedId, caller, gatewayId);
      if (issued === null || isTooOld(issued)) return unknown;
      const reopening = reopenOnce(new Session(sealedId, issued, caller, gatewayId, clock.now()));
      return reopening.then((reopened) => (reopened.ok ? checked(reopened.value) : reopened));
    },

    /** The client said goodbye: from now on nobody knows the id. */
    async end(session: Session): Promise<void> {
      await store.end(session, clock.now());
      ended(session.id);
      await deps.tell({ kind: 'ended', id: session.id });
    },

    async setLogLevel(session: Session, level: LogLevel): Promise<void> {
      session.wrote(await store.setLogLevel(session, level, clock.now()));
      session.logLevel = level;
      await deps.tell({ kind: 'log_level', id: session.id, level });
    },
    async keepSubscription(session: Session, uri: string): Promise<void> {
      session.wrote(await store.subscribe(session, uri, clock.now()));
    },
    async forgetSubscription(session: Session, uri: string): Promise<void> {
      session.wrote(await store.unsubscribe(session, uri, clock.now()));
    },

    ...amongProcesses({ shelf, ended, overtaken: reopening.overtaken }, deps.tell),
    ask: asking.ask,
    /** The first thing when the server stops: calls under way may take their time, but people think for longer. */
    stopAsking: asking.close,
    touch: shelf.touch,
    size: shelf.size,
    close(): void {
      for (const stop of stopping) stop();
      asking.close();
      shelf.close();
    },
  };
}

export type Sessions = ReturnType<typeof createSessions>;

/** First sight of ids that are not in use here. */
function createReopening(store: SessionStore, shelf: SessionShelf) {
  const underWay = new Map<string, Session>();
  return {
    async of(session: Session): Promise<Result<Session, Refusal>> {
      underWay.set(session.id, session);
      try {
        const stored = await store.read(session.id);
        if (stored?.ended || session.isOver) return unknown;
        if (stored !== null) session.take(stored);
        return shelf.put(session);
      } finally {
        underWay.delete(session.id);
      }
    },
    /** What was read of it before is not to be gone by: it is looked up anew. */
    overtaken(id: string): void {
      const session = underWay.get(id);
      if (session !== undefined) session.isOver = true;
    },
  };
}
