import type { Socket } from 'node:net';
import { Fault } from '#foundation';
import { createRemoteDb, type Db } from '#storage';
import type { Answering, LaneQuestion, Passing, ToLane, ToOffice } from './messages.ts';

/** What a lane does when the office says so. */
export interface LaneDuties {
  connection(socket: Socket): void;
  answering(answering: readonly Answering[]): void;
  /** Looks at all that changed, and takes in what the config file says now. `false`: not yet. */
  look(declared: unknown): Promise<boolean>;
  /** Acts by it from now on. */
  told(news: unknown): void;
  readonly answers: Readonly<Record<LaneQuestion, () => Promise<unknown>>>;
  stop(): void;
}

/** A lane's side of what it says with the office. */
export interface LaneLink {
  /** What the office told it to start with. */
  readonly start: unknown;
  /** The database that the office holds. */
  readonly db: Db;
  /** It has loaded what it holds, and takes up its duties. */
  loaded(duties: LaneDuties): void;
  isFresh(): boolean;
  /** Done when it is: whatever the office let nobody see before has been taken in. */
  fresh(): Promise<void>;
  handOver(socket: Socket, bytes: Buffer): void;
  pass(passing: Passing): void;
  hurry(projectId: string, sourceId: string): void;
  tell(news: unknown): void;
}

const lookAgainMs = 100;

/** Of the process that this is. It ends when the office does, whatever it is doing. */
export async function openLaneLink(): Promise<LaneLink> {
  if (process.send === undefined) throw new Fault('a lane is started by the office only');
  // Whoever presses Ctrl+C presses it for all; the office says when a lane ends.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  process.on('disconnect', () => process.exit(1));

  const started = Promise.withResolvers<unknown>();
  const database = createRemoteDb((request) => send({ kind: 'db', request }));
  let duties: LaneDuties | null = null;
  let heard = 0;
  let isFresh = false;
  let becomesFresh = Promise.withResolvers<void>();

  function send(message: ToOffice, socket?: Socket): void {
    if (process.connected) process.send?.(message, socket, {}, () => {});
  }

  function stale(id: number, seq: number): void {
    heard = seq;
    if (isFresh) becomesFresh = Promise.withResolvers();
    isFresh = false;
    send({ kind: 'heard', id });
  }

  async function look(seq: number, declared: unknown): Promise<void> {
    heard = Math.max(heard, seq);
    while (heard === seq && process.connected) {
      const isDone = await duties?.look(declared).catch(() => false);
      if (heard !== seq) return;
      if (isDone === true) {
        isFresh = true;
        becomesFresh.resolve();
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
    }
  }

  function answer(id: number, what: LaneQuestion): void {
    const asked = duties?.answers[what]() ?? Promise.resolve(null);
    asked.then(
      (told) => send({ kind: 'answered', id, answer: told }),
      () => send({ kind: 'answered', id, answer: null }),
    );
  }

  process.on('message', (sent, handle) => {
    const message = sent as ToLane;
    switch (message.kind) {
      case 'start':
        return started.resolve(message.start);
      case 'db':
        return database.answered(message.answer);
      case 'stale':
        return stale(message.id, message.seq);
      case 'look':
        return void look(message.seq, message.declared);
      case 'told':
        duties?.told(message.news);
        return send({ kind: 'heard', id: message.id });
      case 'ask':
        return answer(message.id, message.what);
      case 'connection':
        // One that the client closed on the way comes without a handle.
        return handle === undefined ? undefined : duties?.connection(handle as Socket);
      case 'answering':
        return duties?.answering(message.answering);
      case 'stop':
        return duties === null ? process.exit(0) : duties.stop();
    }
  });

  return {
    start: await started.promise,
    db: database.db,
    loaded(taken) {
      duties = taken;
      send({ kind: 'loaded' });
    },
    isFresh: () => isFresh,
    async fresh() {
      while (!isFresh) await becomesFresh.promise;
    },
    handOver(socket, bytes) {
      // Whoever takes what was read asks for more.
      const unread = socket.read() as Buffer | null;
      stopReading(socket);
      send({ kind: 'connection', bytes: unread === null ? bytes : Buffer.concat([bytes, unread]) }, socket);
    },
    hurry: (projectId, sourceId) => send({ kind: 'hurry', projectId, sourceId }),
    tell: (news) => send({ kind: 'told', news }),
    pass: (passing) => send({ kind: 'passing', passing }),
  };
}

/**
 * What the system hands us from now on would be lost: the other process reads on. A paused socket reads ahead all the same, and
 * there is no other way to tell it not to.
 */
function stopReading(socket: Socket): void {
  const { _handle: handle } = socket as unknown as { _handle: { reading: boolean; readStop(): void } | null };
  if (handle === null) return;
  handle.reading = false;
  handle.readStop();
}
