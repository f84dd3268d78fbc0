import type { Clock } from '#foundation';

/** Bounds how often one address may fail, or do what anybody may do. */
export interface AttemptLimit {
  isOver(address: string): boolean;
  failed(address: string): void;
}

const withinMs = 60_000;
const maxAddresses = 10_000;

export function createAttemptLimit(clock: Clock, most = 20): AttemptLimit {
  const failures = new Map<string, { count: number; since: number }>();

  function of(address: string) {
    const found = failures.get(address);
    return found !== undefined && clock.now() - found.since < withinMs ? found : null;
  }

  return {
    isOver: (address) => (of(address)?.count ?? 0) >= most,
    failed(address) {
      const found = of(address);
      if (found !== null) {
        found.count++;
        return;
      }
      failures.delete(address);
      failures.set(address, { count: 1, since: clock.now() });
      // The one that failed first is forgotten first.
      if (failures.size > maxAddresses) failures.delete(failures.keys().next().value as string);
    },
  };
}
