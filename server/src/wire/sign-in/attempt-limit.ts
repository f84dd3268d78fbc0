import type { Clock } from '#foundation';

/** Bounds how often somebody (an address, a sign-in, a host) may fail, or do what anybody may do, in a minute. */
export interface AttemptLimit {
  isOver(name: string): boolean;
  failed(name: string): void;
}

const withinMs = 60_000;
const maxNames = 10_000;

export function createAttemptLimit(clock: Clock, most = 20): AttemptLimit {
  const failures = new Map<string, { count: number; since: number }>();

  function of(name: string) {
    const found = failures.get(name);
    return found !== undefined && clock.now() - found.since < withinMs ? found : null;
  }

  return {
    isOver: (name) => (of(name)?.count ?? 0) >= most,
    failed(name) {
      const found = of(name);
      if (found !== null) {
        found.count++;
        return;
      }
      failures.delete(name);
      failures.set(name, { count: 1, since: clock.now() });
      // The one that failed first is forgotten first.
      if (failures.size > maxNames) failures.delete(failures.keys().next().value as string);
    },
  };
}
