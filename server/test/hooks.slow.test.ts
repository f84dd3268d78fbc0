import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { createServer, ToolError } from '@sallyport/server';
import { z } from 'zod';
import { eras } from './both-eras.ts';
import { type EraClient, openEraClient } from './era-client.ts';
import { type EraServer, startEraServer } from './era-server.ts';
import { type HookServer, startHookServer } from './hook-server.ts';
import { type Json, messageOf, startApp, type TestApp, toolCall } from './start-app.ts';

/** Hook servers, written from their contract alone, around calls of both eras and over the REST API. */

const secret = 'a-worker-secret-of-more-than-32-bytes';
const token = 'the-token-of-the-hook-server';

async function startWorker() {
  const ran: object[] = [];
  const server = createServer({ name: 'Mail', version: '1.0.0', description: 'Letters' });
  server.tool(
    {
      name: 'Send',
      description: 'Sends a letter',
      input: z.object({ to: z.string(), text: z.string().optional() }),
      output: z.object({ sent: z.string() }),
    },
    (letter) => {
      ran.push(letter);
      return { sent: `${letter.text} to ${letter.to}` };
    },
  );
  server.tool({ name: 'Burn', description: 'Fails' }, () => {
    throw new ToolError('it burnt');
  });
  server.tool(
    { name: 'Sign', description: 'Signs', requires: { secrets: ['SEAL'] }, output: z.string() },
    (_, context) => `sealed with ${context.secrets.get('SEAL')}`,
  );
  const running = await server.listen({ port: 0, workerSecret: secret, env: {} });
  return { ran, uri: running.url, stop: () => running.stop() };
}

let worker: Awaited<ReturnType<typeof startWorker>>;
let mcp: EraServer;
let app: TestApp;
let hooks: HookServer;
const clients: EraClient[] = [];

before(async () => {
  [worker, mcp, hooks] = await Promise.all([
    startWorker(),
    startEraServer('modern'),
    startHookServer({ token }),
  ]);
  app = await startApp(`
workers:
  - { id: mail, http: { uri: "${worker.uri}", secret: "${secret}" } }
  - { id: remote, mcp: { uri: "${mcp.uri}" } }
gateways:
  - { name: All, slug: all }
  - name: Curated
    slug: curated
    presentation: hub
    tools: [{ tool: Mail.Send, arguments: { fixed: { to: bob }, hidden: [text] } }]
egress: { allow: [127.0.0.0/8] }
`);
  for (const id of ['mail', 'remote']) await app.app.rooms.sources.refresh('default', id);
});
after(async () => {
  await app?.close();
  await hooks?.close();
  await mcp?.close();
  await worker?.stop();
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  for (const binding of ['project', 'tenant']) {
    for (const { id } of (await api('GET', `/hooks?binding_type=${binding}&limit=100`)).body.items)
      await api('DELETE', `/hooks/${id}`);
    for (const { id } of (await api('GET', `/plugins?binding_type=${binding}&limit=100`)).body.items)
      await api('DELETE', `/plugins/${id}`);
  }
  for (const path of Object.keys(hooks.answers)) delete hooks.answers[path];
  hooks.misbehave = null;
  assert.deepEqual(hooks.problems, []);
});

async function api(method: string, path: string, body?: unknown) {
  const response = await app.api(method, `/v1${path}`, body);
  const text = await response.text();
  return { status: response.status, body: (text === '' ? null : JSON.parse(text)) as Json };
}

async function add(
  points: Record<string, object>,
  { binding = 'project', server = hooks }: { binding?: string; server?: HookServer } = {},
): Promise<string> {
  const endpoints = Object.fromEntries(
    Object.entries(points).map(([point, conduct]) => [
      point,
      { url: `${server.url}/${point}`, failure_mode: 'fail_closed', phase: 'before', ...conduct },
    ]),
  );
  const made = await api('POST', `/plugins?binding_type=${binding}`, {
    name: 'Checks',
    plugin_type: 'webhook',
    webhook_config: { endpoints, auth: { type: 'bearer', token } },
  });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return made.body.id;
}

async function connect(era: (typeof eras)[number]): Promise<EraClient> {
  const headers = { authorization: `Bearer ${app.key}`, 'arcade-user-id': 'alice' };
  const client = await openEraClient(era, `${app.url}/mcp/all`, headers);
  clients.push(client);
  return client;
}

const letter = { to: 'bob', text: 'hello' };
const execute = (tool_name: string, input: object = letter) =>
  api('POST', '/tools/execute', { tool_name, user_id: 'alice', input });

for (const era of eras) {
  describe(`hooks around calls on MCP, ${era}`, () => {
    it('hide a tool from the list, and a call of it is answered as one of a tool that is not there', async () => {
      await add({ access: {} });
      hooks.answers['/access'] = () => ({ deny: { Mail: { tools: { Send: [] } } } });
      const client = await connect(era);
      const { tools } = (await client.request('tools/list')).result;
      const names = tools.map(({ name }: Json) => name);
      assert.ok(names.includes('Mail_Burn') && !names.includes('Mail_Send'));
      const before = worker.ran.length;
      const hidden = await client.request('tools/call', { name: 'Mail_Send', arguments: letter });
      const absent = await client.request('tools/call', { name: 'Mail_None', arguments: letter });
      assert.deepEqual(
        JSON.parse(JSON.stringify(hidden.error).replaceAll('Mail_Send', 'Mail_None')),
        absent.error,
      );
      assert.equal(worker.ran.length, before);
      const [record] = await app.records('&kind=tool_call&code=policy.not_granted');
      assert.deepEqual(
        record.policy.hooks.map(({ code, hook_point }: Json) => [code, hook_point]),
        [['CHECK_FAILED', 'tool.access']],
      );
    });

    it('a grant that goes while a hook thinks is gone: nothing runs, or the answer is withheld', async () => {
      const client = await connect(era);
      for (const [point, runs] of [
        ['access', 0],
        ['pre', 0],
        ['post', 1],
      ] as const) {
        const id = await add({ [point]: {} });
        const { grants } = app.app.rooms.policy;
        let deny = '';
        hooks.answers[`/${point}`] = async () => {
          const denied = { subject: { user: 'alice' }, tools: ['Mail.*'], effect: 'deny' } as const;
          deny = (await grants.create('default', { ...denied, tools: [...denied.tools] })).id;
          return point === 'access' ? {} : { code: 'OK' };
        };
        const before = worker.ran.length;
        const told = await client.request('tools/call', { name: 'Mail_Send', arguments: letter });
        assert.match(JSON.stringify(told.error ?? told.result), /taken away/);
        assert.equal(worker.ran.length, before + runs);
        const [record] = await app.records('&kind=tool_call&code=policy.not_granted');
        assert.equal(record.decision, runs === 0 ? 'refused' : 'failed');
        await grants.remove('default', deny);
        const [hook] = (await api('GET', `/hooks?plugin_id=${id}`)).body.items;
        await api('DELETE', `/hooks/${hook.id}`);
      }
    });

    it('tell listening clients when an access hook comes and goes', async () => {
      const client = await connect(era);
      const listening = await client.listen();
      const id = await add({ access: {} });
      await listening.next('notifications/tools/list_changed');
      const [hook] = (await api('GET', `/hooks?plugin_id=${id}`)).body.items;
      await api('DELETE', `/hooks/${hook.id}`);
      await listening.next('notifications/tools/list_changed');
    });

    it('override what goes in, and what comes out in all of its forms', async () => {
      await add({ pre: {}, post: {} });
      hooks.answers['/pre'] = () => ({ code: 'OK', override: { inputs: { text: 'changed' } } });
      const client = await connect(era);
      const call = (name: string, args: object) => client.request('tools/call', { name, arguments: args });
      assert.deepEqual((await call('Mail_Send', letter)).result.structuredContent, {
        sent: 'changed to bob',
      });
      assert.deepEqual(worker.ran.at(-1), { to: 'bob', text: 'changed' });
      assert.deepEqual(hooks.asked.at(-1)?.body.output, { sent: 'changed to bob' });

      hooks.answers['/post'] = ({ output }) => ({
        code: 'OK',
        override: { output: JSON.parse(JSON.stringify(output).replaceAll('bob', '[name]')) },
      });
      const { result } = await call('Mail_Send', letter);
      assert.deepEqual(result.structuredContent, { sent: 'changed to [name]' });
      assert.doesNotMatch(JSON.stringify(result), /bob/);
      mcp.raw = JSON.stringify({
        content: [{ type: 'text', text: 'bob was here' }],
        structuredContent: { who: 'bob' },
      });
      const remote = await call('remote_Raw', {});
      assert.deepEqual(remote.result.structuredContent, { who: '[name]' });
      assert.doesNotMatch(JSON.stringify(remote), /bob/);
    });

    it('that deny speak to the model in their own words', async () => {
      await add({ pre: {}, post: {} });
      const client = await connect(era);
      const call = async () =>
        (await client.request('tools/call', { name: 'Mail_Send', arguments: letter })).result;
      hooks.answers['/pre'] = () => ({ code: 'CHECK_FAILED', error_message: 'Letters only on Mondays.' });
      const count = worker.ran.length;
      const denied = await call();
      assert.deepEqual([denied.isError, worker.ran.length], [true, count]);
      assert.match(denied.content[0].text, /^Letters only on Mondays\./);
      hooks.answers['/pre'] = () => ({ code: 'RATE_LIMIT_EXCEEDED', error_message: 'Slowly.' });
      const limited = await call();
      assert.equal(limited._meta['sallyport/refusal'].code, 'policy.rate_limited');
      delete hooks.answers['/pre'];
      hooks.answers['/post'] = () => ({ code: 'CHECK_FAILED', error_message: 'Not this.' });
      const withheld = await call();
      assert.equal(withheld.isError, true);
      assert.doesNotMatch(JSON.stringify(withheld), /hello to bob/);
      assert.equal(worker.ran.length, count + 1);
    });
  });
}

describe('hooks around calls over the REST API', () => {
  it('override what goes in, what comes out and secrets; what they were asked is as the contract says', async () => {
    await add({ access: {}, pre: {}, post: {} });
    hooks.answers['/pre'] = () => ({
      code: 'OK',
      override: { inputs: { to: 'carol' }, secrets: [{ SEAL: 'wax' }] },
    });
    hooks.answers['/post'] = ({ output, inputs }) => ({
      code: 'OK',
      override: { output: { said: output, inputs } },
    });
    const { body } = await execute('Mail.Send');
    assert.deepEqual(body.output.value, {
      said: { sent: 'hello to carol' },
      inputs: { to: 'carol', text: 'hello' },
    });
    hooks.answers['/pre'] = () => ({ code: 'OK', override: { secrets: [{ SEAL: 'wax' }] } });
    delete hooks.answers['/post'];
    assert.equal((await execute('Mail.Sign', {})).body.output.value, 'sealed with wax');
    const asked = hooks.asked.at(-1)?.body;
    assert.deepEqual([asked.context.secrets, asked.output], [['SEAL'], 'sealed with wax']);
  });

  it('may not give the tool what it does not take', async () => {
    await add({ pre: {} });
    hooks.answers['/pre'] = () => ({ code: 'OK', override: { inputs: { to: 5 } } });
    const count = worker.ran.length;
    const { body } = await execute('Mail.Send');
    assert.equal(body.output.error.kind, 'TOOL_RUNTIME_BAD_INPUT_VALUE');
    assert.equal(worker.ran.length, count);
  });

  it('that deny are failed executions of the kind that clients know', async () => {
    await add({ access: {}, pre: {}, post: {} });
    hooks.answers['/pre'] = () => ({ code: 'CHECK_FAILED', error_message: 'No.' });
    const denied = (await execute('Mail.Send')).body;
    assert.deepEqual(
      [denied.success, denied.output.error.kind, denied.output.error.message],
      [false, 'CONTEXT_CHECK_FAILED', 'No.'],
    );
    delete hooks.answers['/pre'];
    hooks.answers['/post'] = () => ({ code: 'CHECK_FAILED' });
    const withheld = (await execute('Mail.Send')).body.output.error;
    assert.deepEqual(
      [withheld.kind, withheld.can_retry, withheld.extra.tool_ran],
      ['CONTEXT_CHECK_FAILED', false, true],
    );
    hooks.answers['/access'] = () => ({ only: {} });
    const hidden = await execute('Mail.Send');
    const absent = await execute('Mail.None');
    assert.deepEqual(
      [hidden.status, JSON.stringify(hidden.body).replaceAll('Mail.Send', 'Mail.None')],
      [absent.status, JSON.stringify(absent.body)],
    );
  });

  it('that hang close or open, as they are laid down; a failed output is never asked for again', async () => {
    const id = await add({ pre: { timeout_ms: 100 } });
    hooks.misbehave = () => {};
    const closed = (await execute('Mail.Send')).body.output.error;
    assert.deepEqual([closed.extra.code, closed.can_retry], ['policy.hook_failed', true]);
    const endpoints = { pre: { failure_mode: 'fail_open' } };
    await api('PATCH', `/plugins/${id}`, { webhook_config: { endpoints } });
    assert.equal((await execute('Mail.Send')).body.success, true);
    await api('PATCH', `/plugins/${id}`, { status: 'inactive' });
    await add({ post: { timeout_ms: 100 } });
    const withheld = (await execute('Mail.Send')).body.output.error;
    assert.deepEqual([withheld.extra.code, withheld.can_retry], ['policy.hook_failed', false]);
  });

  it("go from the organisation's to the project's and back; the record tells each, and nothing of the call", async () => {
    const say = (name: string) => (body: Json) => ({
      code: 'OK',
      override: { inputs: { text: `${body.inputs.text} ${name}` } },
    });
    const others = [await startHookServer({ token }), await startHookServer({ token })];
    try {
      const [late, own] = others as [HookServer, HookServer];
      await add({ pre: { phase: 'after' } }, { binding: 'tenant', server: late });
      await add({ pre: {} }, { server: own });
      await add({ pre: {} }, { binding: 'tenant' });
      hooks.answers['/pre'] = say('first');
      own.answers['/pre'] = say('second');
      late.answers['/pre'] = say('third');
      assert.equal((await execute('Mail.Send')).body.output.value.sent, 'hello first second third to bob');
      const [record] = await app.records('&kind=tool_call');
      assert.deepEqual(
        record.policy.hooks.map(({ code, override }: Json) => [code, override]),
        [0, 1, 2].map(() => ['OK', ['inputs']]),
      );
      assert.doesNotMatch(JSON.stringify(record), /hello|second/);
      for (const { problems } of others) assert.deepEqual(problems, []);
    } finally {
      for (const other of others) await other.close();
    }
  });

  it('change what a gateway hides, and not what it fixes, by whatever way a tool is called', async () => {
    await add({ pre: {} });
    const from = worker.ran.length;
    hooks.answers['/pre'] = () => ({
      code: 'OK',
      override: { inputs: { to: 'mallory', text: 'by the hook' } },
    });
    const call = async (name: string, args: object): Promise<Json> => {
      const { result, error } = await messageOf(await app.rpc('curated', toolCall(name, args)));
      return result ?? { isError: true, error };
    };
    const ways: readonly ((input: object) => Promise<Json>)[] = [
      (input) => call('Mail_Send', input),
      (input) => call('execute_tool', { tool: 'Mail.Send', input }),
    ];
    for (const way of ways) {
      const { isError } = await way({});
      assert.equal(isError, false);
      assert.deepEqual(worker.ran.at(-1), { to: 'bob', text: 'by the hook' });
      assert.deepEqual(hooks.asked.at(-1)?.body.inputs, { to: 'bob' });
      const ran = worker.ran.length;
      for (const input of [{ to: 'mallory' }, { text: 'by the caller' }])
        assert.equal((await way(input)).isError, true);
      assert.equal(worker.ran.length, ran);
    }
    hooks.answers['/pre'] = () => ({ code: 'OK', override: { inputs: { text: 5 } } });
    for (const way of ways) assert.match(JSON.stringify(await way({})), /text/);
    assert.equal(worker.ran.length, 2 + from);
  });

  it('hear of failed tools, and why they failed', async () => {
    await add({ post: {} });
    await execute('Mail.Burn', {});
    const asked = hooks.asked.at(-1)?.body;
    assert.deepEqual(
      [asked.success, asked.execution_code, asked.execution_error],
      [false, '500', 'it burnt'],
    );
  });

  it('outlive a restart, with their secrets', async () => {
    await add({ pre: {} });
    await app.restart();
    for (const id of ['mail', 'remote']) await app.app.rooms.sources.refresh('default', id);
    hooks.answers['/pre'] = () => ({ code: 'CHECK_FAILED', error_message: 'Still here.' });
    assert.equal((await execute('Mail.Send')).body.output.error.message, 'Still here.');
  });
});
