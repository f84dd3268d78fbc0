import { fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Clock } from '#foundation';
import type { Freshness } from './freshness.ts';
import { createLane, type Lane, type LaneDeps } from './lane.ts';
import type { LaneQuestion } from './messages.ts';

export interface OfficeDeps extends Omit<LaneDeps, 'onLoaded'> {
  readonly freshness: Freshness;
  readonly clock: Clock;
  /** How many lanes there shall be. */
  readonly lanes: number;
  /** The program that a lane is. */
  readonly program: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What each is told when it starts: how it is called, and its number, from 1 on. */
  readonly start: (name: string, number: number) => unknown;
  /** A lane ended by itself; done when another may take its place. */
  readonly onEnded: (number: number) => Promise<void>;
  /** A line of a lane's log. */
  readonly onSaid: (line: string) => void;
}

export interface Office {
  /** Gives the connection to a lane, in turn; `false`: it is the office's own turn. */
  give(socket: Socket): boolean;
  /** How many lanes serve now. */
  serving(): number;
  /** What each lane answers; without those that do not in time. */
  askAll(what: LaneQuestion, withinMs: number): Promise<readonly unknown[]>;
  /** Done when all lanes act by that. */
  tellAll(news: unknown): Promise<void>;
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
  const { freshness, log, clock } = deps;
  const alive = new Set<Lane>();
  const serving: Lane[] = [];
  const complete = Promise.withResolvers<void>();
  let turn = 0;
  let stopping = false;

  function begin(number: number, pauseMs: number): void {
    if (stopping) return;
    const name = `lane-${number}`;
    const startedAt = clock.monotonic();
    const child = forkLane(deps);
    const start = deps.start(name, number);
    const lane = createLane(child, { name, start }, { ...deps, onLoaded });
    alive.add(lane);
    void lane.ended.then(() => {
      freshness.leave(lane);
      alive.delete(lane);
      const at = serving.indexOf(lane);
      if (at >= 0) serving.splice(at, 1);
      if (stopping) return;
      const { exitCode: code, signalCode: signal } = child;
      log.warn({ lane: name, code, signal }, 'a lane ended and is started again');
      const isWell = clock.monotonic() - startedAt > wellAfterMs;
      void beginAgain(number, isWell ? shortestPauseMs : pauseMs);
    });

    function onLoaded(loaded: Lane): void {
      if (stopping) loaded.stop();
      if (stopping) return;
      freshness.join(loaded);
      serving.push(loaded);
      if (serving.length === deps.lanes) complete.resolve();
      log.info({ lane: name, pid: child.pid }, 'a lane serves');
    }
  }

  async function beginAgain(number: number, pauseMs: number): Promise<void> {
    await Promise.all([deps.onEnded(number), new Promise((done) => setTimeout(done, pauseMs).unref())]);
    begin(number, Math.min(longestPauseMs, pauseMs * 2));
  }

  for (let number = 1; number <= deps.lanes; number++) begin(number, shortestPauseMs);

  return {
    complete: complete.promise,
    give(socket) {
      if (stopping) return false;
      turn = (turn + 1) % (serving.length + 1);
      return serving[turn - 1]?.give(socket) ?? false;
    },
    serving: () => serving.length,
    async askAll(what, withinMs) {
      const answers = await Promise.all(serving.map((lane) => lane.ask(what, withinMs)));
      return answers.filter((answer) => answer !== null);
    },
    async tellAll(news) {
      await Promise.all(serving.map((lane) => lane.tell(news)));
    },
    async stop(graceMs) {
      stopping = true;
      for (const lane of alive) lane.stop();
      const cut = setTimeout(() => {
        for (const lane of alive) lane.kill();
      }, graceMs + closingMs);
      await Promise.all([...alive].map(({ ended }) => ended));
      clearTimeout(cut);
    },
  };
}

/** With our own environment and flags: it is this very program. */
function forkLane({ program, env, onSaid }: OfficeDeps) {
  const child = fork(program, [], {
    env,
    serialization: 'advanced',
    // A stdout of its own: whether one blocks is the same for all who have it, and changes whenever one of them starts or ends.
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    // A debugger listens to one process.
    execArgv: process.execArgv.filter((flag) => !flag.startsWith('--inspect')),
  });
  if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', onSaid);
  return child;
}
