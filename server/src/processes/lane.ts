import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { messageOf } from '#foundation';
import { type Db, type ServedDb, serveDb } from '#storage';
import type { Log } from '#telemetry';
import type { Holder } from './freshness.ts';
import type { Desk, LaneQuestion, Passing, ToLane, ToOffice } from './messages.ts';

export interface LaneDeps {
  readonly db: Db;
  readonly desk: Desk;
  readonly log: Log;
  /** What the config file says now. */
  readonly declared: () => unknown;
  readonly onHurry: (projectId: string, sourceId: string) => void;
  readonly onLoaded: (lane: Lane) => void;
  /** A connection that the office shall go on with. */
  readonly onConnection: (socket: Socket, bytes: Buffer) => void;
}

/** The office's side of one lane, from its start to its end. */
export interface Lane extends Holder {
  readonly name: string;
  give(socket: Socket): void;
  /** What it answers; `null` where it does not in time, or is gone. */
  ask(what: LaneQuestion, withinMs: number): Promise<unknown>;
  stop(): void;
  /** At once. */
  kill(): void;
  readonly ended: Promise<void>;
}

/** A lane that takes longer to stop serving by what was before is ended: nobody may be kept from changing anything. */
const hearWithinMs = 5000;

type Passed = ReturnType<Desk['serve']>;

export function createLane(
  child: ChildProcess,
  { name, start }: { readonly name: string; readonly start: unknown },
  { db, desk, log, declared, onLoaded, onConnection, onHurry }: LaneDeps,
): Lane {
  const served: ServedDb = serveDb(db, (answer) => send({ kind: 'db', answer }));
  const passed = new Map<number, Passed>();
  const asked = new Map<number, (answer: unknown) => void>();
  const unheard = new Map<number, () => void>();
  const ending = Promise.withResolvers<void>();
  let nextId = 0;
  let isOver = false;
  // It stands in `start`.
  let toldDeclared = declared();

  function send(message: ToLane, socket?: Socket): void {
    if (!child.connected) return;
    child.send(message, socket, (error) => {
      if (error !== null && !isOver)
        log.warn({ lane: name, error: messageOf(error) }, 'a lane was not reached');
    });
  }

  function takePassing(passing: Passing): void {
    const { id } = passing;
    if (passing.kind === 'taken') return passed.get(id)?.taken(passing.bytes);
    if (passing.kind === 'over') {
      passed.get(id)?.over(passing.isFinished);
      passed.delete(id);
      return;
    }
    const { request } = passing;
    const answer: Parameters<Desk['serve']>[0]['answer'] = (answering) =>
      send({ kind: 'answering', answering: answering.map((part) => ({ ...part, id })) });
    // Before it is served, as its answer may be over at once.
    passed.set(id, desk.serve({ request, answer }));
  }

  function take(message: ToOffice, handle: unknown): void {
    switch (message.kind) {
      case 'db':
        return served.asked(message.request);
      case 'loaded':
        return onLoaded(lane);
      case 'heard':
        return unheard.get(message.seq)?.();
      case 'answered':
        return asked.get(message.id)?.(message.answer);
      case 'connection':
        return handle === undefined ? undefined : onConnection(handle as Socket, message.bytes);
      case 'hurry':
        return onHurry(message.projectId, message.sourceId);
      case 'passing':
        return takePassing(message.passing);
    }
  }

  function over(): void {
    if (isOver) return;
    isOver = true;
    served.close();
    for (const one of passed.values()) one.over(false);
    passed.clear();
    for (const confirm of unheard.values()) confirm();
    for (const answer of asked.values()) answer(null);
    ending.resolve();
  }

  child.on('message', (message, handle) => take(message as ToOffice, handle));
  child.once('error', (error) =>
    log.warn({ lane: name, error: messageOf(error) }, 'a lane could not be started'),
  );
  child.once('exit', over);
  child.once('error', () => child.pid === undefined && over());

  const lane: Lane = {
    name,
    ended: ending.promise,
    give: (socket) => send({ kind: 'connection' }, socket),
    stop: () => send({ kind: 'stop' }),
    kill: () => void child.kill('SIGKILL'),
    look(seq) {
      const now = declared();
      send({ kind: 'look', seq, declared: now === toldDeclared ? null : now });
      toldDeclared = now;
    },
    async stale(seq) {
      if (isOver) return;
      const confirmed = Promise.withResolvers<void>();
      unheard.set(seq, confirmed.resolve);
      send({ kind: 'stale', seq });
      const late = setTimeout(() => {
        log.error({ lane: name }, 'a lane does not answer and is ended');
        lane.kill();
      }, hearWithinMs);
      await confirmed.promise;
      clearTimeout(late);
      unheard.delete(seq);
    },
    async ask(what, withinMs) {
      if (isOver || !child.connected) return null;
      const id = nextId++;
      const answered = Promise.withResolvers<unknown>();
      asked.set(id, answered.resolve);
      send({ kind: 'ask', id, what });
      const late = setTimeout(() => answered.resolve(null), withinMs);
      const answer = await answered.promise;
      clearTimeout(late);
      asked.delete(id);
      return answer;
    },
  };
  send({ kind: 'start', start });
  return lane;
}
