import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { messageOf } from '#foundation';
import { type Db, serveDb } from '#storage';
import type { Log } from '#telemetry';
import type { Holder } from './freshness.ts';
import type { Desk, LaneQuestion, ToLane, ToOffice } from './messages.ts';
import { createPassedRequests } from './passed-requests.ts';
import { createReplies } from './replies.ts';

export interface LaneDeps {
  readonly db: Db;
  readonly desk: Desk;
  readonly log: Log;
  /** What the config file says now. */
  readonly declared: () => unknown;
  readonly onLoaded: (lane: Lane) => void;
  /** A source should be looked at. */
  readonly onHurry: (projectId: string, sourceId: string) => void;
  /** What the lane has to tell. */
  readonly onTold: (news: unknown) => void;
  /** A connection that the office shall go on with: from there, or on the way there when the lane ended. */
  readonly onConnection: (socket: Socket, bytes: Buffer) => void;
}

/** The office's side of one lane, from its start to its end. */
export interface Lane extends Holder {
  /** `false`: it is gone, and the connection is still here. */
  give(socket: Socket): boolean;
  /** What it answers; `null` where it does not in time, or is gone. */
  ask(what: LaneQuestion, withinMs: number): Promise<unknown>;
  /** Done when it acts by that. */
  tell(news: unknown): Promise<void>;
  stop(): void;
  /** At once. */
  kill(): void;
  readonly ended: Promise<void>;
}

/** A lane that takes longer to confirm what it was told is ended: nobody may be kept from changing anything. */
const hearWithinMs = 5000;

/** `name` is told in logs; `start` is what the lane gets to know first. */
export function createLane(
  child: ChildProcess,
  { name, start }: { readonly name: string; readonly start: unknown },
  deps: LaneDeps,
): Lane {
  const { log, declared } = deps;
  const ending = Promise.withResolvers<void>();
  const database = serveDb(deps.db, (answer) => send({ kind: 'db', answer }));
  const requests = createPassedRequests(deps.desk, (answering) => send({ kind: 'answering', answering }));
  const answers = createReplies<unknown>();
  const confirmations = createReplies<void>();
  let isOver = false;
  // It stands in `start`.
  let toldDeclared = declared();

  const given = createGiven();

  function send(message: ToLane, socket?: Socket): void {
    if (!child.connected) return;
    const onItsWay = socket === undefined ? null : given.add(socket);
    child.send(message, socket, (error) => {
      onItsWay?.();
      if (error !== null && !isOver)
        log.warn({ lane: name, error: messageOf(error) }, 'a lane was not reached');
    });
  }

  async function confirmed(say: (id: number) => void): Promise<void> {
    if (isOver) return;
    await confirmations.to(say, hearWithinMs, () => {
      log.error({ lane: name }, 'a lane does not answer and is ended');
      lane.kill();
    });
  }

  const lane: Lane = {
    ended: ending.promise,
    give(socket) {
      if (!child.connected) return false;
      send({ kind: 'connection' }, socket);
      return true;
    },
    stop: () => send({ kind: 'stop' }),
    kill: () => void child.kill('SIGKILL'),
    look(seq) {
      const now = declared();
      send({ kind: 'look', seq, declared: now === toldDeclared ? null : now });
      toldDeclared = now;
    },
    stale: (seq) => confirmed((id) => send({ kind: 'stale', id, seq })),
    tell: (news) => confirmed((id) => send({ kind: 'told', id, news })),
    async ask(what, withinMs) {
      if (isOver) return null;
      return await answers.to(
        (id) => send({ kind: 'ask', id, what }),
        withinMs,
        (give) => give(null),
      );
    },
  };

  const take = (message: ToOffice, handle: unknown): void => {
    if (message.kind === 'db') database.asked(message.request);
    else if (message.kind === 'passing') requests.take(message.passing);
    else if (message.kind === 'connection') {
      // One that the client closed on the way comes without a handle.
      if (handle !== undefined) deps.onConnection(handle as Socket, message.bytes);
    } else if (message.kind === 'loaded') deps.onLoaded(lane);
    else if (message.kind === 'heard') confirmations.take(message.id);
    else if (message.kind === 'answered') answers.take(message.id, message.answer);
    else if (message.kind === 'hurry') deps.onHurry(message.projectId, message.sourceId);
    else if (message.kind === 'told') deps.onTold(message.news);
  };
  const over = (): void => {
    if (isOver) return;
    isOver = true;
    database.close();
    requests.end();
    for (const socket of given.end()) deps.onConnection(socket, Buffer.alloc(0));
    confirmations.end();
    answers.end(null);
    ending.resolve();
  };
  child.on('message', (message, handle) => take(message as ToOffice, handle));
  // Not its exit: what it said last is still to be read then.
  child.once('close', over);
  child.on('error', (error) => {
    log.warn({ lane: name, error: messageOf(error) }, 'a lane could not be started, reached or ended');
    if (child.pid === undefined) over();
  });
  send({ kind: 'start', start });
  return lane;
}

/**
 * Connections go to a lane one at a time, each when it has confirmed the one before. Node forgets those that a lane which is gone did
 * not come to take, and leaves them open.
 */
function createGiven() {
  const waiting = new Set<Socket>();
  let last: { close(): void } | null = null;
  return {
    /** Call what it returns when the connection is on its way. */
    add(socket: Socket): () => void {
      const { _handle: handle } = socket as unknown as { _handle: { close(): void } | null };
      waiting.add(socket);
      return () => {
        waiting.delete(socket);
        last = handle;
      };
    },
    /** Closes the one that may be on its way; returns those that are as they came. */
    end(): readonly Socket[] {
      last?.close();
      return [...waiting];
    },
  };
}
