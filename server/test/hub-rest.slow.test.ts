import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type EraServer, startEraServer } from './era-server.ts';
import {
  type Json,
  messageOf,
  startApp,
  startReferenceServer,
  type TestApp,
  type TestWorker,
} from './start-app.ts';

const secret = 'a-secret-of-at-least-32-characters-00';
let worker: TestWorker;
let server: EraServer;
let app: TestApp;

before(async () => {
  worker = await startReferenceServer(secret);
  server = await startEraServer('modern');
  app = await startApp(`
workers:
  - { id: reference, http: { uri: "${worker.uri}", secret: { value: ${secret} } } }
  - { id: docs, mcp: { uri: "${server.uri}" } }
gateways:
  - { name: Sums, slug: sums, tool_filter: { allowed_tools: ["ArcadeEvalRef.Add"] },
      tools: [{ tool: ArcadeEvalRef.Add, name: sum, arguments: { fixed: { b: 40 } } }] }
  - { name: Closed, slug: closed, status: inactive }
rules:
  - { name: no nines, direction: input, tools: ["ArcadeEvalRef.Echo"], match: { pattern: "999" }, action: block }
  - { name: mask, direction: output, tools: ["ArcadeEvalRef.Echo"], match: { pattern: "s3cret" }, action: redact }
`);
  for (const id of ['reference', 'docs']) await app.app.rooms.sources.refresh('default', id);
});
after(async () => {
  await app?.close();
  await server?.close();
  await worker?.stop();
});

async function ask(path: string, body: object, key = app.key): Promise<{ status: number; body: Json }> {
  const response = await fetch(`${app.url}/v1/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: response.status === 204 ? null : await response.json() };
}

const six = (tool: string, body: object, key?: string) => ask(`hub/${tool}`, body, key);

async function keyWith(restrictions: object): Promise<string> {
  const { body } = await ask('api_keys', { name: 'k', scopes: ['call'], ...restrictions });
  return body.key;
}

/** A search waits a second for what changes at that moment; a machine that is busy may take longer. */
async function soon(isSo: () => Promise<boolean>): Promise<boolean> {
  for (let tries = 0; tries < 20; tries++) if (await isSo()) return true;
  return false;
}

describe('the hub over the REST API', () => {
  it('finds, describes and runs a tool in the shapes of the six', async () => {
    const found = await six('search_tools', { query: 'add numbers', user_id: 'alice' });
    assert.equal(found.status, 200);
    const [{ tool }] = found.body.tools;
    assert.equal(tool, 'worker://ArcadeEvalRef.Add');
    const details = await six('get_tool_details', { tools: [tool], user_id: 'alice' });
    assert.deepEqual(Object.keys(details.body.tools[0].input_schema.properties), ['a', 'b']);
    const ran = await six('execute_tool', { tool, input: { a: 1, b: 2 }, user_id: 'alice' });
    assert.deepEqual([ran.body.status, ran.body.output], ['succeeded', 3]);
    const spaces = await six('list_namespaces', { user_id: 'alice' });
    assert.deepEqual(
      spaces.body.namespaces.map(({ namespace }: Json) => namespace),
      ['mcp://docs', 'worker://ArcadeEvalRef'],
    );
  });

  it('reads references as people write them, and no other tool than is meant', async () => {
    const named = async (tool: string) =>
      (await six('get_tool_details', { tools: [tool], user_id: 'alice' })).body.tools[0];
    for (const spelling of [
      'worker://ArcadeEvalRef.Add',
      'WORKER://arcadeevalref.add',
      'ArcadeEvalRef.Add',
      'ArcadeEvalRef_Add',
      'arcadeevalref_add',
      ' worker://ArcadeEvalRef.Add ',
    ])
      assert.equal((await named(spelling)).tool, 'worker://ArcadeEvalRef.Add', spelling);
    const { version } = await named('ArcadeEvalRef.Add');
    assert.equal((await named(`ArcadeEvalRef.Add@${version}`)).version, version);
    for (const spelling of [
      'mcp://ArcadeEvalRef.Add',
      'ArcadeEvalRef.Add@99.0.0',
      'ArcadeEvalRef.Ad',
      'Add',
      'file:///etc/passwd',
      'worker://',
      '\u0000',
      '__proto__',
    ])
      assert.equal((await named(spelling)).error?.name, 'catalog.tool_unknown', spelling);
  });

  it('keeps to a gateway where one is named, with what that makes of its tools', async () => {
    const asked = { user_id: 'alice', gateway: 'sums' };
    const { body } = await six('list_namespaces', asked);
    assert.deepEqual(body.namespaces[0].tools, 1);
    const details = await six('get_tool_details', { tools: ['sum', 'ArcadeEvalRef.Echo'], ...asked });
    assert.deepEqual(Object.keys(details.body.tools[0].input_schema.properties), ['a']);
    assert.equal(details.body.tools[1].error.name, 'catalog.tool_unknown');
    const ran = await six('execute_tool', { tool: 'sum', input: { a: 2 }, ...asked });
    assert.equal(ran.body.output, 42);
    const other = await six('execute_tool', { tool: 'ArcadeEvalRef.Echo', input: { text: 'x' }, ...asked });
    assert.deepEqual([other.status, other.body.name], [404, 'catalog.tool_unknown']);
    for (const gateway of ['closed', 'nowhere']) {
      const refused = await six('search_tools', { query: 'x', user_id: 'alice', gateway });
      assert.deepEqual([refused.status, refused.body.name], [404, 'gateway.unknown']);
    }
  });

  it('holds restricted keys to their users and tools', async () => {
    const ofTools = await keyWith({ tools: ['ArcadeEvalRef.Echo'] });
    const found = await six('search_tools', { query: 'echo a text', user_id: 'alice' }, ofTools);
    assert.deepEqual(
      found.body.tools.map(({ tool }: Json) => tool),
      ['worker://ArcadeEvalRef.Echo'],
    );
    const run = { tool: 'ArcadeEvalRef.Add', input: { a: 1, b: 2 }, user_id: 'alice' };
    assert.equal((await six('execute_tool', run, ofTools)).body.name, 'catalog.tool_unknown');
    const ofUsers = await keyWith({ users: ['bob'] });
    const refused = await six('search_tools', { query: 'x', user_id: 'alice' }, ofUsers);
    assert.deepEqual([refused.status, refused.body.field], [403, 'user_id']);
    const ofGateways = await keyWith({ gateways: ['sums'] });
    const closed = await six('search_tools', { query: 'x', user_id: 'alice' }, ofGateways);
    assert.deepEqual([closed.status, closed.body.name], [403, 'identity.scope_missing']);
  });

  it('runs nothing for nobody', async () => {
    const refused = await six('execute_tool', { tool: 'ArcadeEvalRef.Add', input: { a: 1, b: 2 } });
    assert.deepEqual([refused.status, refused.body.field], [400, 'user_id']);
  });

  it('knows no execution by what is no id', async () => {
    for (const execution_id of ['\u0000', 'te_\u0000', '\ud800', '../te_0', '__proto__']) {
      for (const tool of ['resume_execution', 'cancel_execution']) {
        const { status, body } = await six(tool, { execution_id, user_id: 'alice' });
        assert.deepEqual([status, body.name], [404, 'execution.unknown'], JSON.stringify(execution_id));
      }
    }
  });

  it('names the field of a bad request, and the path of an input that does not fit', async () => {
    for (const [tool, body, field] of [
      ['search_tools', {}, 'query'],
      ['search_tools', { query: 'a', queries: ['b'] }, 'query'],
      ['search_tools', { queries: [] }, 'queries'],
      ['search_tools', { query: 'x', kinds: ['ftp'] }, 'kinds.0'],
      ['search_tools', { query: 'x', nothing: 1 }, 'nothing'],
      ['get_tool_details', { tools: [] }, 'tools'],
      ['execute_tool', { tool: 'a', mode: 'soon' }, 'mode'],
      ['execute_tool', { tool: 'a', input: [] }, 'input'],
      ['execute_tool', { tool: 'ArcadeEvalRef.Add', input: { a: 1, b: 'two' } }, 'input.b'],
      ['resume_execution', {}, 'execution_id'],
      ['report_missing', { need: '' }, 'need'],
    ] as const) {
      const refused = await six(tool, { ...body, user_id: 'alice' });
      assert.deepEqual([refused.status, refused.body.field], [400, field], JSON.stringify(refused.body));
    }
  });

  it('lists the own executions of a user, and those of nobody else', async () => {
    const run = (idempotency_key: string) =>
      six('execute_tool', { tool: 'ArcadeEvalRef.Whoami', user_id: 'lister', idempotency_key });
    const { body: first } = await run('one');
    const { body: second } = await run('two');
    const list = async (query: string) => (await app.api('GET', `/v1/executions?${query}`)).json() as Json;
    const own = await list('user_id=lister');
    assert.deepEqual(
      own.items.map((one: Json) => one.execution_id),
      [second.execution_id, first.execution_id],
    );
    const page = await list('user_id=lister&limit=1&offset=1');
    assert.deepEqual(
      [page.items[0].execution_id, page.page_count, page.total_count],
      [first.execution_id, 1, 2],
    );
    assert.equal((await list('user_id=stranger')).total_count, 0);
    const elsewhere = {
      tool: 'ArcadeEvalRef.Add',
      input: { a: 1 },
      user_id: 'lister',
      idempotency_key: 'one',
      gateway: 'sums',
    };
    const { body: there } = await six('execute_tool', elsewhere);
    const ofGateway = await list('user_id=lister&gateway=sums');
    assert.deepEqual(
      ofGateway.items.map((one: Json) => one.execution_id),
      [there.execution_id],
    );
    const look = (user: string) =>
      app.api('GET', `/v1/executions/${first.execution_id}?user_id=${user}`).then(({ status }) => status);
    assert.deepEqual([await look('lister'), await look('stranger')], [200, 404]);
  });

  it('answers a repeated key with the one effect, and refuses another input under it', async () => {
    const asked = { tool: 'ArcadeEvalRef.Add', user_id: 'alice', idempotency_key: 'once' };
    const first = await six('execute_tool', { ...asked, input: { a: 1, b: 2 } });
    const again = await six('execute_tool', { ...asked, input: { a: 1, b: 2 } });
    assert.deepEqual(again.body, first.body);
    const other = await six('execute_tool', { ...asked, input: { a: 1, b: 3 } });
    assert.deepEqual([other.status, other.body.name], [409, 'request.repeated']);
  });

  it('goes on with a tool that asks, once it is answered', async () => {
    const asked = { tool: 'mcp://docs.AskForm', user_id: 'alice', mode: 'interactive' };
    const { body: waiting } = await six('execute_tool', asked);
    assert.deepEqual([waiting.status, waiting.waiting_for], ['waiting', 'input']);
    const [key = ''] = Object.keys(waiting.questions);
    const response = { [key]: { action: 'accept', content: { name: 'Bo' } } };
    const { execution_id } = waiting;
    const { body } = await six('resume_execution', { execution_id, response, user_id: 'alice' });
    assert.equal(body.status, 'succeeded');
    assert.match(JSON.stringify(body.output), /Bo/);
    const stranger = await six('resume_execution', { execution_id, response, user_id: 'mallory' });
    assert.deepEqual([stranger.status, stranger.body.name], [404, 'execution.unknown']);
  });

  it('has a record of each that was refused as there were too many', async () => {
    const asked = { tool: 'mcp://docs.AskForm', user_id: 'greedy', mode: 'interactive' };
    for (let n = 0; n < 9; n++)
      await Promise.all(Array.from({ length: 20 }, () => six('execute_tool', asked)));
    // Those that come at once count each other: only one after the other come to the bound itself.
    for (let n = 0; n < 40; n++) await six('execute_tool', { ...asked, idempotency_key: `key ${n}` });
    const since = new Date().toISOString();
    const { body } = await six('execute_tool', { ...asked, idempotency_key: 'one more' });
    assert.equal(body.name, 'policy.concurrency_limited', JSON.stringify(body));
    const records = await app.records(`&since=${since}&user_id=greedy`);
    assert.deepEqual(
      records.filter(({ code }) => code === body.name).map(({ tool, decision }) => [tool, decision]),
      [['execute_tool', 'refused']],
    );
  });

  it('holds executions to the rules like any call, and tells no output schema of what is redacted', async () => {
    const echo = (text: string) =>
      six('execute_tool', { tool: 'ArcadeEvalRef.Echo', input: { text }, user_id: 'alice' });
    const blocked = await echo('call 999');
    assert.match(JSON.stringify(blocked.body), /policy\.input_blocked/);
    assert.ok(!JSON.stringify((await echo('my s3cret')).body).includes('s3cret'));
    const { body } = await six('get_tool_details', { tools: ['ArcadeEvalRef.Echo'], user_id: 'alice' });
    assert.equal(body.tools[0].output_schema, undefined);
  });

  it('tells what is said of a tool, and neither finds, describes nor runs one that is hidden', async () => {
    const curate = (tool: string, change: object) => app.api('PATCH', `/v1/hub/tools/${tool}`, change);
    const successor = 'mcp://docs.Echo';
    await curate('ArcadeEvalRef.Echo', { lifecycle: 'deprecated', successor, synonyms: ['parrot'] });
    const isFound = async () => {
      const { body } = await six('search_tools', { query: 'parrot', user_id: 'alice' });
      return body.tools[0]?.deprecated?.successor === successor;
    };
    assert.ok(await soon(isFound));
    const ran = await six('execute_tool', {
      tool: 'ArcadeEvalRef.Echo',
      input: { text: 'still here' },
      user_id: 'alice',
    });
    assert.equal(ran.body.status, 'succeeded');
    await curate('ArcadeEvalRef.Whoami', { lifecycle: 'hidden' });
    const gone = 'worker://ArcadeEvalRef.Whoami';
    const search = await six('search_tools', { query: 'which user is calling', user_id: 'alice', limit: 25 });
    assert.ok(!JSON.stringify(search.body).includes('Whoami'));
    const [details] = (await six('get_tool_details', { tools: [gone], user_id: 'alice' })).body.tools;
    assert.equal(details.error.name, 'catalog.tool_unknown');
    const held = await six('execute_tool', { tool: gone, user_id: 'alice' });
    assert.equal(held.body.name, 'catalog.tool_unknown');
    await curate('ArcadeEvalRef.Whoami', { lifecycle: 'active' });
    assert.equal((await six('execute_tool', { tool: gone, user_id: 'alice' })).body.status, 'succeeded');
  });

  it('hears what there is no tool for', async () => {
    assert.equal((await six('report_missing', { need: 'book a flight', user_id: 'alice' })).status, 204);
    const missing = await (await app.api('GET', '/v1/hub/missing')).text();
    assert.match(missing, /book a flight/);
  });

  it('leaves a record of what could not be answered, too', async () => {
    const { db } = app.app.rooms;
    await db.query('alter table hub_needs rename to away');
    const { status } = await six('report_missing', { need: 'a boat', user_id: 'sailor' });
    await db.query('alter table away rename to hub_needs');
    assert.equal(status, 500);
    const records = await app.records('&user_id=sailor');
    assert.deepEqual(
      records.map(({ tool, decision, code }) => [tool, decision, code]),
      [['report_missing', 'failed', 'internal']],
    );
  });

  it('finds a tool that came, and no more one that went', async () => {
    const found = async () => {
      const { body } = await six('search_tools', { query: 'translate klingon', user_id: 'alice' });
      return body.tools.some(({ tool }: Json) => tool === 'mcp://docs.klingon_translate');
    };
    assert.equal(await found(), false);
    server.offer.tools.push({
      name: 'klingon_translate',
      description: 'Translates a text into Klingon',
      inputSchema: { type: 'object', properties: {} },
    });
    await app.app.rooms.sources.refresh('default', 'docs');
    assert.ok(await soon(found));
    server.offer.tools.pop();
    await app.app.rooms.sources.refresh('default', 'docs');
    assert.equal(await found(), false);
  });

  it('is not there, and gateways present their tools, where the server has no part in it', async () => {
    const without = await startApp(
      `
workers: [{ id: reference, http: { uri: "${worker.uri}", secret: { value: ${secret} } } }]
gateways: [{ name: Hub, slug: hub, presentation: hub }]
`,
      { env: { SALLYPORT_ROLES: 'gateway,admin' } },
    );
    try {
      await without.app.rooms.sources.refresh('default', 'reference');
      assert.equal((await without.api('POST', '/v1/hub/search_tools', { query: 'x' })).status, 404);
      const { result } = await messageOf(await without.rpc('hub', { id: 1, method: 'tools/list' }));
      assert.equal(result.tools.length, 3);
    } finally {
      await without.close();
    }
  });
});
