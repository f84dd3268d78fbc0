import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { LimitRequest } from '@sallyport/contracts';
import fc from 'fast-check';
import { manualClock } from '#foundation';
import { openRedis, type Redis, redisScript } from '#storage';
import { silentLog } from '#telemetry';
import { noRedis, type RedisServer, startRedisServer } from '../../../test/redis-server.ts';
import type { LimitedCall, Limits, Taken } from './contract.ts';
import { callOf, createLimited } from './fixtures/limited.ts';

const hourly = (limit: number, more: Partial<LimitRequest> = {}): LimitRequest => ({
  name: 'A',
  tools: ['*'],
  per: ['user'],
  rate: { limit, per_seconds: 3600 },
  ...more,
});
const few = (concurrency: number): LimitRequest => ({
  name: 'Few',
  tools: ['*'],
  per: ['tool'],
  concurrency,
});

async function passes(limits: Limits, call: LimitedCall = callOf()): Promise<boolean> {
  return (await limits.take(call)).ok;
}

async function accepted(limits: Limits, call: LimitedCall = callOf()): Promise<Taken> {
  const taken = await limits.take(call);
  assert.ok(taken.ok, 'the call passes');
  return taken.value;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await setImmediate();
}

describe('limits that replicas share', { skip: noRedis }, () => {
  let server: RedisServer;
  let first: Awaited<ReturnType<typeof replica>>;
  const opened: Redis[] = [];
  before(async () => {
    server = await startRedisServer();
    first = await replica([]);
  });
  after(async () => {
    for (const redis of opened) await redis.close();
    await server?.close();
  });
  beforeEach(() => empty());
  const empty = () => first.redis.run(redisScript(`return redis.call('FLUSHALL')`), [], []);

  async function replica(definitions: readonly LimitRequest[]) {
    const clock = manualClock();
    const redis = await openRedis(server.url, { clock, log: silentLog });
    opened.push(redis);
    return {
      ...createLimited(definitions, clock, redis),
      clock,
      redis,
      /** Until the server is found again. */
      back: () =>
        until(async () => {
          clock.advance(1000);
          return (await redis.run(answer, [], [])) === 1;
        }),
    };
  }

  it('count nothing of a call that did not begin, in any replica', async () => {
    const hourly: LimitRequest = {
      name: 'Hourly',
      tools: ['*'],
      per: ['user'],
      rate: { limit: 1, per_seconds: 3600 },
    };
    const one = await replica([hourly]);
    const other = await replica([hourly]);
    const taken = await accepted(one.limits);
    assert.equal(await passes(other.limits), false);
    taken.undo();
    await until(() => passes(other.limits));
    assert.equal(await passes(one.limits), false);
  });

  it('let exactly so many calls pass as one replica would, whoever is asked and however many at once', async () => {
    const a = await replica([hourly(10)]);
    const b = await replica([hourly(10)]);
    const asked = Array.from({ length: 40 }, (_, n) => passes((n % 3 === 0 ? a : b).limits));
    const passed = (await Promise.all(asked)).filter((isPassed) => isPassed);
    assert.equal(passed.length, 10);
    assert.ok(await passes(a.limits, callOf({ userId: 'bob' })));
  });

  it('never let more pass than the bucket holds and is filled with, by the time of Redis', async () => {
    const { limits, redis } = await replica([hourly(1, { rate: { limit: 200, per_seconds: 1, burst: 3 } })]);
    const time = redisScript(
      `local time = redis.call('TIME') return time[1] * 1000 + math.floor(time[2] / 1000)`,
    );
    const began = Number(await redis.run(time, [], []));
    let passed = 0;
    let waits = 0;
    while (passed < 40) {
      const taken = await limits.take(callOf());
      if (taken.ok) passed++;
      else {
        assert.ok((taken.error.retryAfterMs ?? 0) >= 1 && (taken.error.retryAfterMs ?? 0) <= 5);
        waits++;
      }
    }
    const elapsedMs = Number(await redis.run(time, [], [])) - began;
    assert.ok(40 <= 3 + elapsedMs / 5, `40 calls in ${elapsedMs} ms`);
    assert.ok(waits > 0);
  });

  it('decide as one process does, for random limits and calls of one moment', async () => {
    const oneLimit = fc.record({
      per: fc.constantFrom<LimitRequest['per'][]>(['user'], ['tool'], ['user', 'tool'], ['project']),
      burst: fc.integer({ min: 1, max: 6 }),
      concurrency: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
    });
    const call = fc.record({
      userId: fc.constantFrom('alice', 'bob'),
      toolId: fc.constantFrom('tool_1', 'tool_2'),
    });
    const several = fc.array(oneLimit, { minLength: 1, maxLength: 4 });
    const decideAlike = fc.asyncProperty(several, fc.array(call, { maxLength: 20 }), async (some, calls) => {
      await empty();
      const definitions = some.map(
        ({ per, burst, concurrency }): LimitRequest => ({
          name: 'A',
          tools: ['*'],
          per,
          rate: { limit: 1, per_seconds: 2_000_000, burst },
          ...(concurrency === undefined ? {} : { concurrency }),
        }),
      );
      const shared = createLimited(definitions, manualClock(), first.redis);
      const alone = createLimited(definitions);
      const running: Taken[] = [];
      for (const facts of calls) {
        const one = await shared.limits.take(callOf(facts));
        const other = await alone.limits.take(callOf(facts));
        assert.deepEqual(
          one.ok ? one.value.traces : [one.error.code, one.error.traces],
          other.ok ? other.value.traces : [other.error.code, other.error.traces],
        );
        assert.deepEqual(await shared.limits.peek(callOf(facts)), await alone.limits.peek(callOf(facts)));
        if (one.ok) running.push(one.value);
      }
      for (const { release } of running) release();
    });
    await fc.assert(decideAlike, { numRuns: 50 });
  });

  it('give a place that one replica gave back to another', async () => {
    const a = await replica([few(2)]);
    const b = await replica([few(2)]);
    const { release } = await accepted(a.limits);
    await accepted(b.limits);
    const refused = await b.limits.take(callOf());
    assert.equal(!refused.ok && refused.error.code, 'policy.concurrency_limited');
    release();
    release();
    await until(() => passes(b.limits));
    assert.equal(await passes(a.limits), false);
  });

  it('renew the places of calls that run long; those of a replica that is gone run out', async () => {
    const a = await replica([few(1)]);
    const b = await replica([few(1)]);
    await accepted(a.limits);
    const leaseLeftMs = async () => Number(await first.redis.run(lease, [], []));
    assert.ok((await leaseLeftMs()) > 290_000);
    await first.redis.run(moveLeases, [], ['1000']);
    assert.ok((await leaseLeftMs()) <= 1000);
    a.clock.advance(100_000);
    await until(async () => (await leaseLeftMs()) > 290_000);
    assert.equal(await passes(b.limits), false);
    await first.redis.run(moveLeases, [], ['0']);
    assert.equal(await passes(b.limits), true);
  });

  it('are counted here when Redis ends, from what passed here; and calls under way are told when it is back', async () => {
    const definitions = [hourly(3), few(2)];
    const a = await replica(definitions);
    const b = await replica(definitions);
    const { release } = await accepted(a.limits);
    (await accepted(a.limits)).release();
    await server.kill();
    const late = await accepted(a.limits);
    assert.equal(await passes(a.limits), false, 'three calls have passed here');
    assert.equal(await passes(a.limits, callOf({ userId: 'bob' })), false, 'two are under way');
    await server.start();
    await Promise.all([first.back(), a.back(), b.back()]);
    const eve = callOf({ userId: 'eve' });
    await until(async () => {
      const taken = await b.limits.take(eve);
      if (taken.ok) taken.value.release();
      const [, places] = await b.limits.peek(eve);
      return !taken.ok && places?.running === 2;
    });
    release();
    late.release();
    await until(async () => (await b.limits.peek(eve))[1]?.running === 0);
  });

  it('decide here while Redis stands still, and no place is lost by it', async () => {
    const a = await replica([few(1)]);
    const b = await replica([few(1)]);
    server.child.kill('SIGSTOP');
    try {
      const { release } = await accepted(a.limits);
      assert.equal(await passes(a.limits), false);
      release();
    } finally {
      server.child.kill('SIGCONT');
    }
    await Promise.all([a.back(), first.back()]);
    await until(() => passes(b.limits));
  });

  it('keep what was used when they change', async () => {
    const a = await replica([hourly(10)]);
    for (let n = 0; n < 3; n++) await accepted(a.limits);
    a.replace(0, hourly(4, { rate: { limit: 4, per_seconds: 86_400 } }));
    assert.equal((await a.limits.peek(callOf()))[0]?.left, 1);
    await accepted(a.limits);
    assert.equal(await passes(a.limits), false);
  });

  it('name no user to Redis, and keep nothing there longer than it counts', async () => {
    const a = await replica([hourly(10, { concurrency: 4 })]);
    await accepted(a.limits, callOf({ userId: 'alice@example.com' }));
    const keys = (await first.redis.run(redisScript(`return redis.call('KEYS', '*')`), [], [])) as string[];
    assert.equal(keys.length, 2);
    for (const key of keys) {
      assert.match(key, /^sallyport:\{default\}:limit:[\w-]{43}:(bucket|running)$/);
      const left = Number(
        await first.redis.run(redisScript(`return redis.call('PTTL', KEYS[1])`), [key], []),
      );
      assert.ok(left > 0 && left <= 360_000, `${key} is kept for ${left} ms`);
    }
  });
});

const answer = redisScript(`return 1`);
const lease = redisScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, key in ipairs(redis.call('KEYS', '*running')) do
  return math.floor(redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2] - now)
end
`);
const moveLeases = redisScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, key in ipairs(redis.call('KEYS', '*running')) do
  for _, call in ipairs(redis.call('ZRANGE', key, 0, -1)) do redis.call('ZADD', key, now + ARGV[1], call) end
end
return 1
`);
