/** Where the time comes from. Passed in everywhere, so that tests own the time. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** The same instant as an ISO 8601 string in UTC. */
  iso(): string;
  /** Milliseconds that only ever grow; for durations. */
  monotonic(): number;
  /** Calls `run` every `everyMs` until the returned function is called. Never keeps the process alive. */
  every(everyMs: number, run: () => void): () => void;
}

/** Milliseconds since `startedAt`, a monotonic time of this clock; to the microsecond. */
export function elapsedMs(clock: Clock, startedAt: number): number {
  return Math.round((clock.monotonic() - startedAt) * 1000) / 1000;
}

/** Done after so long; sooner where `signal` aborts. */
export function pause(clock: Clock, forMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      stop();
      signal?.removeEventListener('abort', go);
      resolve();
    };
    const stop = clock.every(forMs, go);
    signal?.addEventListener('abort', go);
  });
}

/** Done when `done` is, or after so long. Rejects as it does, before that. */
export async function atMost(clock: Clock, forMs: number, done: Promise<unknown>): Promise<void> {
  const isOver = new AbortController();
  try {
    await Promise.race([done, pause(clock, forMs, isOver.signal)]);
  } finally {
    isOver.abort();
  }
}

let lastMs = -1;
let lastIso = '';

export const systemClock: Clock = {
  now: () => Date.now(),
  iso() {
    const now = Date.now();
    if (now !== lastMs) {
      lastMs = now;
      lastIso = new Date(now).toISOString();
    }
    return lastIso;
  },
  monotonic: () => performance.now(),
  every(everyMs, run) {
    const timer = setInterval(run, everyMs);
    timer.unref();
    return () => clearInterval(timer);
  },
};

/** A clock that stands still until told to move; timers run when `advance` passes them. */
export function manualClock(startMs = Date.UTC(2026, 0, 1)): Clock & { advance(ms: number): void } {
  let now = startMs;
  const timers = new Set<{ everyMs: number; next: number; run: () => void }>();
  return {
    now: () => now,
    iso: () => new Date(now).toISOString(),
    monotonic: () => now - startMs,
    every(everyMs, run) {
      const timer = { everyMs, next: now + everyMs, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const due = [...timers].filter((timer) => timer.next <= end).sort((a, b) => a.next - b.next)[0];
        if (due === undefined) break;
        now = due.next;
        due.next += due.everyMs;
        due.run();
      }
      now = end;
    },
  };
}
