import { fork } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Db } from '#storage';
import type { Log } from '#telemetry';
import type { Freshness } from './freshness.ts';
import { createLane, type Lane } from './lane.ts';
import type { Desk, LaneQuestion } from './messages.ts';

export interface OfficeDeps {
  readonly db: Db;
  readonly freshness: Freshness;
  readonly log: Log;
  /** How many lanes there shall be. */
  readonly lanes: number;
  /** The program that a lane is. */
  readonly program: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What each is told when it starts: how it is called, and its number, from 1 on. */
  readonly start: (name: string, number: number) => unknown;
  /** What the config file says now. */
  readonly declared: () => unknown;
  /** A lane ended by itself; done when another may take its place. */
  readonly onEnded: (number: number) => Promise<void>;
  readonly desk: Desk;
  /** A lane found a source otherwise than it is known. */
  readonly onHurry: (projectId: string, sourceId: string) => void;
  /** A connection that a lane does not serve; these bytes were read already. */
  readonly onConnection: (socket: Socket, bytes: Buffer) => void;
}

export interface Office {
  /** Gives the connection to a lane, in turn; `false`: it is the office's own turn. */
  give(socket: Socket): boolean;
  /** What each lane answers; without those that do not in time. */
  askAll(what: LaneQuestion, withinMs: number): Promise<readonly unknown[]>;
  /** Done when all lanes serve that there shall be. */
  readonly complete: Promise<void>;
  /** No lane gets connections any more, and each ends when it is done; what is left after `graceMs` is cut. */
  stop(graceMs: number): Promise<void>;
}

const shortestPauseMs = 200;
const longestPauseMs = 30_000;
/** One that served for so long did not fail to start. */
const wellAfterMs = 60_000;
/** For what a lane has to do after the last answer: its records, say. */
const closingMs = 10_000;

/** Forks the lanes, and forks them again where they end by themselves. */
export function createOffice(deps: OfficeDeps): Office {
  const { freshness, log } = deps;
  const alive = new Set<Lane>();
  const serving: Lane[] = [];
  const pauses = new Set<NodeJS.Timeout>();
  const complete = Promise.withResolvers<void>();
  let turn = 0;
  let stopping = false;

  function begin(number: number, pauseMs: number): void {
    const name = `lane-${number}`;
    const child = fork(deps.program, [], {
      env: deps.env,
      serialization: 'advanced',
      execArgv: process.execArgv.filter((flag) => !flag.startsWith('--inspect')),
    });
    const startedAt = performance.now();
    const lane = createLane(
      child,
      { name, start: deps.start(name, number) },
      {
        ...deps,
        onLoaded(loaded) {
          if (stopping) return loaded.stop();
          freshness.join(loaded);
          serving.push(loaded);
        if (serving.length === deps.lanes) complete.resolve();
          log.info({ lane: name, pid: child.pid }, 'a lane serves');
        },
      },
    );
    alive.add(lane);
    void lane.ended.then(() => {
      freshness.leave(lane);
      alive.delete(lane);
      const at = serving.indexOf(lane);
      if (at >= 0) serving.splice(at, 1);
      if (stopping) return;
      const { exitCode: code, signalCode: signal } = child;
      log.warn({ lane: name, code, signal }, 'a lane ended and is started again');
      const isWell = performance.now() - startedAt > wellAfterMs;
      const next = isWell ? shortestPauseMs : Math.min(longestPauseMs, pauseMs * 2);
      const left = deps.onEnded(number);
      const pause = setTimeout(() => {
        pauses.delete(pause);
        void left.then(() => stopping || begin(number, next));
      }, pauseMs);
      pauses.add(pause);
    });
  }

  for (let number = 1; number <= deps.lanes; number++) begin(number, shortestPauseMs);

  return {
    give(socket) {
      if (stopping) return false;
      turn = (turn + 1) % (serving.length + 1);
      const lane = serving[turn - 1];
      lane?.give(socket);
      return lane !== undefined;
    },
    async askAll(what, withinMs) {
      const answers = await Promise.all(serving.map((lane) => lane.ask(what, withinMs)));
      return answers.filter((answer) => answer !== null);
    },
    complete: complete.promise,
    async stop(graceMs) {
      stopping = true;
      for (const pause of pauses) clearTimeout(pause);
      for (const lane of alive) lane.stop();
      const cut = setTimeout(() => {
        for (const lane of alive) lane.kill();
      }, graceMs + closingMs);
      await Promise.all([...alive].map(({ ended }) => ended));
      clearTimeout(cut);
    },
  };
}
