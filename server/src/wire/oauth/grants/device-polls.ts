import { hash } from 'node:crypto';
import type { Clock } from '#foundation';

/** RFC 8628 §3.2: what clients wait where they are told nothing, and what each answer to a hasty one adds. */
const stepMs = 5_000;
/** Clocks and networks are not exact. */
const toleranceMs = 1_000;
const maxCodes = 10_000;

/** Whether a device that still waits asked again too soon. Codes that were not asked about for longest make room. */
export function createDevicePolls(clock: Clock): { isTooSoon(deviceCode: string): boolean } {
  const polls = new Map<string, { readonly atMs: number; readonly intervalMs: number }>();

  return {
    isTooSoon(deviceCode) {
      const name = hash('sha256', deviceCode, 'base64');
      const before = polls.get(name);
      const atMs = clock.now();
      const isTooSoon = before !== undefined && atMs - before.atMs < before.intervalMs - toleranceMs;
      const intervalMs = (before?.intervalMs ?? stepMs) + (isTooSoon ? stepMs : 0);
      polls.delete(name);
      polls.set(name, { atMs, intervalMs });
      if (polls.size > maxCodes) polls.delete(polls.keys().next().value as string);
      return isTooSoon;
    },
  };
}
