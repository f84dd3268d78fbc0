import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eras } from './both-eras.ts';
import { type EraClient, openEraClient } from './era-client.ts';
import { type Era, type EraServer, startEraServer } from './era-server.ts';
import { type Json, startApp, startReferenceServer, type TestApp, type TestWorker } from './start-app.ts';

/** A gateway that presents the hub, before a worker and an MCP server of each era; asked over MCP of both generations. */

const secret = 'a-secret-of-at-least-32-characters-00';
const six = [
  'search_tools',
  'get_tool_details',
  'execute_tool',
  'resume_execution',
  'cancel_execution',
  'list_namespaces',
];
let worker: TestWorker;
let servers: Readonly<Record<Era, EraServer>>;
let app: TestApp;
const clients = new Map<string, EraClient>();

before(async () => {
  worker = await startReferenceServer(secret);
  servers = { legacy: await startEraServer('legacy'), modern: await startEraServer('modern') };
  app = await startApp(`
workers:
  - { id: reference, http: { uri: "${worker.uri}", secret: { value: ${secret} } } }
  - { id: legacy, mcp: { uri: "${servers.legacy.uri}" } }
  - { id: modern, mcp: { uri: "${servers.modern.uri}" } }
gateways:
  - { name: Hub, slug: hub, presentation: hub }
  - { name: Few, slug: few, presentation: auto, tool_filter: { allowed_tools: ["ArcadeEvalRef.*"] } }
  - { name: Many, slug: many, presentation: auto, access: granted }
  - { name: Other, slug: other, tool_filter: { allowed_tools: ["ArcadeEvalRef.*"] } }
hub: { auto: { tools: 10 } }
grants:
  - { subject: { everyone: true }, tools: ["legacy.*"], effect: allow, gateway: many }
  - { subject: { user: bob }, tools: ["legacy.A*", "legacy.S*"], effect: deny, gateway: many }
  - { subject: { user: carol }, tools: ["legacy.*"], effect: deny, gateway: many }
  - { subject: { user: carol }, tools: ["modern.Echo"], effect: allow, gateway: many }
`);
  for (const id of ['reference', ...eras]) await app.app.rooms.sources.refresh('default', id);
});
after(async () => {
  for (const client of clients.values()) await client.close();
  await app?.close();
  for (const era of eras) await servers?.[era].close();
  await worker?.stop();
});

async function clientOf(era: Era, slug = 'hub', user = 'alice'): Promise<EraClient> {
  const name = [era, slug, user].join();
  const headers = { authorization: `Bearer ${app.key}`, 'arcade-user-id': user };
  const client = clients.get(name) ?? (await openEraClient(era, `${app.url}/mcp/${slug}`, headers));
  clients.set(name, client);
  return client;
}

async function listed(era: Era, slug: string, user?: string): Promise<string[]> {
  const { result } = await (await clientOf(era, slug, user)).request('tools/list');
  return result.tools.map(({ name }: Json) => name);
}

async function call(era: Era, name: string, args: object): Promise<Json> {
  const outcome = await (await clientOf(era)).request('tools/call', { name, arguments: args });
  assert.equal(outcome.error, undefined, JSON.stringify(outcome.error));
  return outcome;
}

async function told(era: Era, name: string, args: object): Promise<Json> {
  const { result } = await call(era, name, args);
  assert.equal(result.isError, false, JSON.stringify(result));
  return result.structuredContent;
}

for (const era of eras) {
  describe(`a gateway that presents the hub, to a ${era} client`, () => {
    it('lists the six and nothing else', async () => {
      assert.deepEqual(await listed(era, 'hub'), six);
    });

    it('finds tools by what they do, several intents at once, and within a namespace', async () => {
      const { tools } = await told(era, 'search_tools', { query: 'add two numbers' });
      assert.equal(tools[0].tool, 'worker://ArcadeEvalRef.Add');
      assert.equal(tools[0].namespace, 'worker://ArcadeEvalRef');
      const both = await told(era, 'search_tools', {
        queries: ['which user is calling', 'add numbers'],
        limit: 2,
      });
      assert.deepEqual(both.tools.map(({ tool }: Json) => tool).toSorted(), [
        'worker://ArcadeEvalRef.Add',
        'worker://ArcadeEvalRef.Whoami',
      ]);
      const within = await told(era, 'search_tools', { query: 'echo', namespace: 'mcp://modern' });
      assert.equal(within.tools[0].tool, 'mcp://modern.Echo');
      assert.ok(within.tools.every(({ namespace }: Json) => namespace === 'mcp://modern'));
      const workers = await told(era, 'search_tools', { query: 'echo', kinds: ['worker'] });
      assert.ok(workers.tools.every(({ tool }: Json) => tool.startsWith('worker://')));
    });

    it('says what to try where nothing fits', async () => {
      const adviceOn = async (args: object) => (await told(era, 'search_tools', args)).advice;
      assert.match(await adviceOn({ query: 'zzzz' }), /^Nothing was found\. Search again in other words/);
      const elsewhere = await adviceOn({ query: 'add two numbers', namespace: 'worker://ArcadeEvalRe' });
      assert.match(
        elsewhere,
        /Perhaps worker:\/\/ArcadeEvalRef is meant\. worker:\/\/ArcadeEvalRef .*may have it/,
      );
      const none = await adviceOn({ query: 'add two numbers', kinds: ['automation_hub'] });
      assert.match(none, /is of automation_hub: all are of worker or mcp\. worker:\/\/ArcadeEvalRef /);
      const missed = await adviceOn({ queries: ['add two numbers', 'zzzz'] });
      assert.match(missed, /^Nothing was found for "zzzz"\./);
      assert.equal(await adviceOn({ query: 'add two numbers' }), undefined);
    });

    it('tells everything of tools that are there, and of others that they are unknown', async () => {
      const asked = { tools: ['worker://ArcadeEvalRef.Add', 'ArcadeEvalRef_Whoami', 'mcp://legacy.No'] };
      const { tools } = await told(era, 'get_tool_details', asked);
      assert.deepEqual(Object.keys(tools[0].input_schema.properties), ['a', 'b']);
      assert.equal(tools[0].lifecycle, 'active');
      assert.equal(tools[1].tool, 'worker://ArcadeEvalRef.Whoami');
      assert.deepEqual([tools[2].tool, tools[2].error.name], ['mcp://legacy.No', 'catalog.tool_unknown']);
    });

    it('counts what there is, by namespace', async () => {
      const { namespaces } = await told(era, 'list_namespaces', { prefix: 'worker://' });
      assert.equal(namespaces.length, 1);
      assert.deepEqual([namespaces[0].namespace, namespaces[0].tools], ['worker://ArcadeEvalRef', 3]);
    });

    it('runs the tools of a worker and of servers of both eras, with their own content', async () => {
      const sum = await told(era, 'execute_tool', { tool: 'ArcadeEvalRef.Add', input: { a: 1, b: 2 } });
      assert.deepEqual([sum.status, sum.output], ['succeeded', 3]);
      const who = await told(era, 'execute_tool', { tool: 'worker://ArcadeEvalRef.Whoami' });
      assert.match(JSON.stringify(who.output), /alice/);
      for (const of of eras) {
        const { result } = await call(era, 'execute_tool', { tool: `mcp://${of}.Echo`, input: {} });
        assert.deepEqual(result.structuredContent.output, { said: 'Echo' });
        assert.deepEqual(result.content.slice(1), [{ type: 'text', text: 'Echo' }]);
      }
    });

    it('takes arguments as models write them', async () => {
      const asText = { tool: 'ArcadeEvalRef.Add', input: '{"a":1,"b":2}', idempotency_key: null };
      assert.equal((await told(era, 'execute_tool', asText)).output, 3);
      const one = await told(era, 'get_tool_details', { tools: 'ArcadeEvalRef.Add' });
      assert.equal(one.tools.length, 1);
    });

    it('puts the questions of a tool to the client that can be asked, in any mode', async () => {
      for (const of of eras) {
        for (const mode of ['sync', 'interactive']) {
          const { result, asked } = await call(era, 'execute_tool', { tool: `mcp://${of}.AskForm`, mode });
          assert.equal(result.structuredContent.status, 'succeeded', JSON.stringify(result));
          assert.deepEqual(
            asked.map(({ method }: Json) => method),
            ['elicitation/create'],
          );
        }
      }
    });

    it('passes on the progress of a tool under the token of the client', async () => {
      const client = await clientOf(era);
      const { said } = await client.request(
        'tools/call',
        { name: 'execute_tool', arguments: { tool: `mcp://${era}.Steps` } },
        { meta: { progressToken: 'mine' } },
      );
      const progress = said.filter(({ method }: Json) => method === 'notifications/progress');
      assert.ok(progress.length > 0);
      assert.ok(progress.every(({ params }: Json) => params.progressToken === 'mine'));
    });

    it('says of wrong arguments which and why', async () => {
      for (const [name, args, field] of [
        ['search_tools', {}, 'arguments.query'],
        ['search_tools', { query: '  ' }, 'arguments.query'],
        ['search_tools', { query: 'x'.repeat(2001) }, 'arguments.query'],
        ['search_tools', { query: 'x', limit: 26 }, 'arguments.limit'],
        ['get_tool_details', { tools: ['a', 'b', 'c', 'd', 'e', 'f'] }, 'arguments.tools'],
        ['execute_tool', { tool: 'ArcadeEvalRef.Add', input: { a: 1 } }, 'input.b'],
        ['execute_tool', { tool: 'ArcadeEvalRef.Add', input: { a: 'x', b: 1 } }, 'input.a'],
      ] as const) {
        const { result } = await call(era, name, args);
        assert.equal(result.isError, true);
        const { code, field: told } = result._meta['sallyport/refusal'];
        assert.deepEqual([code, told], ['catalog.arguments_invalid', field]);
      }
    });

    it('answers queries that are no words', async () => {
      for (const query of ['\u0000\u0001\ufffd', "'; drop table tools; --", '"*:*" OR 1=1', '😀😀']) {
        assert.ok(Array.isArray((await told(era, 'search_tools', { query })).tools), query);
      }
    });

    it('runs a tool by its own name, too: only the list is another', async () => {
      const { result } = await call(era, 'ArcadeEvalRef_Add', { a: 1, b: 2 });
      assert.deepEqual(result.structuredContent, { result: 3 });
    });

    it('knows no execution of somebody else', async () => {
      const mine = await told(era, 'execute_tool', { tool: 'ArcadeEvalRef.Whoami' });
      const others = await clientOf(era, 'hub', 'mallory');
      for (const name of ['resume_execution', 'cancel_execution']) {
        const ask = async (execution_id: string) =>
          (await others.request('tools/call', { name, arguments: { execution_id } })).result;
        const { execution_id: id } = mine;
        const [theirs, nobodys] = [await ask(id), await ask('te_nobodys')];
        assert.equal(theirs._meta['sallyport/refusal'].code, 'execution.unknown');
        assert.equal(JSON.stringify(theirs).replace(id, 'te_nobodys'), JSON.stringify(nobodys));
      }
    });
  });

  describe(`a gateway that leaves its presentation open, to a ${era} client`, () => {
    it('lists few tools, and shows the six to who would see many', async () => {
      assert.deepEqual(await listed(era, 'few'), [
        'ArcadeEvalRef_Echo',
        'ArcadeEvalRef_Add',
        'ArcadeEvalRef_Whoami',
      ]);
      assert.deepEqual(await listed(era, 'many'), six);
    });

    it('decides by what each caller may see, so that nobody learns of the rest', async () => {
      assert.deepEqual(await listed(era, 'many', 'carol'), ['modern_Echo']);
      const bobs = await listed(era, 'many', 'bob');
      assert.deepEqual([bobs.length, bobs.includes('legacy_Echo')], [9, true]);
    });

    it('knows none of the six where it shows tools', async () => {
      for (const slug of ['few', 'other']) {
        const { error } = await (await clientOf(era, slug)).request('tools/call', {
          name: 'search_tools',
          arguments: { query: 'add' },
        });
        assert.equal(error.data.name, 'catalog.tool_unknown');
      }
    });
  });
}

it('tells clients when a gateway presents itself in another way', async () => {
  const made = await app.api('POST', '/v1/gateways', { name: 'Turns', slug: 'turns' });
  const { id } = (await made.json()) as Json;
  for (const [era, presentation] of [
    ['legacy', 'hub'],
    ['modern', 'tools'],
  ] as const) {
    const client = await clientOf(era, 'turns');
    await client.request('tools/list');
    const listening = await client.listen();
    assert.equal((await app.api('PATCH', `/v1/gateways/${id}`, { presentation })).status, 200);
    await listening.next('notifications/tools/list_changed');
    assert.equal((await listed(era, 'turns')).includes('search_tools'), presentation === 'hub');
  }
});

it('leaves one record of each thing that was asked, and the call its own', async () => {
  const since = new Date().toISOString();
  await told('modern', 'search_tools', { query: 'who' });
  await told('modern', 'get_tool_details', { tools: ['ArcadeEvalRef.Add'] });
  await told('modern', 'list_namespaces', {});
  await told('modern', 'execute_tool', { tool: 'ArcadeEvalRef.Add', input: { a: 1, b: 2 } });
  await call('modern', 'execute_tool', { tool: 'mcp://no.such' });
  await call('modern', 'execute_tool', {});
  await call('modern', 'search_tools', {});
  const records = await app.records(`&since=${since}&gateway=hub`);
  assert.deepEqual(
    records.map(({ kind, tool, decision, code }) => [kind, tool, decision, code]).toReversed(),
    [
      ['tool_list', 'search_tools', 'allowed', null],
      ['tool_list', 'get_tool_details', 'allowed', null],
      ['tool_list', 'list_namespaces', 'allowed', null],
      ['tool_call', 'ArcadeEvalRef.Add', 'allowed', null],
      ['tool_call', 'execute_tool', 'refused', 'catalog.tool_unknown'],
      ['tool_call', null, 'refused', 'catalog.arguments_invalid'],
      ['tool_call', null, 'refused', 'catalog.arguments_invalid'],
    ],
  );
});
