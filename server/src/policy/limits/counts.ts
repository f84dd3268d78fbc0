import type { Limit, Rate } from './limit.ts';

/** What was counted for one key of one limit. */
export interface Count {
  limit: Limit;
  /** Units of the limit's rate that are not given back yet, at `atMs`. */
  used: number;
  atMs: number;
  running: number;
}

/** How long a call has to wait: 0 where it may pass, `noPlace` where only the end of another call helps. */
export type WaitMs = number;
export const noPlace: WaitMs = Number.POSITIVE_INFINITY;

/** The counts of this process. Times are whole milliseconds of a clock that only goes forward. */
export interface Counts {
  /** `null`: nothing is counted yet. */
  find(limit: Limit, key: string, nowMs: number): Count | null;
  /** Counts one call, and that it runs: who ends it counts `running` down. */
  add(limit: Limit, key: string, found: Count | null, nowMs: number): Count;
  /** What one call used is there again; where the limit is another by now, it comes back in its time. */
  takeBack(limit: Limit, count: Count): void;
  /** A limit changed, or is gone: what was used stays used, as far as the limit now goes. */
  move(before: Limit, after: Limit | null, nowMs: number): void;
  size(): number;
}

/** How many counts that are worth looking at are looked at for each new one. */
const sweptAtOnce = 8;

/**
 * Full buckets without calls under way are forgotten: for each new count, a few others are looked at. Where `maxCounts` are in
 * use, none is given up for a new key, or inventing names would be a way to reset a limit. All further keys of a limit are
 * then counted together.
 */
export function createCounts(maxCounts = 100_000): Counts {
  const counts = new Map<string, Count>();
  const together = new Map<string, Count>();
  let cursor = counts.entries();

  function sweep(nowMs: number): void {
    for (let looked = 0; looked < sweptAtOnce; looked++) {
      const next = cursor.next();
      if (next.done) {
        cursor = counts.entries();
        return;
      }
      const [key, count] = next.value;
      if (count.running === 0 && usedAt(count, nowMs) === 0) counts.delete(key);
    }
  }

  function open(limit: Limit, key: string, nowMs: number): Count {
    const isFull = counts.size >= maxCounts;
    const common = isFull ? together.get(limit.entry.id) : undefined;
    if (common !== undefined) return common;
    const count = { limit, used: 0, atMs: nowMs, running: 0 };
    if (isFull) together.set(limit.entry.id, count);
    else counts.set(key, count);
    return count;
  }

  return {
    find(limit, key, nowMs) {
      const known = counts.get(key);
      if (known !== undefined) return known;
      if (counts.size < maxCounts) return null;
      sweep(nowMs);
      return counts.size < maxCounts ? null : (together.get(limit.entry.id) ?? null);
    },
    add(limit, key, found, nowMs) {
      if (found === null) sweep(nowMs);
      const count = found ?? open(limit, key, nowMs);
      if (limit.rate !== null) {
        count.used = Math.min(usedAt(count, nowMs) + limit.rate.unitsPerCall, limit.rate.capacity);
        count.atMs = nowMs;
      }
      count.running++;
      return count;
    },
    takeBack(limit, count) {
      if (limit.rate === null || count.limit !== limit) return;
      count.used = Math.max(0, count.used - limit.rate.unitsPerCall);
    },
    move(before, after, nowMs) {
      for (const kept of [counts, together]) {
        for (const [key, count] of kept) {
          if (count.limit !== before) continue;
          if (after === null) kept.delete(key);
          else change(count, after, nowMs);
        }
      }
    },
    size: () => counts.size,
  };
}

function change(count: Count, after: Limit, nowMs: number): void {
  const { rate: before } = count.limit;
  const calls = before === null ? 0 : usedAt(count, nowMs) / before.unitsPerCall;
  count.used =
    after.rate === null ? 0 : Math.min(Math.ceil(calls * after.rate.unitsPerCall), after.rate.capacity);
  count.atMs = nowMs;
  count.limit = after;
}

function usedAt({ limit: { rate }, used, atMs }: Count, nowMs: number): number {
  return rate === null ? 0 : Math.max(0, used - (nowMs - atMs) * rate.unitsPerMs);
}

export function waitMs({ rate, places }: Limit, count: Count | null, nowMs: number): WaitMs {
  if (count === null) return 0;
  const wait = rate === null ? 0 : waitForRate(rate, usedAt(count, nowMs));
  if (wait > 0) return wait;
  return places !== null && count.running >= places ? noPlace : 0;
}

function waitForRate({ unitsPerMs, unitsPerCall, capacity }: Rate, used: number): WaitMs {
  return Math.max(0, Math.ceil((used + unitsPerCall - capacity) / unitsPerMs));
}

/** What is left: calls that may pass at once, and calls under way. */
export function leftOf(
  { rate, places }: Limit,
  count: Count | null,
  nowMs: number,
): { left: number | null; running: number | null } {
  const used = count === null ? 0 : usedAt(count, nowMs);
  return {
    left: rate === null ? null : Math.floor((rate.capacity - used) / rate.unitsPerCall),
    running: places === null ? null : (count?.running ?? 0),
  };
}
