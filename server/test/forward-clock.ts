import { type Clock, systemClock } from '#foundation';

/** The machine's own clock, which can be set forward: whatever timers would have run meanwhile run then, once. */
export interface ForwardClock extends Clock {
  forward(ms: number): void;
}

export function forwardClock(): ForwardClock {
  let ahead = 0;
  const timers = new Set<{ readonly everyMs: number; readonly run: () => void }>();
  const now = () => systemClock.now() + ahead;
  return {
    now,
    iso: () => new Date(now()).toISOString(),
    monotonic: () => systemClock.monotonic() + ahead,
    every(everyMs, run) {
      const timer = { everyMs, run };
      timers.add(timer);
      const stop = systemClock.every(everyMs, run);
      return () => {
        timers.delete(timer);
        stop();
      };
    },
    forward(ms) {
      ahead += ms;
      for (const { everyMs, run } of [...timers]) if (everyMs <= ms) run();
    },
  };
}
