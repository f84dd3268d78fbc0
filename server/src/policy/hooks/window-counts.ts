import type { Clock } from '#foundation';
import { type Redis, redisScript } from '#storage';

/** So many calls of one thing between two moments. */
export interface CountedWindow {
  readonly key: string;
  readonly limit: number;
  readonly startMs: number;
  readonly endMs: number;
}

export interface WindowCounts {
  /** Counts one call in all of these windows, or in none: then which of them is full. `null`: nobody knows. */
  take<Window extends CountedWindow>(
    windows: readonly Window[],
    dryRun: boolean,
  ): Promise<Window | 'taken' | null>;
}

const sweepAt = 100_000;

/** Counted in this process. */
export function createOwnCounts(clock: Clock): WindowCounts {
  const counts = new Map<string, { count: number; readonly startMs: number; readonly endMs: number }>();
  let sweepNext = sweepAt;

  function sweep(): void {
    if (counts.size < sweepNext) return;
    const nowMs = clock.now();
    for (const [key, { endMs }] of counts) if (endMs <= nowMs) counts.delete(key);
    sweepNext = Math.max(sweepAt, 2 * counts.size);
  }

  function countOf({ key, startMs, endMs }: CountedWindow) {
    const known = counts.get(key);
    if (known?.startMs === startMs) return known;
    sweep();
    const fresh = { count: 0, startMs, endMs };
    counts.set(key, fresh);
    return fresh;
  }

  return {
    async take(windows, dryRun) {
      const full = windows.filter((window) => countOf(window).count >= window.limit);
      if (full.length > 0) return lastOf(full);
      if (!dryRun) for (const window of windows) countOf(window).count++;
      return 'taken';
    },
  };
}

/** KEYS: windows; ARGV: the limit and the end of each, then whether to count. Answers with the places of those that are full. */
const takeScript = redisScript(`
local full = {}
for i = 1, #KEYS do
  if tonumber(redis.call('GET', KEYS[i]) or '0') >= tonumber(ARGV[2 * i - 1]) then full[#full + 1] = i end
end
if #full > 0 or ARGV[#ARGV] == '0' then return full end
for i = 1, #KEYS do
  redis.call('INCR', KEYS[i])
  redis.call('PEXPIREAT', KEYS[i], ARGV[2 * i])
end
return full`);

/** Counted by all replicas together. */
export function createSharedCounts(redis: Redis, pluginId: string): WindowCounts {
  return {
    async take(windows, dryRun) {
      if (windows.length === 0) return 'taken';
      const keys = windows.map(({ key, startMs }) => `sallyport:{${pluginId}}:rate:${key}:${startMs}`);
      const args = windows.flatMap(({ limit, endMs }) => [String(limit), String(endMs)]);
      const answer = await redis.run(takeScript, keys, [...args, dryRun ? '0' : '1']);
      if (!Array.isArray(answer)) return null;
      const full = answer.flatMap((place) => windows[Number(place) - 1] ?? []);
      return full.length === 0 ? 'taken' : lastOf(full);
    },
  };
}

function lastOf<Window extends CountedWindow>(windows: readonly Window[]): Window {
  return windows.reduce((last, one) => (one.endMs > last.endMs ? one : last));
}
