import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { manualClock } from '#foundation';
import { openRedis } from '#storage';
import { silentLog } from '#telemetry';
import { noRedis, startRedisServer } from '../../../test/redis-server.ts';
import { callOf, startHooked, toolOf } from './fixtures/hooked.ts';

let hooked: Awaited<ReturnType<typeof startHooked>>;
before(async () => {
  hooked = await startHooked();
});
afterEach(() => hooked.clear());
after(() => hooked?.close());

type Rule = { match: string; limit: number; time_unit: 's' | 'm' | 'h' | 'd' | 'mo' };
const limit = (rules: Rule[], binding: 'project' | 'tenant' = 'project') =>
  hooked.add({ name: 'limits', plugin_type: 'rate_limit', rate_limit_config: { rules } }, binding);

const send = toolOf('Slack.SendMessage');
const list = toolOf('Slack.ListChannels');
const other = toolOf('Github.CreateIssue');

/** How many calls pass until one is refused. */
async function passing(tool = send, most = 10): Promise<number> {
  for (let n = 0; n < most; n++) {
    const answer = await hooked.asking.pre(callOf(tool));
    if (!answer.ok) return n;
  }
  return most;
}

const toMinute = () => hooked.clock.advance(60_000 - (hooked.clock.now() % 60_000));

describe('the plugin type rate_limit', () => {
  it('refuses what is too much in a window, says when the next one begins, and lets pass again then', async () => {
    await limit([{ match: 'Slack.SendMessage', limit: 5, time_unit: 'm' }]);
    toMinute();
    hooked.clock.advance(18_000);
    assert.equal(await passing(), 5);
    const answer = await hooked.asking.pre(callOf(send));
    assert.ok(!answer.ok);
    const { code, message, retryAfterMs, traces } = answer.error;
    assert.deepEqual(
      { code, message, retryAfterMs },
      {
        code: 'policy.rate_limited',
        message: 'Rate limit exceeded for Slack.SendMessage (5/m). Try again in ~42s.',
        retryAfterMs: 42_000,
      },
    );
    assert.deepEqual(
      traces.map(({ code, hook_point }) => [code, hook_point]),
      [['RATE_LIMIT_EXCEEDED', 'tool.pre']],
    );
    hooked.clock.advance(42_000);
    assert.equal(await passing(), 5);
  });

  it('counts every tool by itself, whoever calls it', async () => {
    await limit([{ match: 'Slack.*', limit: 2, time_unit: 'h' }]);
    assert.equal(await passing(send), 2);
    assert.equal(await passing(list), 2);
    const bob = callOf(send, {}, { subject: { userId: 'bob', groups: [], claims: {} } });
    assert.equal((await hooked.asking.pre(bob)).ok, false);
    assert.equal(await passing(other), 10);
  });

  it('goes by the most specific match alone, whatever the case', async () => {
    await limit([
      { match: '*', limit: 1, time_unit: 'd' },
      { match: 'slack.*', limit: 2, time_unit: 'd' },
      { match: 'SLACK.SENDMESSAGE', limit: 3, time_unit: 'd' },
    ]);
    assert.deepEqual([await passing(send), await passing(list), await passing(other)], [3, 2, 1]);
  });

  it('counts for the organisation and for the project apart', async () => {
    await limit([{ match: '*', limit: 3, time_unit: 'h' }], 'tenant');
    await limit([{ match: '*', limit: 2, time_unit: 'h' }], 'project');
    assert.equal(await passing(), 2);
  });

  it('has windows that begin with seconds, hours, days and months in UTC', async () => {
    for (const [time_unit, at, next] of [
      ['s', '2026-02-03T10:11:12.900Z', '2026-02-03T10:11:13.000Z'],
      ['h', '2026-02-03T10:59:59.000Z', '2026-02-03T11:00:00.000Z'],
      ['d', '2026-02-28T23:00:00.000Z', '2026-03-01T00:00:00.000Z'],
      ['mo', '2026-12-30T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
    ] as const) {
      await limit([{ match: '*', limit: 1, time_unit }]);
      hooked.clock.advance(Date.parse(at) - hooked.clock.now());
      assert.equal(await passing(), 1);
      const refused = await hooked.asking.pre(callOf(send));
      assert.equal(!refused.ok && refused.error.retryAfterMs, Date.parse(next) - Date.parse(at), time_unit);
      hooked.clock.advance(Date.parse(next) - hooked.clock.now());
      assert.equal(await passing(), 1, time_unit);
      await hooked.clear();
    }
  });

  it('does not count what is only tried out', async () => {
    await limit([{ match: '*', limit: 1, time_unit: 'd' }]);
    for (let n = 0; n < 3; n++)
      assert.equal((await hooked.asking.pre(callOf(send, {}, { dryRun: true }))).ok, true);
    assert.equal(await passing(), 1);
    assert.equal((await hooked.asking.pre(callOf(send, {}, { dryRun: true }))).ok, false);
  });
});

describe('rate_limit with a Redis server', { skip: noRedis }, () => {
  it('counts for all replicas together, and lets pass without it only what may', async () => {
    const redisServer = await startRedisServer();
    const redis = await openRedis(redisServer.url, { clock: manualClock(), log: silentLog });
    // The server goes by the real time, which is beyond the end of any earlier window of a clock that stands still.
    const start = () => startHooked(redis, manualClock(Date.UTC(2100, 0, 1, 0, 30)));
    const replica = await start();
    try {
      const rules = (limit: number) => [
        { match: '*', limit, time_unit: 'h' as const },
        { match: 'Slack.ListChannels', limit, time_unit: 'h' as const, allow_on_unavailable: true },
      ];
      replica.plugins.applyFile('p', [
        { id: 'limits', name: 'limits', plugin_type: 'rate_limit', rate_limit_config: { rules: rules(3) } },
      ]);
      const other = await start();
      other.plugins.applyFile('p', [
        { id: 'limits', name: 'limits', plugin_type: 'rate_limit', rate_limit_config: { rules: rules(3) } },
      ]);
      const codes: (string | null)[] = [];
      for (const one of [replica, other, replica, other, replica]) {
        await one.asking.pre(callOf(send, {}, { dryRun: true }));
        const answer = await one.asking.pre(callOf(send));
        codes.push(answer.ok ? null : answer.error.code);
      }
      assert.deepEqual(codes, [null, null, null, 'policy.rate_limited', 'policy.rate_limited']);
      await redisServer.kill();
      const refused = await replica.asking.pre(callOf(send));
      assert.equal(!refused.ok && refused.error.code, 'policy.hook_failed');
      const passed = await replica.asking.pre(callOf(list));
      assert.ok(passed.ok);
      assert.equal(passed.value.traces[0]?.code, 'failed');
      await other.close();
    } finally {
      await replica.close();
      await redis.close();
      await redisServer.close();
    }
  });
});
