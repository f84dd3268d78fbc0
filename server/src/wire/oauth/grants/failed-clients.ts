import { hash } from 'node:crypto';
import type { Clock } from '#foundation';

const maxFailures = 10;
const windowMs = 60_000;
const maxClients = 10_000;

/** How often somebody failed in the name of a client, lately. */
export interface FailedClients {
  /**
   * One more. `null`: it is told as what it is; else when trying again makes sense. `isFirst`: the first that is refused
   * for their number.
   */
  failed(clientId: string): { readonly retryAfterMs: number; readonly isFirst: boolean } | null;
  /** Whether the next one is refused for their number. */
  isHeld(clientId: string): boolean;
}

/**
 * Only failures count, and only failures are held up: a secret that nobody can guess goes on working while somebody fails in its
 * name. Those who failed longest ago make room.
 */
export function createFailedClients(clock: Clock): FailedClients {
  const failures = new Map<string, { times: number[]; isTold: boolean }>();
  const lately = (name: string) =>
    (failures.get(name)?.times ?? []).filter((at) => at > clock.now() - windowMs);

  return {
    isHeld: (clientId) => lately(nameOf(clientId)).length >= maxFailures,
    failed(clientId) {
      const name = nameOf(clientId);
      const now = clock.now();
      const before = failures.get(name);
      const times = lately(name);
      const isOver = times.length >= maxFailures;
      if (!isOver) times.push(now);
      failures.delete(name);
      failures.set(name, { times, isTold: isOver });
      if (failures.size > maxClients) failures.delete(failures.keys().next().value as string);
      if (!isOver) return null;
      return { retryAfterMs: (times[0] as number) + windowMs - now, isFirst: before?.isTold !== true };
    },
  };
}

/** Whatever was sent as an id takes no more room than this. */
function nameOf(clientId: string): string {
  return hash('sha256', clientId, 'base64');
}
