import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import type { LimitRequest } from '@sallyport/contracts';
import { type BothEras, eras, startBothEras } from './both-eras.ts';
import { type EraClient, openEraClient } from './era-client.ts';
import type { Json } from './start-app.ts';

/** Limits before servers of both eras and over the REST API. */

const onceAnHour = { limit: 1, per_seconds: 3600 };

let world: BothEras;
const clients: EraClient[] = [];
before(async () => {
  world = await startBothEras();
});
after(async () => {
  for (const client of clients) await client.close();
  await world?.close();
});

const limit = (request: Partial<LimitRequest> & Pick<LimitRequest, 'tools'>) =>
  world.app.app.rooms.policy.limits.create('default', { name: 'Fair use', per: ['user'], ...request });

async function agent(era: (typeof eras)[number], user: string): Promise<EraClient> {
  const headers = { authorization: `Bearer ${world.app.key}`, 'arcade-user-id': user };
  const client = await openEraClient(era, `${world.app.url}/mcp/${era}`, headers);
  clients.push(client);
  return client;
}

async function call(client: EraClient, name: string, args: object = {}) {
  const { result } = await client.request('tools/call', { name, arguments: args });
  return { result, refused: result?._meta?.['sallyport/refusal'] };
}

for (const era of eras) {
  describe(`a limited tool of a server of the ${era} era`, () => {
    it('runs as often as it may; then its model is told when to come back, and the audit which limit it was', async () => {
      const { id } = await limit({ tools: [`${era}.Steps`], rate: onceAnHour });
      const client = await agent(era, 'alice');
      const { ran } = world.servers[era];
      const before = ran.length;
      assert.equal((await call(client, 'Steps')).refused, undefined);
      const { result, refused } = await call(client, 'Steps');
      assert.equal(ran.length - before, 1);
      assert.equal(result.isError, true);
      assert.match(
        result.content[0].text,
        /^limit "Fair use" is exceeded for \w+\.Steps \(one call an hour for each user\); try again in 60 min$/,
      );
      const { retryAfterMs, ...told } = refused;
      assert.ok(retryAfterMs > 3_500_000 && retryAfterMs <= 3_600_000, `${retryAfterMs} ms`);
      assert.deepEqual(told, {
        code: 'policy.rate_limited',
        canRetry: true,
        details: { limit: { id, name: 'Fair use' } },
      });
      const [record] = await world.app.records(`&code=policy.rate_limited&gateway=${era}`);
      assert.deepEqual(
        [record.decision, record.user_id, record.policy.limits],
        ['refused', 'alice', [{ id, name: 'Fair use', outcome: 'refused' }]],
      );
      assert.equal((await call(await agent(era, 'bob'), 'Steps')).refused, undefined);
    });

    it('that may run once at a time is free again when its call ends, also by its client going away', async () => {
      await limit({ tools: [`${era}.Wait`, `${era}.Fail`], concurrency: 1 });
      const client = await agent(era, 'carl');
      const isCalled = once(world.servers[era].events, 'calling');
      const waiting = client.begin('tools/call', { name: 'Wait' });
      await isCalled;
      const { refused } = await call(client, 'Fail');
      assert.deepEqual([refused.code, refused.retryAfterMs], ['policy.concurrency_limited', undefined]);
      const isOver = once(world.servers[era].events, 'cancelled');
      if (era === 'legacy') await client.notify('notifications/cancelled', { requestId: waiting.id });
      waiting.disconnect();
      await Promise.allSettled([waiting.outcome, isOver]);
      while ((await call(client, 'Fail')).refused !== undefined);
      assert.equal((await call(client, 'Fail')).refused, undefined, 'a tool that failed has ended');
    });

    it('a blocked call uses nothing up', async () => {
      const where = { tools: [`${era}.Echo`], subjects: [{ user: 'dora' }] };
      const { rules } = world.app.app.rooms.policy;
      await rules.create('default', {
        ...where,
        name: 'no bad words',
        direction: 'input',
        match: { pattern: 'bad' },
        action: 'block',
      });
      await limit({ ...where, rate: onceAnHour });
      const client = await agent(era, 'dora');
      for (let n = 0; n < 3; n++)
        assert.equal((await call(client, 'Echo', { zulu: 'bad' })).refused.code, 'policy.input_blocked');
      assert.equal((await call(client, 'Echo', { zulu: 'good' })).refused, undefined);
      assert.equal((await call(client, 'Echo', { zulu: 'good' })).refused.code, 'policy.rate_limited');
    });

    it('prompts are limited, too', async () => {
      await limit({ tools: [`${era}.Greet`], rate: onceAnHour });
      const client = await agent(era, 'erna');
      const get = () => client.request('prompts/get', { name: 'Greet', arguments: { who: 'Bo' } });
      assert.notEqual((await get()).result, undefined);
      assert.match((await get()).error.message, /^limit "Fair use" is exceeded for \w+\.Greet/);
    });
  });
}

it('a limit over the API: a failed execution that says when to come back, on every door the same count', async () => {
  const { id } = await limit({ tools: ['legacy.Roots'], per: ['user', 'tool'], rate: onceAnHour });
  const execute = async () => {
    const body = { tool_name: 'legacy.Roots', user_id: 'fred', input: {} };
    const answer = await world.app.api('POST', '/v1/tools/execute', body);
    return { status: answer.status, body: (await answer.json()) as Json };
  };
  assert.equal((await execute()).body.output.error?.extra?.code, undefined);
  const { status, body } = await execute();
  const { error } = body.output;
  assert.deepEqual([status, body.success, error.status_code, error.can_retry], [200, false, 429, true]);
  assert.ok(error.retry_after_ms > 0);
  assert.deepEqual(error.extra, { code: 'policy.rate_limited', limit: { id, name: 'Fair use' } });
  assert.equal((await call(await agent('legacy', 'fred'), 'Roots')).refused.code, 'policy.rate_limited');
});

it('a limit acts from the next call on, and so does its end', async () => {
  const client = await agent('modern', 'gina');
  assert.equal((await call(client, 'Log')).refused, undefined);
  const { id } = await limit({ tools: ['modern.Log'], rate: onceAnHour });
  assert.equal((await call(client, 'Log')).refused, undefined);
  assert.equal((await call(client, 'Log')).refused.code, 'policy.rate_limited');
  await world.app.app.rooms.policy.limits.remove('default', id);
  assert.equal((await call(client, 'Log')).refused, undefined);
});
