import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { RuleRequest } from '@sallyport/contracts';
import { type BothEras, eras, startBothEras } from './both-eras.ts';
import { type EraClient, openEraClient, type RequestOptions } from './era-client.ts';
import type { Json } from './start-app.ts';

/** A rule that holds calls until somebody agrees, before servers of both eras and over the REST API. */

const rule: RuleRequest = {
  name: 'somebody has to agree',
  direction: 'input',
  tools: ['*.Echo', '*.AskForm', '*.AskTwice'],
  condition: 'has(arguments.zulu) && arguments.zulu.startsWith("hold")',
  action: 'approve',
  approvers: [{ user: 'boss' }],
  message: 'Ask your boss.',
};

let world: BothEras;
let agentKey: string;
const clients: EraClient[] = [];
before(async () => {
  world = await startBothEras();
  const { rules } = world.app.app.rooms.policy;
  await rules.create('default', rule);
  await rules.create('default', { ...rule, name: 'only looks', mode: 'log_only', condition: 'true' });
  const greeting = 'has(arguments.arguments.who) && arguments.arguments.who == "hold"';
  await rules.create('default', { ...rule, name: 'prompts too', tools: ['*.Greet'], condition: greeting });
  agentKey = await newKey({ scopes: ['call'] });
});
after(async () => {
  await closeClients();
  await world?.close();
});

async function closeClients(): Promise<void> {
  for (const client of clients.splice(0)) await client.close();
}

async function api(method: string, path: string, body?: unknown, key = world.app.key) {
  const response = await fetch(`${world.app.url}/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Json };
}

async function newKey(request: object): Promise<string> {
  return (await api('POST', '/api_keys', { name: 'test', ...request })).body.key;
}

/** As an agent does: with a key that can only call. */
async function agent(era: 'legacy' | 'modern', user = 'alice'): Promise<EraClient> {
  const headers = { authorization: `Bearer ${agentKey}`, 'arcade-user-id': user };
  const client = await openEraClient(era, `${world.app.url}/mcp/${era}`, headers);
  clients.push(client);
  return client;
}

async function call(client: EraClient, name: string, zulu: string, options?: RequestOptions) {
  const { result } = await client.request('tools/call', { name, arguments: { zulu } }, options);
  const refused = result._meta?.['sallyport/refusal'];
  return { result, text: result.content?.[0]?.text, code: refused?.code, held: refused?.details?.approval };
}

const decide = (id: string, verdict: 'approve' | 'deny', user = 'boss', key = world.app.key) =>
  api('POST', `/approvals/${id}/${verdict}`, { user_id: user, reason: 'because' }, key);

/** How often the tool ran while `during` did. */
async function runs(era: 'legacy' | 'modern', during: () => Promise<unknown>): Promise<number> {
  const { ran } = world.servers[era];
  const count = ran.length;
  await during();
  return ran.length - count;
}

for (const era of eras) {
  describe(`a held call on MCP, ${era}`, () => {
    it('does not run, and the model reads what it waits for', async () => {
      const client = await agent(era);
      const ran = await runs(era, async () => {
        const { result, text, code, held } = await call(client, 'Echo', 'hold 1');
        assert.equal(result.isError, true);
        assert.equal(code, 'policy.approval_required');
        assert.match(text, /^Ask your boss\.\n/);
        assert.ok(text.includes(held.id));
        assert.equal(held.status, 'pending');
        assert.deepEqual(held.rules, ['somebody has to agree']);
        assert.match(held.resume, /same call again/);
      });
      assert.equal(ran, 0);
    });

    it('runs exactly once when it is approved and made again', async () => {
      const client = await agent(era);
      const { held } = await call(client, 'Echo', 'hold 2');
      assert.equal((await call(client, 'Echo', 'hold 2')).held.id, held.id);
      const decided = await decide(held.id, 'approve');
      assert.equal(decided.status, 200, JSON.stringify(decided.body));
      assert.equal(decided.body.status, 'approved');
      const ran = await runs(era, async () => {
        const made = await Promise.all(Array.from({ length: 5 }, () => call(client, 'Echo', 'hold 2')));
        const codes = made.map(({ code }) => code);
        assert.deepEqual(codes.filter((code) => code === undefined).length, 1, JSON.stringify(codes));
      });
      assert.equal(ran, 1);
      assert.equal((await api('GET', `/approvals/${held.id}`)).body.status, 'used');
    });

    it('is refused when it is denied', async () => {
      const client = await agent(era);
      const { held } = await call(client, 'Echo', 'hold 3');
      assert.equal((await decide(held.id, 'deny')).body.status, 'denied');
      const { code, text } = await call(client, 'Echo', 'hold 3');
      assert.equal(code, 'policy.approval_denied');
      assert.match(text, /denied/);
    });

    it('with other arguments, or of another user, needs another approval', async () => {
      const client = await agent(era);
      const { held } = await call(client, 'Echo', 'hold 4');
      await decide(held.id, 'approve');
      const other = await call(client, 'Echo', 'hold 5');
      assert.equal(other.code, 'policy.approval_required');
      assert.notEqual(other.held.id, held.id);
      const bobs = await call(await agent(era, 'bob'), 'Echo', 'hold 4');
      assert.notEqual(bobs.held.id, held.id);
      assert.equal((await call(client, 'Echo', 'hold 4')).code, undefined);
    });

    it('whose tool asks its user something needs one approval for all rounds', async () => {
      const client = await agent(era);
      for (const name of ['AskForm', 'AskTwice']) {
        const { held } = await call(client, name, `hold ${name}`);
        await decide(held.id, 'approve');
        assert.equal((await call(client, name, `hold ${name}`)).result.isError ?? false, false);
        assert.equal((await api('GET', `/approvals/${held.id}`)).body.status, 'used');
        assert.equal((await call(client, name, `hold ${name}`)).code, 'policy.approval_required');
      }
    });

    it('for a prompt is an error that tells the same', async () => {
      const client = await agent(era);
      const get = () => client.request('prompts/get', { name: 'Greet', arguments: { who: 'hold' } });
      const { error } = await get();
      assert.equal(error.data.name, 'policy.approval_required');
      assert.equal((await decide(error.data.details.approval.id, 'approve')).status, 200);
      assert.equal((await get()).error, undefined);
      assert.equal((await get()).error.data.name, 'policy.approval_required');
    });

    it('is in the audit, with what it waits for and who agreed', async () => {
      const client = await agent(era);
      const { held } = await call(client, 'Echo', 'hold 6');
      await decide(held.id, 'approve');
      await call(client, 'Echo', 'hold 6');
      const [ran, waited] = (await world.app.records('&kind=tool_call')) as Json[];
      assert.equal(waited.code, 'policy.approval_required');
      assert.deepEqual(waited.policy.approval, { id: held.id });
      assert.equal(ran.decision, 'allowed');
      assert.deepEqual(ran.policy.approval, { id: held.id, decided_by: 'boss' });
      const [decision] = (await world.app.records('&kind=admin')) as Json[];
      assert.equal(decision.tool, 'approvals.approve');
      assert.doesNotMatch(JSON.stringify([ran, waited, decision]), /hold 6/);
    });

    it('that no rule holds, or one that only logs, just runs', async () => {
      assert.equal((await call(await agent(era), 'Echo', 'free')).code, undefined);
    });
  });
}

describe('a held call over the REST API', () => {
  const execute = (zulu: string, key = agentKey) =>
    api('POST', '/tools/execute', { tool_name: 'legacy.Echo', user_id: 'alice', input: { zulu } }, key);

  it('is a failed execution that tells what it waits for, and runs once when approved', async () => {
    const ran = await runs('legacy', async () => {
      const { status, body } = await execute('hold rest');
      assert.equal(status, 200);
      assert.equal(body.success, false);
      const { message, extra, can_retry } = body.output.error;
      assert.match(message, /Ask your boss/);
      assert.equal(can_retry, true);
      assert.equal(extra.code, 'policy.approval_required');
      assert.equal((await decide(extra.approval.id, 'approve')).status, 200);
      assert.equal((await execute('hold rest')).body.success, true);
      assert.equal((await execute('hold rest')).body.success, false);
    });
    assert.equal(ran, 1);
  });
});

describe('approvers', () => {
  let id: string;
  before(async () => {
    id = (await call(await agent('modern'), 'Echo', 'hold for review')).held.id;
  });

  it('see what waits, with its arguments', async () => {
    const { body } = await api('GET', '/approvals?status=pending&user_id=boss');
    const [newest] = body.items;
    assert.deepEqual(
      { id: newest.id, user: newest.user_id, gateway: newest.gateway, tool: newest.tool },
      { id, user: 'alice', gateway: 'modern', tool: 'modern.Echo' },
    );
    assert.deepEqual(newest.arguments, { zulu: 'hold for review' });
    assert.equal((await api('GET', '/approvals?user_id=carol')).body.total_count, 0);
    assert.equal((await api('GET', `/approvals/${id}?user_id=carol`)).status, 404);
  });

  it('are those that the rule names, and nobody else', async () => {
    for (const user of ['alice', 'carol']) {
      for (const verdict of ['approve', 'deny'] as const) {
        const { status, body } = await decide(id, verdict, user);
        assert.deepEqual(
          { status, name: body.name, field: body.field },
          {
            status: 403,
            name: 'identity.user_refused',
            field: 'user_id',
          },
        );
      }
    }
    assert.equal((await api('GET', `/approvals/${id}`)).body.status, 'pending');
  });

  it('are not the agent: its key can neither look nor decide', async () => {
    for (const answer of [
      await decide(id, 'approve', 'boss', agentKey),
      await api('GET', '/approvals', undefined, agentKey),
      await api('GET', `/approvals/${id}`, undefined, agentKey),
    ]) {
      assert.equal(answer.body.name, 'identity.scope_missing');
    }
  });

  it('with a key restricted to users act as these only', async () => {
    const carols = await newKey({ scopes: ['approve'], users: ['carol'] });
    assert.equal((await decide(id, 'approve', 'boss', carols)).body.name, 'identity.user_refused');
    assert.equal((await api('GET', '/approvals', undefined, carols)).body.field, 'user_id');
    assert.equal((await api('GET', '/approvals?user_id=boss', undefined, carols)).status, 403);
    assert.equal((await api('GET', '/approvals?user_id=carol', undefined, carols)).body.total_count, 0);
    const bosses = await newKey({ scopes: ['approve'], users: ['boss'] });
    assert.equal((await api('GET', '/approvals?user_id=boss', undefined, bosses)).body.items[0].id, id);
    const decided = await decide(id, 'approve', 'boss', bosses);
    assert.deepEqual(
      { status: decided.body.status, by: decided.body.decided_by, reason: decided.body.reason },
      { status: 'approved', by: 'boss', reason: 'because' },
    );
  });

  it('decide once', async () => {
    const { status, body } = await decide(id, 'deny');
    assert.deepEqual({ status, name: body.name }, { status: 409, name: 'resource.conflict' });
    assert.match(body.message, /approved/);
  });

  it('are told where there is nothing to decide', async () => {
    assert.equal((await decide('apr_nothing', 'approve')).status, 404);
  });
});

describe('a held call and limits', () => {
  const { condition: _, message: _told, approvers: _who, action: _act, direction: _way, ...where } = rule;

  it('one that comes too often does not use up its approval', async () => {
    const { limits } = world.app.app.rooms.policy;
    const limit = await limits.create('default', {
      ...where,
      subjects: [{ user: 'dora' }],
      per: ['user'],
      rate: { limit: 1, per_seconds: 3600 },
    });
    const client = await agent('modern', 'dora');
    const { held } = await call(client, 'Echo', 'hold limited');
    await decide(held.id, 'approve');
    assert.equal((await call(client, 'Echo', 'hold limited')).code, 'policy.rate_limited');
    assert.equal((await api('GET', `/approvals/${held.id}`)).body.status, 'approved');
    await limits.remove('default', limit.id);
    assert.equal((await call(client, 'Echo', 'hold limited')).code, undefined);
  });

  it('one that waits does not keep others of its user from running', async () => {
    await world.app.app.rooms.policy.limits.create('default', {
      ...where,
      subjects: [{ user: 'erin' }],
      per: ['user'],
      concurrency: 1,
    });
    const client = await agent('modern', 'erin');
    assert.equal((await call(client, 'Echo', 'hold a')).code, 'policy.approval_required');
    assert.equal((await call(client, 'Echo', 'hold b')).code, 'policy.approval_required');
    assert.equal((await call(client, 'Echo', 'free')).code, undefined);
  });
});

it('what waits and what was approved outlives a restart', async () => {
  const pending = await call(await agent('modern'), 'Echo', 'hold over 1');
  const approved = await call(await agent('modern'), 'Echo', 'hold over 2');
  await decide(approved.held.id, 'approve');
  await closeClients();
  await world.app.restart();
  await world.app.app.rooms.sources.refresh('default', 'modern');
  const client = await agent('modern');
  assert.equal((await call(client, 'Echo', 'hold over 1')).held.id, pending.held.id);
  assert.equal((await call(client, 'Echo', 'hold over 2')).code, undefined);
  const { body } = await api('GET', `/approvals/${pending.held.id}`);
  assert.deepEqual(body.arguments, { zulu: 'hold over 1' });
});
