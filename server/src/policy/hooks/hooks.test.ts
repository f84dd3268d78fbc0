import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { type HookServer, startHookServer } from '../../../test/hook-server.ts';
import { alice, callOf, startHooked, toolOf, webhook } from './fixtures/hooked.ts';

let hooked: Awaited<ReturnType<typeof startHooked>>;
const servers: HookServer[] = [];
before(async () => {
  hooked = await startHooked();
});
afterEach(async () => {
  await hooked.clear();
  for (const { problems } of servers) assert.deepEqual(problems, []);
  for (const server of servers.splice(0)) await server.close();
});
after(() => hooked?.close());

async function newServer(): Promise<HookServer> {
  const server = await startHookServer();
  servers.push(server);
  return server;
}

const tool = toolOf('Github.CreateIssue', {
  requirements: {
    authorization: { provider_id: 'github', provider_type: 'oauth2', id: null, oauth2: { scopes: ['repo'] } },
    secrets: [{ key: 'API_KEY' }],
    metadata: null,
  },
  metadata: {
    classification: { service_domains: ['crm'] },
    behavior: { operations: ['create'], read_only: false, destructive: null, surprise: true },
    extras: { IdP: 'entra_id' },
  },
});
const metadata = {
  classification: { service_domains: ['crm'] },
  behavior: { operations: ['create'], read_only: false },
  extras: { IdP: 'entra_id' },
};

describe('a hook server is asked by the contract', () => {
  it('about access: every tool with what it wants and says of itself', async () => {
    const server = await newServer();
    await hooked.add(webhook(server.url, { access: {} }));
    const plain = toolOf('other/Github.CreateIssue', {
      toolkit: { name: 'Github', version: null, description: null },
    });
    const answer = await hooked.asking.access('p', alice, [tool, plain], null);
    assert.ok(answer.allows(tool) && answer.allows(plain));
    assert.deepEqual(
      server.asked.map(({ body }) => body),
      [
        {
          user_id: 'alice',
          toolkits: {
            Github: {
              tools: {
                CreateIssue: [
                  {
                    version: '1.0.0',
                    requirements: {
                      authorization: [
                        { provider_id: 'github', provider_type: 'oauth2', oauth2: { scopes: ['repo'] } },
                      ],
                      secrets: [{ name: 'API_KEY' }],
                    },
                    metadata,
                  },
                ],
              },
            },
            // Another source's toolkit of the same name is another one.
            'other/Github': { tools: { CreateIssue: [{ version: '', requirements: {} }] } },
          },
        },
      ],
    );
  });

  it('with what is known of the user', async () => {
    const server = await newServer();
    await hooked.add(webhook(server.url, { pre: {} }));
    const subject = { userId: 'ann', groups: ['staff'], claims: { floor: 3 }, clientId: 'client_1' };
    await hooked.asking.pre(callOf(tool, {}, { subject }));
    assert.deepEqual(server.asked[0]?.body.context, {
      user_id: 'ann',
      authorization: [],
      secrets: ['API_KEY'],
      metadata: { groups: ['staff'], claims: { floor: 3 }, client_id: 'client_1' },
    });
  });

  it('before and after a call; secrets by their names only', async () => {
    const server = await newServer();
    await hooked.add(webhook(server.url, { pre: {}, post: {} }));
    server.answers['/pre'] = () => ({ code: 'OK', override: { secrets: [{ EXTRA: 'hidden' }] } });
    await hooked.asking.pre(callOf(tool, { title: 'x' }));
    await hooked.asking.post({
      ...callOf(tool, { title: 'x' }),
      success: false,
      output: { n: 1 },
      code: '500',
      error: 'it broke',
    });
    const asked = {
      execution_id: 'te_1',
      tool: { name: 'CreateIssue', toolkit: 'Github', version: '1.0.0', metadata },
      inputs: { title: 'x' },
      context: { user_id: 'alice', authorization: [], secrets: ['API_KEY'], metadata: {} },
    };
    assert.deepEqual(
      server.asked.map(({ path, body }) => ({ path, body })),
      [
        { path: '/pre', body: asked },
        {
          path: '/post',
          body: {
            ...asked,
            success: false,
            output: { n: 1 },
            execution_code: '500',
            execution_error: 'it broke',
          },
        },
      ],
    );
  });
});

describe('order', () => {
  it("is the organisation's before, the project's, the organisation's after; by priority, then age; each sees what the one before changed", async () => {
    const server = await newServer();
    const names = ['after', 'project-2', 'project-1a', 'project-1b', 'before-9', 'before-1'];
    for (const name of names) {
      server.answers[`/${name}`] = ({ inputs }) => ({
        code: 'OK',
        override: { inputs: { seen: [...inputs.seen, name] } },
      });
      const [phase = ''] = name.split('-');
      const conduct = {
        url: `${server.url}/${name}`,
        phase: phase === 'after' ? ('after' as const) : ('before' as const),
        priority: Number(/\d/.exec(name)?.[0] ?? 0),
      };
      await hooked.add(webhook(server.url, { pre: conduct }), phase === 'project' ? 'project' : 'tenant');
    }
    const answer = await hooked.asking.pre(callOf(tool, { seen: [], kept: 1 }));
    assert.ok(answer.ok);
    assert.deepEqual(answer.value.args, {
      seen: ['before-1', 'before-9', 'project-1a', 'project-1b', 'project-2', 'after'],
      kept: 1,
    });
    server.problems.length satisfies number;
    // These paths are not the contract's, which is what is told of here.
    (server.problems as string[]).splice(0);
  });

  it('ends at the first denial', async () => {
    const [first, second] = [await newServer(), await newServer()];
    await hooked.add(webhook(first.url, { pre: {} }));
    await hooked.add(webhook(second.url, { pre: {} }));
    first.answers['/pre'] = () => ({ code: 'CHECK_FAILED', error_message: 'not on Fridays' });
    const answer = await hooked.asking.pre(callOf(tool));
    assert.ok(!answer.ok);
    assert.deepEqual([answer.error.code, answer.error.message], ['policy.hook_denied', 'not on Fridays']);
    assert.doesNotMatch(answer.error.reason ?? '', /Fridays/);
    assert.deepEqual(
      answer.error.traces.map(({ code, hook_point }) => [code, hook_point]),
      [['CHECK_FAILED', 'tool.pre']],
    );
    assert.equal(second.asked.length, 0);
  });

  it('passes over hooks and plugins that are inactive, and nobody is asked where none is left', async () => {
    const server = await newServer();
    await hooked.add(webhook(server.url, { pre: { status: 'inactive' }, access: {} }));
    await hooked.add(webhook(server.url, { pre: {}, post: {} }, { status: 'inactive' }));
    assert.deepEqual(
      (['access', 'pre', 'post'] as const).map((point) => hooked.asking.has('p', point)),
      [true, false, false],
    );
    assert.equal(hooked.asking.has('another', 'access'), false);
  });
});

describe('what hooks say', () => {
  it('replaces inputs by name, gives secrets, and overrides outputs even by null', async () => {
    const server = await newServer();
    await hooked.add(webhook(server.url, { pre: {}, post: {} }));
    server.answers['/pre'] = () => ({
      code: 'OK',
      override: { inputs: { path: '/safe' }, secrets: [{ A: '1' }, { B: '2', A: '3' }] },
    });
    const pre = await hooked.asking.pre(callOf(tool, { path: '/', content: 'x' }));
    assert.ok(pre.ok);
    assert.deepEqual(pre.value.args, { path: '/safe', content: 'x' });
    assert.deepEqual(pre.value.secrets, [
      { key: 'A', value: '3' },
      { key: 'B', value: '2' },
    ]);
    assert.deepEqual(pre.value.traces[0]?.override, ['inputs', 'secrets']);
    const call = { ...callOf(tool), success: true, output: 5, code: '200', error: null };
    server.answers['/post'] = () => ({ code: 'OK', override: { output: null } });
    const post = await hooked.asking.post(call);
    assert.ok(post.ok);
    assert.deepEqual(post.value.output, { value: null });
    server.answers['/post'] = () => ({ code: 'OK', override: null, error_message: null });
    const unchanged = await hooked.asking.post(call);
    assert.ok(unchanged.ok);
    assert.equal(unchanged.value.output, null);
  });

  it('limits calls, with the time to wait where it is told', async () => {
    const server = await newServer();
    await hooked.add(webhook(server.url, { pre: {} }));
    server.misbehave = (_, response) =>
      response
        .writeHead(200, { 'content-type': 'application/json', 'retry-after': '7' })
        .end('{"code":"RATE_LIMIT_EXCEEDED"}');
    const answer = await hooked.asking.pre(callOf(tool));
    assert.ok(!answer.ok);
    assert.deepEqual([answer.error.code, answer.error.retryAfterMs], ['policy.rate_limited', 7000]);
  });

  it('is cut where it is long, and a denial of an output says that the tool ran', async () => {
    const server = await newServer();
    await hooked.add(webhook(server.url, { post: {} }));
    server.answers['/post'] = () => ({ code: 'CHECK_FAILED', error_message: 'x'.repeat(5000) });
    const answer = await hooked.asking.post({
      ...callOf(tool),
      success: true,
      output: 1,
      code: '200',
      error: null,
    });
    assert.ok(!answer.ok);
    assert.equal(answer.error.message.length, 2000);
    assert.deepEqual(answer.error.details, { tool_ran: true });
  });
});

describe('access', () => {
  const [a, b, c] = [toolOf('A.One'), toolOf('A.Two'), toolOf('B.One')];
  const shown = async (tools = [a, b, c], user = 'alice') => {
    const answer = await hooked.asking.access('p', { ...alice, userId: user }, tools, null);
    return tools.filter((one) => answer.allows(one)).map(({ ruleName }) => ruleName);
  };

  it('goes by `only` before `deny`, by toolkit, name and version', async () => {
    const server = await newServer();
    await hooked.add(webhook(server.url, { access: {} }));
    const cases: [object, string[]][] = [
      [{}, ['A.One', 'A.Two', 'B.One']],
      [{ only: null, deny: null }, ['A.One', 'A.Two', 'B.One']],
      [{ deny: { A: { tools: { One: [{ version: '1.0.0' }] } } } }, ['A.Two', 'B.One']],
      [{ deny: { A: { tools: { One: [{ version: '2.0.0' }], Two: [] } } } }, ['A.One', 'B.One']],
      [{ deny: { A: { tools: { one: [] } }, a: { tools: { Two: [] } } } }, ['A.One', 'A.Two', 'B.One']],
      [{ deny: { A: {} } }, ['B.One']],
      [{ only: { A: { tools: { One: [{}] } } }, deny: { A: { tools: { One: [] } } } }, ['A.One']],
      [{ only: { A: {} } }, []],
      [{ only: {} }, []],
    ];
    for (const [answer, expected] of cases) {
      server.answers['/access'] = () => answer;
      assert.deepEqual(await shown(), expected, JSON.stringify(answer));
    }
  });

  it('asks the next hook only for what is left', async () => {
    const [first, second] = [await newServer(), await newServer()];
    await hooked.add(webhook(first.url, { access: {} }));
    await hooked.add(webhook(second.url, { access: {} }));
    first.answers['/access'] = () => ({ only: { A: { tools: { One: [], Two: [] } } } });
    second.answers['/access'] = () => ({ deny: { A: { tools: { Two: [] } } } });
    assert.deepEqual(await shown(), ['A.One']);
    assert.deepEqual(Object.keys(second.asked[0]?.body.toolkits), ['A']);
  });

  it('is asked about every time without a cache', async () => {
    const server = await newServer();
    await hooked.add(webhook(server.url, { access: {} }));
    await shown();
    await shown();
    assert.equal(server.asked.length, 2);
  });

  it('is kept for each user and tool as long as the hook says, so that a list warms calls', async () => {
    const server = await newServer();
    const id = await hooked.add(webhook(server.url, { access: { cache_enabled: true, cache_ttl_ms: 1000 } }));
    server.answers['/access'] = () => ({ deny: { A: { tools: { Two: [] } } } });
    assert.deepEqual(await shown(), ['A.One', 'B.One']);
    assert.deepEqual(await shown([b]), []);
    const answer = await hooked.asking.access('p', alice, [a], null);
    assert.equal(answer.traces[0]?.cached, true);
    assert.equal(server.asked.length, 1);
    await shown([a], 'bob');
    assert.equal(server.asked.length, 2);
    await shown([a, toolOf('A.New')]);
    assert.deepEqual(server.asked[2]?.body.toolkits.A.tools, {
      New: [{ requirements: {}, version: '1.0.0' }],
    });
    hooked.clock.advance(1001);
    await shown([a]);
    assert.equal(server.asked.length, 4);
    await hooked.plugins.update({ projectId: 'p', by: 'key_1' }, id, { description: 'changed' });
    await shown([a]);
    assert.equal(server.asked.length, 5);
  });

  it('is asked once by those who ask the same at once', async () => {
    const server = await newServer();
    await hooked.add(webhook(server.url, { access: { cache_enabled: true } }));
    await Promise.all([shown(), shown(), shown()]);
    assert.equal(server.asked.length, 1);
  });

  it('that is not answered hides tools where it fails closed, shows them where it fails open, and is not kept', async () => {
    const server = await newServer();
    server.misbehave = (_, response) => response.writeHead(500).end();
    const id = await hooked.add(webhook(server.url, { access: { cache_enabled: true } }));
    assert.deepEqual(await shown([a]), []);
    await hooked.plugins.update({ projectId: 'p', by: 'key_1' }, id, {
      webhook_config: { endpoints: { access: { failure_mode: 'fail_open' } } },
    });
    const answer = await hooked.asking.access('p', alice, [a], null);
    assert.ok(answer.allows(a));
    assert.deepEqual(
      answer.traces.map(({ code, error }) => ({ code, error })),
      [{ code: 'failed', error: 'it answered HTTP 500' }],
    );
    server.misbehave = null;
    server.answers['/access'] = () => ({ only: {} });
    assert.deepEqual(await shown([a]), []);
  });

  it('is told of to listening clients when an access hook, its plugin or group access changes', async () => {
    const server = await newServer();
    const count = async (work: () => Promise<unknown>) => {
      const earlier = hooked.accessChanges();
      await work();
      return hooked.accessChanges() - earlier;
    };
    let id = '';
    assert.ok((await count(async () => (id = await hooked.add(webhook(server.url, { access: {} }))))) > 0);
    const change = { projectId: 'p', by: 'key_1' };
    assert.ok((await count(() => hooked.plugins.update(change, id, { status: 'inactive' }))) > 0);
    assert.equal(await count(() => hooked.add(webhook(server.url, { pre: {} }))), 0);
  });
});
