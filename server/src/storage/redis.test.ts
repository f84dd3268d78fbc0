import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { manualClock, systemClock } from '#foundation';
import type { Log } from '#telemetry';
import { noRedis, type RedisServer, startRedisServer } from '../../test/redis-server.ts';
import { openRedis, type Redis, redisScript } from './redis.ts';

const add = redisScript(`return redis.call('INCRBY', KEYS[1], ARGV[1])`);
const fail = redisScript(`return redis.call('LPUSH', KEYS[1], 'a')`);

function collectingLog() {
  const lines: string[] = [];
  const say = (_fields: object, message: string) => void lines.push(message);
  const log: Log = { debug() {}, each: say, info: say, warn: say, error: say, child: () => log };
  return { log, lines };
}

describe('a Redis server', { skip: noRedis }, () => {
  let server: RedisServer;
  const opened: Redis[] = [];
  before(async () => {
    server = await startRedisServer();
  });
  after(async () => {
    for (const redis of opened) await redis.close();
    await server?.close();
  });

  async function open(clock = manualClock()) {
    const { log, lines } = collectingLog();
    const redis = await openRedis(server.url, { clock, log });
    opened.push(redis);
    const back = new Promise<void>((resolve) => redis.onBack(resolve));
    return { redis, clock, lines, back };
  }

  it('runs scripts that it has not seen before, and those that it has', async () => {
    const { redis, lines } = await open();
    assert.deepEqual([redis.isThere(), redis.isWell()], [true, true]);
    assert.equal(await redis.run(add, ['n'], ['2']), 2);
    assert.equal(await redis.run(add, ['n'], ['3']), 5);
    assert.deepEqual(lines, ['Redis answers']);
  });

  it('that refuses is there, and is said not to be well until something succeeds', async () => {
    const { redis } = await open();
    await redis.run(add, ['text'], ['1']);
    assert.equal(await redis.run(fail, ['text'], []), null);
    assert.deepEqual([redis.isThere(), redis.isWell()], [true, false]);
    assert.equal(await redis.run(add, ['text'], ['1']), 2);
    assert.equal(redis.isWell(), true);
  });

  it('that stands still costs one wait; the next question is not asked, and it is found again', async () => {
    const { redis, clock, lines, back } = await open();
    server.child.kill('SIGSTOP');
    assert.equal(await redis.run(add, ['m'], ['1']), null);
    assert.deepEqual([redis.isThere(), redis.isWell()], [false, false]);
    assert.equal(await redis.run(add, ['m'], ['1']), null);
    server.child.kill('SIGCONT');
    clock.advance(1000);
    await back;
    assert.equal(typeof (await redis.run(add, ['m'], ['1'])), 'number');
    assert.deepEqual(lines.slice(1), [
      'Redis does not answer: each replica counts for itself until it does',
      'Redis answers',
    ]);
  });

  it('that ends and comes back empty is used again, and is missed in the log only once', async () => {
    const { redis, lines, back } = await open(systemClock as ReturnType<typeof manualClock>);
    await server.kill();
    assert.equal(await redis.run(add, ['k'], ['7']), null);
    assert.equal(redis.isThere(), false);
    await server.start();
    await back;
    assert.equal(await redis.run(add, ['k'], ['7']), 7);
    assert.equal(lines.length, 3, lines.join('\n'));
  });

  it('that is not there does not keep anybody from starting', async () => {
    const { log, lines } = collectingLog();
    const redis = await openRedis('redis://127.0.0.1:1', { clock: manualClock(), log });
    opened.push(redis);
    assert.equal(await redis.run(add, ['k'], ['1']), null);
    assert.deepEqual([redis.isThere(), redis.isWell(), lines.length], [false, false, 1]);
  });
});
