import { createHash } from 'node:crypto';
import { type Clock, randomHex } from '#foundation';
import { type Redis, redisScript } from '#storage';
import { noPlace, type WaitMs } from './counts.ts';
import type { Asked } from './limit.ts';

/** The counts that all replicas share. */
export interface SharedCounts {
  /**
   * Counts a call, or nothing where it has to wait for one of the limits. `waits` is `null` where Redis does not answer; it may
   * have counted all the same.
   */
  take(projectId: string, asked: readonly Asked[]): Promise<SharedTake>;
  peek(projectId: string, asked: readonly Asked[]): Promise<readonly Left[] | null>;
  close(): void;
}

export interface SharedTake {
  readonly waits: readonly WaitMs[] | null;
  /** The call is over, or does not run; for calls that were not refused. Until then its places are renewed. */
  readonly leave: () => void;
  /** Nothing is counted of it any more. Where Redis does not answer, it comes back in its time. */
  readonly takeBack: () => void;
}

export interface Left {
  readonly left: number | null;
  readonly running: number | null;
}

/** After this, the places of a replica that is gone are free. */
const leaseMs = 5 * 60_000;
const renewEveryMs = 100_000;
const keysAtOnce = 500;
/** Of ended calls whose places could not be given back yet; those of further ones run out. */
const maxUnreturned = 10_000;

/**
 * For each limit a bucket and the calls under way, KEYS[2i-1] and KEYS[2i]; ARGV: the call (empty: only look), the lease, and
 * for each limit units per ms, units per call, capacity, places (0: none). Answers wait (-1: no place), used units, running.
 * A bucket keeps its rate: after a change of the limit, what was used is told in the new units.
 */
const counting = redisScript(`
local call, lease = ARGV[1], tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function text(number) return string.format('%.17g', number) end
local answer, refused, used = {}, false, {}
for i = 1, #KEYS / 2 do
  local a = 4 * i - 1
  local per_ms, per_call = tonumber(ARGV[a]), tonumber(ARGV[a + 1])
  local capacity, places = tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3])
  local wait, running = 0, 0
  used[i] = 0
  if per_call > 0 then
    local kept = redis.call('HMGET', KEYS[2 * i - 1], 'used', 'at', 'per_ms', 'per_call')
    if kept[1] then
      local was_per_call = tonumber(kept[4])
      local left = math.max(0, tonumber(kept[1]) - math.max(0, now - tonumber(kept[2])) * tonumber(kept[3]))
      if was_per_call ~= per_call then left = math.ceil(left / was_per_call * per_call) end
      used[i] = math.min(left, capacity)
    end
    wait = math.max(0, math.ceil((used[i] + per_call - capacity) / per_ms))
  end
  if places > 0 then
    redis.call('ZREMRANGEBYSCORE', KEYS[2 * i], '-inf', now)
    running = redis.call('ZCARD', KEYS[2 * i])
    if wait == 0 and running >= places then wait = -1 end
  end
  if wait ~= 0 then refused = true end
  answer[i] = { wait, text(used[i]), running }
end
if refused or call == '' then return answer end
for i = 1, #KEYS / 2 do
  local a = 4 * i - 1
  local per_ms, per_call = tonumber(ARGV[a]), tonumber(ARGV[a + 1])
  if per_call > 0 then
    local key, taken = KEYS[2 * i - 1], used[i] + per_call
    redis.call('HSET', key, 'used', text(taken), 'at', text(now), 'per_ms', ARGV[a], 'per_call', ARGV[a + 1])
    redis.call('PEXPIRE', key, text(math.min(math.ceil(taken / per_ms), 1e13)))
  end
  if tonumber(ARGV[a + 3]) > 0 then
    redis.call('ZADD', KEYS[2 * i], text(now + lease), call)
    redis.call('PEXPIRE', KEYS[2 * i], text(lease))
  end
end
return answer
`);

/** KEYS: calls under way; ARGV: the lease, and for each key the call. */
const renewing = redisScript(`
local time = redis.call('TIME')
local lease = tonumber(ARGV[1])
local ends = string.format('%.17g', time[1] * 1000 + math.floor(time[2] / 1000) + lease)
for i = 1, #KEYS do
  redis.call('ZADD', KEYS[i], ends, ARGV[i + 1])
  redis.call('PEXPIRE', KEYS[i], lease)
end
return 1
`);

/** KEYS: calls under way; ARGV: for each key the call. */
const leaving = redisScript(`
for i = 1, #KEYS do redis.call('ZREM', KEYS[i], ARGV[i]) end
return 1
`);

/** KEYS: buckets; ARGV: for each key units per call. */
const takingBack = redisScript(`
for i = 1, #KEYS do
  local kept = redis.call('HMGET', KEYS[i], 'used', 'per_call')
  if kept[1] and tonumber(kept[2]) == tonumber(ARGV[i]) then
    redis.call('HSET', KEYS[i], 'used', string.format('%.17g', math.max(0, tonumber(kept[1]) - tonumber(ARGV[i]))))
  end
end
return 1
`);

/** The places of one call: one key for each. */
interface Places {
  readonly call: string;
  readonly projectId: string;
  readonly keys: readonly string[];
}

export function createSharedCounts(redis: Redis, clock: Clock): SharedCounts {
  const replica = randomHex(8);
  let calls = 0;
  const held = new Set<Places>();
  const unreturned = new Set<Places>();

  async function giveBack(places: readonly Places[]): Promise<void> {
    for (const { keys, calls } of inBatches(places)) {
      if ((await redis.run(leaving, keys, calls)) !== null) continue;
      for (const one of places) if (unreturned.size < maxUnreturned) unreturned.add(one);
      return;
    }
  }

  async function renew(): Promise<void> {
    const ended = [...unreturned];
    unreturned.clear();
    await giveBack(ended);
    const places = [...held];
    for (const { keys, calls } of inBatches(places))
      await redis.run(renewing, keys, [String(leaseMs), ...calls]);
    // What ended meanwhile may have been given back before it was renewed.
    await giveBack(places.filter((one) => !held.has(one)));
  }

  async function takenBack(projectId: string, asked: readonly Asked[]): Promise<void> {
    const limited = asked.filter(({ limit }) => limit.rate !== null);
    if (limited.length === 0) return;
    const keys = limited.map((one) => keyOf(projectId, one, 'bucket'));
    await redis.run(
      takingBack,
      keys,
      limited.map(({ limit }) => String(limit.rate?.unitsPerCall ?? 0)),
    );
  }

  const stop = clock.every(renewEveryMs, () => void renew());
  redis.onBack(() => void renew());

  return {
    async take(projectId, asked) {
      const places = { call: `${replica}:${++calls}`, projectId, keys: placesOf(projectId, asked) };
      const answer = await redis.run(counting, keysOf(projectId, asked), argumentsOf(asked, places.call));
      const waits = isAnswer(answer) ? answer.map(([wait]) => (wait === -1 ? noPlace : wait)) : null;
      const isRefused = waits?.some((wait) => wait > 0) === true;
      if (isRefused) return { waits, leave() {}, takeBack() {} };
      const takeBack = () => void takenBack(projectId, asked);
      if (places.keys.length === 0) return { waits, leave() {}, takeBack };
      held.add(places);
      return {
        waits,
        takeBack,
        leave() {
          held.delete(places);
          void giveBack([places]);
        },
      };
    },
    async peek(projectId, asked) {
      if (asked.length === 0) return [];
      const answer = await redis.run(counting, keysOf(projectId, asked), argumentsOf(asked, ''));
      if (!isAnswer(answer)) return null;
      return asked.map(({ limit: { rate, places } }, at) => {
        const [, used = '0', running = 0] = answer[at] ?? [];
        return {
          left: rate === null ? null : Math.floor((rate.capacity - Number(used)) / rate.unitsPerCall),
          running: places === null ? null : running,
        };
      });
    },
    close: stop,
  };
}

/** Keys and calls side by side. In a cluster, all keys of a script live in one place: they are of one project. */
function* inBatches(places: readonly Places[]): Generator<{ keys: string[]; calls: string[] }> {
  for (const ofProject of Map.groupBy(places, ({ projectId }) => projectId).values()) {
    const pairs = ofProject.flatMap(({ call, keys }) => keys.map((key) => ({ key, call })));
    for (let at = 0; at < pairs.length; at += keysAtOnce) {
      const some = pairs.slice(at, at + keysAtOnce);
      yield { keys: some.map(({ key }) => key), calls: some.map(({ call }) => call) };
    }
  }
}

type Answer = readonly (readonly [wait: number, used: string, running: number])[];

function isAnswer(answer: unknown): answer is Answer {
  return Array.isArray(answer);
}

/** Names of users do not leave as they are, and are as long as they like. */
function keyOf(projectId: string, { key }: Asked, what: 'bucket' | 'running'): string {
  const digest = createHash('sha256').update(key).digest('base64url');
  return `sallyport:{${projectId}}:limit:${digest}:${what}`;
}

const keysOf = (projectId: string, asked: readonly Asked[]) =>
  asked.flatMap((one) => [keyOf(projectId, one, 'bucket'), keyOf(projectId, one, 'running')]);

const placesOf = (projectId: string, asked: readonly Asked[]) =>
  asked.filter(({ limit }) => limit.places !== null).map((one) => keyOf(projectId, one, 'running'));

function argumentsOf(asked: readonly Asked[], call: string): string[] {
  const each = asked.flatMap(({ limit: { rate, places } }) => [
    rate?.unitsPerMs ?? 0,
    rate?.unitsPerCall ?? 0,
    rate?.capacity ?? 0,
    places ?? 0,
  ]);
  return [call, String(leaseMs), ...each.map(String)];
}
