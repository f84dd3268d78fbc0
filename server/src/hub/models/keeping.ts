import type { Tool } from '#domain';
import { type Clock, messageOf, type Result } from '#foundation';
import type { Log } from '#telemetry';
import { createHashStates, type HashStates } from './hash-states.ts';
import type { FoundRow, KeptStore } from './kept-store.ts';
import { createMakingPlan, type Urgency } from './making-plan.ts';
import { startRounds } from './rounds.ts';
import type { ToolShelf } from './tool-shelf.ts';

/** How a model makes something of tools. */
export interface Making {
  /** What it is kept under: of another, nothing is of use. */
  readonly model: string;
  /** How many at once. */
  readonly batch: number;
  /** Of all replicas together. */
  readonly perDay: number;
  /** Longer than making takes: when this replica has not said anything for so long, another one goes on. */
  readonly heldMs: number;
  /** Of tools that say so much of themselves, in characters. */
  urgencyOf(length: number): Urgency;
  /** Whether what is kept in so many bytes is of use. */
  isWhole(bytes: number): boolean;
  /** For each tool; `null`: nothing can be made of it. A failure says when to try again. */
  make(
    tools: readonly Tool[],
    signal: AbortSignal,
  ): Promise<Result<readonly (Buffer | null)[], { readonly restMs: number }>>;
}

/** What a model made of the tools on the shelf, and what it has still to make. */
export interface Keeping {
  has(hash: string): boolean;
  read(hashes: readonly string[]): Promise<ReadonlyMap<string, Buffer>>;
  counts(): { readonly made: number; readonly missing: number };
  /** A tool with it came. */
  added(hash: string): void;
  /** A tool with it went. */
  removed(hash: string): void;
  /** Another replica said that it made something. */
  heard(): void;
  close(): Promise<void>;
}

export interface KeepingDeps {
  readonly store: KeptStore;
  readonly shelf: ToolShelf;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether this process makes what is missing. */
  readonly isMaker: boolean;
  /** Called with what has come to be there. */
  readonly onMade: (hashes: readonly string[]) => void;
}

const pageSize = 500;
/** At most ten requests a second go to one model in the background. */
const paceMs = 100;
const lookAgainMs = 30_000;
/** What another replica makes is looked for so often at most. */
const heardEveryMs = 5000;
const failedMs = 30_000;
const tidyEveryMs = 6 * 60 * 60_000;
const newDayMs = 10 * 60_000;

export function createKeeping(making: Making, deps: KeepingDeps): Keeping {
  const { store, shelf, clock, log, isMaker } = deps;
  const { model } = making;
  const closing = new AbortController();
  const states = createHashStates(shelf.hashes());
  const looking = createLooking(making, states, deps);
  const maker = createMaker(making, states, looking.again, deps, closing.signal);
  let failing = false;

  async function round(): Promise<number | null> {
    try {
      await looking.up();
      const heardDueMs = maker.holds() ? null : await looking.ifHeard();
      const dueMs = isMaker ? await maker.makeSome() : null;
      failing = false;
      return heardDueMs === null ? dueMs : Math.min(heardDueMs, dueMs ?? heardDueMs);
    } catch (error) {
      if (!failing)
        log.warn({ model, error: messageOf(error) }, 'what a model makes of tools cannot be kept');
      failing = true;
      return failedMs;
    }
  }

  async function tidy(): Promise<void> {
    states.hopeless.clear();
    const all = [...states.made];
    for (let at = 0; at < all.length; at += pageSize) await store.touch(model, all.slice(at, at + pageSize));
    if (isMaker) await store.dropUnused();
  }

  const rounds = startRounds(clock, round);
  const stopTidying = clock.every(tidyEveryMs, () => {
    tidy()
      .catch((error) =>
        log.warn({ model, error: messageOf(error) }, 'what models made of tools cannot be tidied'),
      )
      .finally(rounds.wake);
  });

  return {
    has: (hash) => states.made.has(hash),
    async read(hashes) {
      const found = new Map<string, Buffer>();
      for (let at = 0; at < hashes.length; at += pageSize) {
        const rows = await store.read(model, hashes.slice(at, at + pageSize));
        for (const { hash, content } of rows) if (making.isWhole(content.length)) found.set(hash, content);
      }
      return found;
    },
    counts: () => ({ made: states.made.size, missing: states.missing.size }),
    added(hash) {
      if (states.add(hash)) rounds.wake();
    },
    removed(hash) {
      if (shelf.holders(hash).length === 0) states.remove(hash);
    },
    heard() {
      if (maker.holds() || states.missing.size === 0) return;
      looking.hear();
      rounds.wake();
    },
    async close() {
      stopTidying();
      closing.abort();
      await rounds.stop();
      await maker.letGo().catch(() => undefined);
    },
  };
}

/** Finds what is kept already. */
function createLooking(
  { model, isWhole }: Making,
  states: HashStates,
  { store, clock, onMade }: KeepingDeps,
) {
  let heard = false;
  let sinceMs = clock.now();

  function settle(found: readonly FoundRow[]): void {
    const came = states.settle(found.filter(({ bytes }) => isWhole(bytes)).map(({ hash }) => hash));
    if (came.length > 0) onMade(came);
  }

  /** What came since, where another replica makes it. */
  async function again(): Promise<void> {
    heard = false;
    const before = sinceMs;
    sinceMs = clock.now();
    settle(await store.findSince(model, before));
  }

  return {
    again,
    hear() {
      heard = true;
    },
    /** Those that nobody looked for yet. */
    async up(): Promise<void> {
      for (let page = states.unknownOnes(pageSize); page.length > 0; page = states.unknownOnes(pageSize)) {
        const found = await store.find(model, page);
        states.known(page);
        settle(found);
      }
    },
    /** In how many ms to look; `null`: nothing was heard, or it was looked. */
    async ifHeard(): Promise<number | null> {
      if (!heard) return null;
      const dueMs = sinceMs + heardEveryMs - clock.now();
      if (dueMs > 0) return dueMs;
      await again();
      return null;
    },
  };
}

/** Makes what is missing, while no other replica does. */
function createMaker(
  making: Making,
  states: HashStates,
  lookAgain: () => Promise<void>,
  { store, shelf, onMade }: KeepingDeps,
  signal: AbortSignal,
) {
  const { missing, hopeless } = states;
  let holds = false;
  const plan = createMakingPlan(missing, hopeless, (hash) => making.urgencyOf(shelf.lengthOf(hash)));

  async function hold(): Promise<boolean> {
    const before = holds;
    holds = await store.hold(making.heldMs);
    if (holds && !before) await lookAgain();
    return holds;
  }

  async function letGo(): Promise<void> {
    if (holds) await store.release();
    holds = false;
  }

  async function make(hashes: readonly string[]): Promise<number> {
    const tools = hashes.flatMap((hash) => shelf.holders(hash).slice(0, 1));
    const result = await making.make(tools, signal);
    if (!result.ok) return Math.max(paceMs, result.error.restMs);
    const rows = hashes.flatMap((hash, at) => {
      const content = result.value[at];
      return content == null ? [] : [{ hash, content }];
    });
    if (rows.length > 0) await store.keep(making.model, rows);
    const came = states.settle(rows.map(({ hash }) => hash));
    if (came.length > 0) onMade(came);
    for (const hash of hashes) if (missing.has(hash)) hopeless.add(hash);
    return paceMs;
  }

  return {
    holds: () => holds,
    letGo,
    /** In how many ms there is more to do; `null`: when something comes. */
    async makeSome(): Promise<number | null> {
      if (plan.next(1).length === 0) {
        await letGo();
        return null;
      }
      if (!(await hold())) return lookAgainMs;
      const wanted = plan.next(making.batch);
      if (wanted.length === 0) return 0;
      const most = await store.take(wanted.length, making.perDay);
      return most === 0 ? newDayMs : await make(wanted.slice(0, most));
    },
  };
}
