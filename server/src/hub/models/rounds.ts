import { type Clock, pause } from '#foundation';

/** Work that goes on in the background, one round after the other. */
export interface Rounds {
  /** The next round begins now, or after the one under way. */
  wake(): void;
  /** Done when the round under way is. */
  stop(): Promise<void>;
}

/** A round says in how many ms the next one is due; `null`: when it is woken. It must not throw. */
export function startRounds(clock: Clock, round: () => Promise<number | null>): Rounds {
  let stopped = false;
  let woken = Promise.withResolvers<void>();

  async function go(): Promise<void> {
    while (!stopped) {
      woken = Promise.withResolvers();
      const isOver = new AbortController();
      const ms = await round();
      if (stopped) return;
      if (ms === null) await woken.promise;
      else if (ms > 0) await Promise.race([woken.promise, pause(clock, ms, isOver.signal)]);
      isOver.abort();
    }
  }

  const gone = go();
  return {
    wake: () => woken.resolve(),
    async stop() {
      stopped = true;
      woken.resolve();
      await gone;
    },
  };
}
