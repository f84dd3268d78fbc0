import { createHash } from 'node:crypto';
import type { Clock } from '#foundation';

/** When a source is looked at next. */
export interface Schedule {
  dueAt(): number;
  /** Something hints that a look now would find something else; at most two a second. */
  hurry(whileLooking: boolean): void;
  looked(healthy: boolean): void;
}

const longestPauseMs = 60_000;
const hurryPauseMs = 500;

/** A source that is well is looked at after each `refreshEveryMs`, one that is not ever more rarely. */
export function createSchedule(clock: Clock, refreshEveryMs: number, id: string): Schedule {
  // A little earlier than asked, by a share that depends on the id, so that sources drift apart.
  const early = 0.8 + 0.2 * ((createHash('sha256').update(id).digest()[0] as number) / 255);
  let dueAt = Number.NEGATIVE_INFINITY;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let failures = 0;
  let hurried = false;
  return {
    dueAt: () => dueAt,
    hurry(whileLooking) {
      hurried = whileLooking;
      dueAt = Math.min(dueAt, Math.max(clock.now(), lookedAt + hurryPauseMs));
    },
    looked(healthy) {
      failures = healthy ? 0 : failures + 1;
      const backOff = failures < 2 ? 1 : 2 ** Math.min(failures - 1, 10);
      const pauseMs = Math.min(longestPauseMs, refreshEveryMs * backOff) * early;
      lookedAt = clock.now();
      dueAt = lookedAt + (hurried ? Math.min(hurryPauseMs, pauseMs) : pauseMs);
      hurried = false;
    },
  };
}
