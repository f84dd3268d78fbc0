import type { Clock } from '#foundation';

const maxKept = 200_000;

/** What one access hook said of tools, for a while; those of users who were not asked about for long make room. */
export interface Verdicts {
  /** `null`: to be asked. */
  get(userId: string, tool: string): boolean | null;
  put(userId: string, tool: string, isAllowed: boolean): void;
}

export function createVerdicts(clock: Clock, ttlMs: number): Verdicts {
  // When it is over; negative where the answer was no.
  const users = new Map<string, Map<string, number>>();
  let kept = 0;

  function ofUser(userId: string): Map<string, number> {
    const known = users.get(userId) ?? new Map<string, number>();
    users.delete(userId);
    users.set(userId, known);
    return known;
  }

  return {
    get(userId, tool) {
      const until = users.get(userId)?.get(tool);
      if (until === undefined || Math.abs(until) <= clock.now()) return null;
      return until > 0;
    },
    put(userId, tool, isAllowed) {
      const own = ofUser(userId);
      if (!own.has(tool)) kept++;
      const until = clock.now() + ttlMs;
      own.set(tool, isAllowed ? until : -until);
      for (const [oldest, verdicts] of users) {
        if (kept <= maxKept) break;
        kept -= verdicts.size;
        users.delete(oldest);
      }
    },
  };
}
