import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startHookServer } from '../../../../test/hook-server.ts';
import { type RestServer, startRestServer, startTestWorker, workerSecret } from '../fixtures/rest-server.ts';

let server: RestServer;
let worker: Awaited<ReturnType<typeof startTestWorker>>;

/** Makes something, and gives its id. */
async function made(path: string, body: object): Promise<string> {
  const answer = await server.ask('POST', `/v1/${path}`, { body });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return answer.body.id;
}

const ids = { allow: '', deny: '', block: '', redact: '', limit: '' };
before(async () => {
  server = await startRestServer();
  worker = await startTestWorker();
  await made('workers', { id: 'test', http: { uri: worker.url, secret: workerSecret } });
  await made('gateways', { name: 'Explained', slug: 'explained', access: 'granted' });
  await made('gateways', { name: 'Other', slug: 'other', tool_filter: { allowed_tools: ['Test.Count'] } });
  ids.allow = await made('grants', {
    subject: { group: 'staff' },
    tools: ['Test.*'],
    gateway: 'explained',
    effect: 'allow',
  });
  ids.deny = await made('grants', { subject: { user: 'eve' }, tools: ['Test.*'], effect: 'deny' });
  ids.block = await made('rules', {
    name: 'No numbers',
    direction: 'input',
    tools: ['Test.*'],
    match: { detector: 'ssn' },
    action: 'block',
    message: 'leave out the number',
  });
  ids.redact = await made('rules', {
    name: 'No words',
    direction: 'output',
    tools: ['Test.Join'],
    match: { path: '$.joined' },
    action: 'redact',
  });
  ids.limit = await made('limits', {
    name: 'Slow',
    tools: ['Test.Fail'],
    per: ['user'],
    rate: { limit: 1, per_seconds: 3600 },
  });
});
after(async () => {
  await worker?.stop();
  await server?.close();
});

async function explain(body: object) {
  const answer = await server.ask('POST', '/v1/policy/explain', { body });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

async function call(user: string, tool: string, args: object, slug: string) {
  const answer = await server.ask('POST', `/mcp/${slug}`, {
    headers: { 'arcade-user-id': user },
    body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: args } },
  });
  return answer.body.result ?? answer.body.error;
}

const member = { user_id: 'ann', groups: ['staff'], gateway: 'explained' };
const words = { words: ['a', 'b'] };

describe('explain', () => {
  it('names every grant that speaks of the tool, and why it matches or not', async () => {
    const told = await explain({ ...member, tool: 'Test_Join', arguments: words });
    assert.equal(told.decision, 'allowed');
    assert.equal(told.access, 'granted');
    const matching = told.grants.map(({ id, matches }: { id: string; matches: boolean }) => [id, matches]);
    assert.deepEqual(matching, [
      [ids.allow, true],
      [ids.deny, false],
    ]);
    for (const { why } of told.grants) assert.match(why, /\w/);
  });

  it('refuses where no grant allows, and where one denies', async () => {
    const stranger = await explain({ user_id: 'ann', gateway: 'explained', tool: 'Test.Join' });
    assert.deepEqual([stranger.decision, stranger.code], ['refused', 'policy.not_granted']);
    const denied = await explain({ ...member, user_id: 'eve', tool: 'Test.Join' });
    assert.equal(denied.code, 'policy.not_granted');
    assert.match(denied.reason, new RegExp(ids.deny));
  });

  it('knows the client that the user would come by', async () => {
    const rule = await made('rules', {
      name: 'Not by this client',
      direction: 'input',
      tools: ['Test.*'],
      condition: 'client == "client_x"',
      action: 'block',
    });
    const by = async (more: object) =>
      (await explain({ ...member, ...more, tool: 'Test.Join', arguments: words })).code;
    assert.equal(await by({ client_id: 'client_x' }), 'policy.input_blocked');
    assert.equal(await by({ client_id: 'client_y' }), null);
    assert.equal(await by({}), null);
    assert.equal((await server.ask('DELETE', `/v1/rules/${rule}`)).status, 204);
  });

  it('tells what every rule would do, where, and never with what', async () => {
    const told = await explain({ ...member, tool: 'Test.Join', arguments: { words: ['x 123-45-6789'] } });
    assert.deepEqual([told.decision, told.code], ['refused', 'policy.input_blocked']);
    const rules = new Map(told.rules.map((rule: { id: string }) => [rule.id, rule]));
    const block = rules.get(ids.block) as Record<string, unknown>;
    assert.deepEqual([block.outcome, block.count, block.places], ['blocked', 1, ['arguments.words[0]']]);
    const redact = rules.get(ids.redact) as Record<string, unknown>;
    assert.equal(redact.outcome, null);
    assert.match(String(redact.why), /no output/);
    assert.ok(!JSON.stringify(told).includes('123-45-6789'));
  });

  it('tries rules on an output that is given', async () => {
    const told = await explain({
      ...member,
      tool: 'Test.Join',
      arguments: words,
      output: { joined: 'a b', n: 1 },
    });
    assert.deepEqual(told.output, { joined: '[redacted]', n: 1 });
  });

  it('tells what is left of a limit, and uses nothing of it', async () => {
    for (let n = 0; n < 3; n++) {
      const told = await explain({ ...member, tool: 'Test.Fail', arguments: {} });
      const limits = told.limits.map(({ id, left }: { id: string; left: number }) => [id, left]);
      assert.deepEqual(limits, [[ids.limit, 1]]);
    }
  });

  it('finds a tool that the gateway does not show, and says so', async () => {
    const told = await explain({ user_id: 'ann', gateway: 'other', tool: 'Test.Join' });
    assert.deepEqual([told.decision, told.code], ['refused', 'catalog.tool_unknown']);
    assert.match(told.reason, /tool_filter/);
  });

  it('refuses what is not there, by the name of the field', async () => {
    for (const [body, field] of [
      [{ user_id: 'ann', tool: 'No.Such' }, 'tool'],
      [{ user_id: 'ann', tool: 'Test.Join', gateway: 'none' }, 'gateway'],
      [{ user_id: 'ann', tool: 'Test.Join', group: ['x'] }, 'group'],
    ] as const) {
      const { status, body: told } = await server.ask('POST', '/v1/policy/explain', { body });
      assert.ok(status === 404 || status === 400);
      assert.equal(told.field, field);
    }
  });

  it('tries rules on what a hook made of the arguments, and tells nothing of what they block', async (t) => {
    const hooks = await startHookServer();
    t.after(hooks.close);
    const pre = { url: `${hooks.url}/pre`, failure_mode: 'fail_closed', phase: 'before' };
    const plugin = {
      name: 'rewrites',
      plugin_type: 'webhook',
      webhook_config: { endpoints: { pre }, auth: { type: 'none' } },
    };
    const id = await made('plugins', plugin);
    t.after(async () => {
      const { body } = await server.ask('GET', '/v1/hooks');
      for (const hook of body.items) await server.ask('DELETE', `/v1/hooks/${hook.id}`);
      assert.equal((await server.ask('DELETE', `/v1/plugins/${id}`)).status, 204);
    });
    hooks.answers['/pre'] = () => ({ code: 'OK', override: { inputs: { words: ['c'] } } });
    const changed = await explain({ ...member, tool: 'Test.Join', arguments: words });
    assert.deepEqual([changed.decision, changed.arguments], ['allowed', { words: ['c'] }]);
    for (const [said, code] of [
      ['123-45-6789', 'policy.input_blocked'],
      [7, 'catalog.arguments_invalid'],
    ]) {
      hooks.answers['/pre'] = () => ({ code: 'OK', override: { inputs: { words: [said] } } });
      const told = await explain({ ...member, tool: 'Test.Join', arguments: words });
      assert.deepEqual([told.decision, told.code], ['refused', code]);
      assert.ok(!JSON.stringify(told).includes('123-45-6789'));
    }
  });

  it('decides as the call itself does', async () => {
    for (const [user, args] of [
      ['ann', words],
      ['eve', words],
      ['ann', { words: ['123-45-6789'] }],
      ['ann', { words: 7 }],
    ] as const) {
      const told = await explain({ user_id: user, gateway: 'other', tool: 'Test.Count', arguments: args });
      const got = await call(user, 'Test_Count', args, 'other');
      const { body } = await server.ask('GET', '/v1/audit_events?limit=1&kind=tool_call');
      assert.equal(told.decision, got.isError === false ? 'allowed' : 'refused', JSON.stringify(got));
      assert.equal(told.code, body.items[0].code);
    }
  });
});

describe('simulate', () => {
  const simulate = async (body: object) => {
    const answer = await server.ask('POST', '/v1/policy/simulate', { body });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body;
  };

  it('lists the recorded calls that a change would decide otherwise, and changes nothing', async () => {
    await call('zoe', 'Test_Count', {}, 'other');
    await call('eve', 'Test_Count', {}, 'other');
    const version = (await explain({ ...member, tool: 'Test.Join' })).policy_version;
    const told = await simulate({
      gateway: 'other',
      remove_grants: [ids.deny],
      add_grants: [{ subject: { user: 'zoe' }, tools: ['*'], effect: 'deny' }],
      limit: 2,
    });
    assert.equal(told.checked, 2);
    const differences = told.differences.map(
      (one: { user_id: string; simulated: { decision: string; code: string } }) => [
        one.user_id,
        one.simulated.decision,
        one.simulated.code,
      ],
    );
    assert.deepEqual(differences, [
      ['eve', 'allowed', null],
      ['zoe', 'refused', 'policy.not_granted'],
    ]);
    assert.equal((await explain({ ...member, tool: 'Test.Join' })).policy_version, version);
    assert.equal((await call('zoe', 'Test_Count', {}, 'other')).isError, false);
  });

  it('what a key refused is not told as what the change would do; with no change, what changed since is told', async () => {
    const key = await server.newKey({ name: 'narrow', scopes: ['call'], tools: ['Test.Join'] });
    await server.ask('POST', '/mcp/other', {
      key,
      headers: { 'arcade-user-id': 'kim' },
      body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'Test_Count' } },
    });
    const add_grants = [{ subject: { user: 'nobody' }, tools: ['*'], effect: 'deny' }];
    assert.deepEqual((await simulate({ gateway: 'other', add_grants, limit: 1 })).differences, []);
    await call('max', 'Test_Count', {}, 'other');
    const deny = await made('grants', { subject: { user: 'max' }, tools: ['Test.*'], effect: 'deny' });
    const { differences } = await simulate({ gateway: 'other', limit: 1 });
    assert.deepEqual([differences[0].user_id, differences[0].simulated.code], ['max', 'policy.not_granted']);
    await server.ask('DELETE', `/v1/grants/${deny}`);
  });

  it('a gateway that would begin to take grants would refuse who has none', async () => {
    await call('zoe', 'Test_Count', {}, 'other');
    const told = await simulate({ gateway: 'other', access: { other: 'granted' }, limit: 1 });
    assert.deepEqual(told.differences[0].simulated.code, 'policy.not_granted');
  });

  it('what a new rule would do is undetermined: arguments are not recorded', async () => {
    await call('zoe', 'Test_Count', {}, 'other');
    const rule = {
      name: 'r',
      direction: 'input',
      tools: ['Test.*'],
      match: { detector: 'iban' },
      action: 'block',
    };
    const told = await simulate({ gateway: 'other', add_rules: [rule], limit: 1 });
    assert.equal(told.differences[0].simulated.decision, 'undetermined');
    const bad = { ...rule, match: { pattern: '(' } };
    const { status, body } = await server.ask('POST', '/v1/policy/simulate', { body: { add_rules: [bad] } });
    assert.deepEqual([status, body.field], [400, 'add_rules.0.match.pattern']);
  });

  it('what is not there cannot be changed', async () => {
    for (const [change, field] of [
      [{ access: { nowhere: 'granted' } }, 'access.nowhere'],
      [{ remove_grants: ['grant_nope'] }, 'remove_grants'],
      [{ remove_rules: ['rule_nope'] }, 'remove_rules'],
    ] as const) {
      const { status, body } = await server.ask('POST', '/v1/policy/simulate', { body: change });
      assert.deepEqual([status, body.field], [400, field]);
    }
  });
});
