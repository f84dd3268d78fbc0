import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  adminKey,
  type RestServer,
  startRestServer,
  startTestWorker,
  workerSecret,
} from './fixtures/rest-server.ts';

let server: RestServer;
let worker: Awaited<ReturnType<typeof startTestWorker>>;
before(async () => {
  worker = await startTestWorker();
  server = await startRestServer();
  const http = { uri: worker.url, secret: workerSecret };
  assert.equal((await server.ask('POST', '/v1/workers', { body: { id: 'test', http } })).status, 201);
});
after(async () => {
  await server?.close();
  await worker?.stop();
});

/** Records of the last seconds, newest first. */
async function audit(query = '') {
  const { status, body } = await server.ask('GET', `/v1/audit_events?${query}`);
  assert.equal(status, 200);
  return body;
}

describe('a bad request', () => {
  const post = (body: unknown, headers?: Record<string, string>) =>
    server.ask('POST', '/v1/gateways', { body, ...(headers === undefined ? {} : { headers }) });

  it('is told every field at fault, by its path, and is not to be sent again', async () => {
    const { status, headers, body } = await post({
      name: '',
      colour: 'red',
      tools: [{ tool: 'A.B', arguments: { hiden: [] } }],
    });
    assert.equal(status, 400);
    assert.equal(body.name, 'request.params_invalid');
    assert.deepEqual(body.issues.map(({ field }: { field: string }) => field).toSorted(), [
      'colour',
      'name',
      'tools.0.arguments.hiden',
    ]);
    assert.ok(body.message.includes(body.field));
    assert.equal(headers.get('x-should-retry'), 'false');
    assert.match(headers.get('content-type') ?? '', /json/);
  });

  it('that holds what is no text names the field', async () => {
    for (const [body, field] of [
      ['{"name":"a","description":"x\\u0000y"}', 'description'],
      ['{"name":"a","instructions":"\\ud800"}', 'instructions'],
      [
        '{"name":"a","tools":[{"tool":"A.B","arguments":{"fixed":{"a\\u0000":1}}}]}',
        'tools.0.arguments.fixed.…',
      ],
    ]) {
      const answer = await post(body);
      assert.deepEqual([answer.status, answer.body.field], [400, field]);
    }
  });

  it('changes nothing', async () => {
    const before = (await server.ask('GET', '/v1/gateways')).body.total_count;
    await post({ name: 'shelf', presentation: 'shelf' });
    assert.equal((await server.ask('GET', '/v1/gateways')).body.total_count, before);
  });

  it('that is not JSON, too deep, too large or of another type says so', async () => {
    const deep = `{"name":${'['.repeat(70)}${']'.repeat(70)}}`;
    const large = JSON.stringify({ name: 'x'.repeat(5 * 1024 * 1024) });
    for (const [body, type, status, name] of [
      ['{"name":', 'application/json', 400, 'request.malformed'],
      ['', 'application/json', 400, 'request.malformed'],
      [deep, 'application/json', 400, 'request.too_deep'],
      [large, 'application/json', 413, 'request.too_large'],
      ['name=a', 'application/x-www-form-urlencoded', 415, 'request.media_type'],
    ] as const) {
      const answer = await post(body, { 'content-type': type });
      assert.deepEqual({ status: answer.status, name: answer.body.name }, { status, name });
      assert.equal(answer.headers.get('x-should-retry'), 'false');
    }
  });

  it('to an address that is none, or with a method it does not take, says so', async () => {
    const unknown = await server.ask('GET', '/v1/nothing');
    assert.deepEqual([unknown.status, unknown.body.name], [404, 'resource.unknown']);
    const method = await server.ask('DELETE', '/v1/workers');
    assert.deepEqual([method.status, method.body.name], [405, 'request.method_not_allowed']);
    assert.equal(method.headers.get('allow'), 'POST, GET');
  });

  it('for a page that cannot be is refused, and one too long is cut', async () => {
    for (const query of ['limit=0', 'limit=x', 'offset=-1', 'limit=1.5']) {
      const { status, body } = await server.ask('GET', `/v1/tools?${query}`);
      assert.deepEqual([status, body.field], [400, query.split('=')[0]]);
    }
    const { body } = await server.ask('GET', '/v1/tools?limit=100000&offset=100');
    assert.deepEqual(body, { items: [], limit: 1000, offset: 100, page_count: 0, total_count: 4 });
  });

  it('for a scheduled run, or without a user, names the field', async () => {
    const execute = (body: object) => server.ask('POST', '/v1/tools/execute', { body });
    const scheduled = await execute({ tool_name: 'Test.Count', user_id: 'a', run_at: '2030-01-01T00:00:00' });
    assert.deepEqual([scheduled.status, scheduled.body.field], [400, 'run_at']);
    assert.match(scheduled.body.message, /not supported/);
    const nobody = await execute({ tool_name: 'Test.Count' });
    assert.deepEqual(
      [nobody.status, nobody.body.name, nobody.body.field],
      [400, 'identity.user_missing', 'user_id'],
    );
    const version = await execute({ tool_name: 'Test.Count', tool_version: '9.9', user_id: 'a' });
    assert.match(version.body.message, /"Test\.Count@9\.9"/);
    const unknown = await execute({ tool_name: 'Test.Nope', user_id: 'a' });
    assert.deepEqual(
      [unknown.status, unknown.body.name, unknown.body.field],
      [404, 'catalog.tool_unknown', 'tool_name'],
    );
  });
});

it('a call without an Idempotency-Key ends when its client goes away', async () => {
  const before = worker.state.count;
  let release = (): void => {};
  worker.state.hold = new Promise((resolve) => {
    release = resolve;
  });
  const gone = new AbortController();
  const call = fetch(`${server.url}/v1/tools/execute`, {
    method: 'POST',
    headers: { authorization: adminKey, 'content-type': 'application/json' },
    body: JSON.stringify({ tool_name: 'Test.Count', user_id: 'leaver' }),
    signal: gone.signal,
  });
  while (worker.state.count === before) await new Promise(setImmediate);
  gone.abort();
  await assert.rejects(call);
  let page = await audit('user_id=leaver');
  while (page.total_count === 0) page = await audit('user_id=leaver');
  release();
  assert.deepEqual([page.items[0].decision, page.items[0].code], ['failed', 'source.cancelled']);
});

describe('a gateway', () => {
  const gateways = '/v1/orgs/default/projects/default/gateways';

  it('is made, read, replaced, changed and deleted, on both addresses', async () => {
    const made = await server.ask('POST', gateways, {
      body: { name: 'My Tools', tool_filter: { allowed_tools: ['Test.*'], discovery: { enabled: false } } },
    });
    assert.equal(made.status, 201);
    const { id, slug, url, auth_type, binding } = made.body;
    assert.deepEqual(
      { slug, auth_type, binding },
      {
        slug: 'my-tools',
        auth_type: 'arcade_header',
        binding: { type: 'project', id: 'default' },
      },
    );
    assert.equal(url, `${server.url}/mcp/my-tools`);
    assert.deepEqual((await server.ask('GET', `/v1/gateways/${id}`)).body, made.body);

    const changed = await server.ask('PATCH', `/v1/gateways/${id}`, { body: { description: 'd' } });
    assert.deepEqual(changed.body.tool_filter, { allowed_tools: ['Test.*'], discovery: { enabled: false } });
    const replaced = await server.ask('PUT', `${gateways}/${id}`, { body: { id, name: 'Other' } });
    assert.deepEqual(
      [replaced.body.slug, replaced.body.tool_filter, replaced.body.description],
      ['my-tools', {}, ''],
    );

    assert.equal((await server.ask('DELETE', `/v1/gateways/${id}`)).status, 204);
    assert.equal((await server.ask('GET', `/v1/gateways/${id}`)).status, 404);
  });

  it('has a slug of its own', async () => {
    const make = (body: object) => server.ask('POST', '/v1/gateways', { body });
    const first = await make({ name: 'Same' });
    const second = await make({ name: 'Same' });
    assert.equal(first.body.slug, 'same');
    assert.match(second.body.slug, /^same-[0-9a-f]{8}$/);
    const clash = await make({ name: 'x', slug: 'same' });
    assert.deepEqual([clash.status, clash.body.name, clash.body.field], [409, 'resource.conflict', 'slug']);
    assert.equal(clash.headers.get('x-should-retry'), 'false');
    const free = async (slug: string) =>
      (await server.ask('POST', `${gateways}/slug`, { body: { slug } })).body;
    assert.deepEqual([await free('same'), await free('free')], [{ available: false }, { available: true }]);
  });

  it('is not changed by a body that names another', async () => {
    const { body } = await server.ask('POST', '/v1/gateways', { body: { name: 'This' } });
    const answer = await server.ask('PATCH', `/v1/gateways/${body.id}`, {
      body: { id: 'gw_other', name: 'That' },
    });
    assert.deepEqual([answer.status, answer.body.field], [400, 'id']);
  });
});

describe('a worker', () => {
  it('is tried before it is registered', async () => {
    const test = (body: object) => server.ask('POST', '/v1/workers/test', { body });
    const good = await test({ type: 'http', http: { uri: worker.url, secret: workerSecret } });
    assert.equal(good.body.success, true, good.body.message);
    const unasked = await test({ type: 'http', http: { uri: worker.url } });
    assert.equal(unasked.body.success, true, unasked.body.message);
    const wrong = await test({ http: { uri: worker.url, secret: 'wrong' } });
    assert.deepEqual([wrong.body.success, wrong.body.status.failed_step], [false, 'authenticated']);
    const nobody = await test({ http: { uri: 'http://127.0.0.1:9', secret: 'x' } });
    assert.deepEqual([nobody.body.success, nobody.body.status.failed_step], [false, 'connected']);
    const inside = await test({ http: { uri: 'http://10.0.0.1', secret: 'x' } });
    assert.deepEqual([inside.body.success, inside.body.status.failed_step], [false, 'egress_allowed']);
  });

  it('of type mcp shows its headers without the secrets in them', async () => {
    const mcp = {
      uri: 'http://127.0.0.1:9/mcp',
      headers: { authorization: `Bearer \${secret:TOKEN}` },
      secrets: { TOKEN: 'hush-hush' },
      oauth2: { client_id: 'c', client_secret: 'hush-too' },
    };
    const made = await server.ask('POST', '/v1/workers', { body: { id: 'm', mcp } });
    assert.equal(made.status, 201);
    assert.equal(made.body.status.state, 'unhealthy');
    const patched = await server.ask('PATCH', '/v1/workers/m', {
      body: { mcp: { secrets: { TOKEN: 'hush-new' } } },
    });
    const secret = { exists: true, editable: true, value: '', binding: 'project' };
    for (const { body } of [made, patched, await server.ask('GET', '/v1/workers/m')]) {
      assert.deepEqual(body.mcp.headers, mcp.headers);
      assert.deepEqual(body.mcp.secrets, { TOKEN: secret });
      assert.deepEqual(body.mcp.oauth2, { client_id: 'c', client_secret: secret });
      assert.doesNotMatch(JSON.stringify(body), /hush/);
    }
    await server.ask('DELETE', '/v1/workers/m');
  });
});

describe('an API key', () => {
  it('is shown once and found by its hint afterwards', async () => {
    const made = await server.ask('POST', '/v1/api_keys', { body: { name: 'once' } });
    assert.equal(made.status, 201);
    const { key, ...rest } = made.body;
    assert.match(key, /^sp_/);
    assert.deepEqual(rest.scopes, ['read', 'call']);
    const read = await server.ask('GET', `/v1/api_keys/${rest.id}`);
    assert.deepEqual(read.body, rest);
    assert.ok(!JSON.stringify((await server.ask('GET', '/v1/api_keys')).body).includes(key));
  });

  it('cannot be made to have expired', async () => {
    const body = { name: 'past', expires_at: '2020-01-01T00:00:00Z' };
    const answer = await server.ask('POST', '/v1/api_keys', { body });
    assert.deepEqual([answer.status, answer.body.field], [400, 'expires_at']);
    const vague = await server.ask('POST', '/v1/api_keys', { body: { name: 'day', expires_at: 'tomorrow' } });
    assert.match(vague.body.message, /^expires_at: must be an ISO 8601 date and time with a zone/);
  });

  it('restricted to tools sees and runs only these; the others do not exist', async () => {
    const key = await server.newKey({ name: 'tools', tools: ['test.j*'] });
    const list = await server.ask('GET', '/v1/tools', { key });
    assert.deepEqual(
      list.body.items.map(({ name }: { name: string }) => name),
      ['Join'],
    );
    const run = (tool_name: string, tool_version?: string) =>
      server.ask('POST', '/v1/tools/execute', {
        key,
        body: { tool_name, tool_version, user_id: 'a', input: { words: ['x'] } },
      });
    const { version } = list.body.items[0].toolkit;
    for (const one of [undefined, version]) {
      assert.equal((await run('Test.Join', one)).body.success, true);
      const [hidden, absent] = [await run('Test.Count', one), await run('Test.Nope', one)];
      assert.equal(hidden.status, 404);
      assert.deepEqual(JSON.stringify(hidden.body).replace('Count', 'Nope'), JSON.stringify(absent.body));
    }
    assert.equal((await server.ask('GET', '/v1/tools/Test.Count', { key })).status, 404);
    assert.equal((await server.ask('GET', '/v1/formatted_tools/Test.Count', { key })).status, 404);
  });

  it('restricted to users acts for no one else', async () => {
    const key = await server.newKey({ name: 'users', users: ['*@one.example'] });
    const run = (user_id: string) =>
      server.ask('POST', '/v1/tools/execute', {
        key,
        body: { tool_name: 'Test.Join', user_id, input: { words: ['x'] } },
      });
    assert.equal((await run('a@one.example')).body.success, true);
    const refused = await run('a@two.example');
    assert.deepEqual(
      [refused.status, refused.body.name, refused.body.field],
      [403, 'identity.user_refused', 'user_id'],
    );
    const list = await server.ask('GET', '/v1/tools?user_id=a@two.example', { key });
    assert.equal(list.status, 403);
  });

  it('restricted to users lists for one of them, and not what nobody in particular would see', async () => {
    const key = await server.newKey({ name: 'denied', users: ['denied'] });
    const grant = { subject: { user: 'denied' }, tools: ['Test.Count'], effect: 'deny' };
    const { id } = (await server.ask('POST', '/v1/grants', { body: grant })).body;
    const names = ({ body }: { body: { items: { name: string }[] } }) => body.items.map(({ name }) => name);
    const seen = names(await server.ask('GET', '/v1/tools?user_id=denied', { key }));
    assert.deepEqual([seen.includes('Join'), seen.includes('Count')], [true, false]);
    for (const path of ['tools', 'tools/Test.Count', 'formatted_tools', 'formatted_tools/Test.Count']) {
      const { status, body } = await server.ask('GET', `/v1/${path}`, { key });
      assert.deepEqual([status, body.name, body.field], [400, 'identity.user_missing', 'user_id'], path);
    }
    const body = { tool_names: ['Test.Count'] };
    assert.equal((await server.ask('POST', '/v1/tools/requirements', { key, body })).status, 400);
    await server.ask('DELETE', `/v1/grants/${id}`);
  });
});

describe('the audit', () => {
  it('has one record of every change, made or refused, and no secret', async () => {
    const body = { id: 'audited', http: { uri: worker.url, secret: workerSecret } };
    await server.ask('POST', '/v1/workers', { body });
    await server.ask('POST', '/v1/workers', { body });
    await server.ask('DELETE', '/v1/workers/audited');
    await server.ask('GET', '/v1/workers/audited');
    const { items } = await audit('kind=admin&limit=3');
    assert.deepEqual(
      items.map(({ tool, decision, code }: Record<string, string>) => [tool, decision, code]),
      [
        ['workers.delete', 'allowed', null],
        ['workers.create', 'refused', 'resource.conflict'],
        ['workers.create', 'allowed', null],
      ],
    );
    const { before, after, ...asked } = items[2].changes;
    assert.deepEqual(asked, {
      id: 'audited',
      enabled: true,
      http: { uri: worker.url, secret: '(set)', timeout: 30, retry: 3 },
    });
    assert.deepEqual([before, after.id, after.http.secret], [null, 'audited', '(set)']);
    assert.deepEqual(items[1].changes, asked, 'what was refused changed nothing');
    assert.deepEqual(items[0].changes, { id: 'audited', before: after, after: null });
    assert.doesNotMatch(JSON.stringify(items), new RegExp(workerSecret));
  });

  it('who only reads gateways is not told what their fixed arguments are', async () => {
    const tools = [{ tool: 'Test.Join', arguments: { fixed: { words: ['hush-5'] } } }];
    const { body: made } = await server.ask('POST', '/v1/gateways', { body: { name: 'fixed', tools } });
    const key = await server.newKey({ name: 'reader', scopes: ['read', 'call'] });
    for (const path of ['/v1/gateways', `/v1/gateways/${made.id}`]) {
      const told = JSON.stringify((await server.ask('GET', path, { key })).body);
      assert.match(told, /"fixed":\{"words":"\(set\)"\}/);
      assert.doesNotMatch(told, /hush-5/);
    }
    const { body: whole } = await server.ask('GET', `/v1/gateways/${made.id}`);
    assert.deepEqual(whole.tools[0].arguments.fixed, { words: ['hush-5'] });
    await server.ask('DELETE', `/v1/gateways/${made.id}`);
  });

  it('tells what a change found and what it left', async () => {
    const make = async (path: string, body: object) =>
      (await server.ask('POST', `/v1/${path}`, { body })).body;
    const mcp = {
      uri: 'http://127.0.0.1:9/mcp?key=hush-1',
      headers: { authorization: 'Bearer hush-2' },
      secrets: { TOKEN: 'hush-3' },
    };
    await make('workers', { id: 'told', mcp });
    await server.ask('PATCH', '/v1/workers/told', { body: { mcp: { timeout: 7 } } });
    await server.ask('DELETE', '/v1/workers/told');
    const tools = [{ tool: 'Test.Join', arguments: { fixed: { words: ['hush-4'] } } }];
    const gateway = await make('gateways', { name: 'told', tools });
    await server.ask('PATCH', `/v1/gateways/${gateway.id}`, { body: { description: 'new' } });
    await server.ask('PUT', `/v1/gateways/${gateway.id}`, { body: { name: 'replaced' } });
    await server.ask('DELETE', `/v1/gateways/${gateway.id}`);
    const { key, ...apiKey } = await make('api_keys', { name: 'told' });
    await server.ask('DELETE', `/v1/api_keys/${apiKey.id}`);

    const { items } = await audit('kind=admin&limit=9');
    type Shown = Record<string, never> | null;
    const told = items.map(({ tool, changes }: { tool: string; changes: Record<string, Shown> }) => {
      const at = (side: 'before' | 'after') => changes[side] as Shown;
      return [tool, at('before'), at('after')] as const;
    });
    const picked = told.reverse().map(([tool, before, after]: (typeof told)[number]) => {
      const pick = (shown: (typeof told)[number][1]) =>
        shown && (tool.startsWith('workers') ? shown.mcp?.timeout : (shown.description ?? shown.name));
      return [tool, pick(before), pick(after)];
    });
    assert.deepEqual(picked, [
      ['workers.create', null, 30],
      ['workers.update', 30, 7],
      ['workers.delete', 7, null],
      ['gateways.create', null, ''],
      ['gateways.update', '', 'new'],
      ['gateways.replace', 'new', ''],
      ['gateways.delete', '', null],
      ['api_keys.create', null, 'told'],
      ['api_keys.delete', 'told', null],
    ]);
    assert.deepEqual(told[7]?.[2], apiKey);
    const all = JSON.stringify(items);
    assert.doesNotMatch(all, /hush/);
    assert.ok(!all.includes(key));
  });

  it('has one record of every execution, and of those refused at the door', async () => {
    const key = await server.newKey({ name: 'door', scopes: ['read'] });
    const body = { tool_name: 'Test.Join', user_id: 'door@example.com', input: { words: ['secret-word'] } };
    await server.ask('POST', '/v1/tools/execute', { body });
    await server.ask('POST', '/v1/tools/execute', { body: { ...body, input: {} } });
    await server.ask('POST', '/v1/tools/execute', { body, key });
    const { items } = await audit('kind=tool_call&limit=3');
    assert.deepEqual(
      items.map(({ decision, code }: Record<string, string>) => [decision, code]),
      [
        ['refused', 'identity.scope_missing'],
        ['refused', 'catalog.arguments_invalid'],
        ['allowed', null],
      ],
    );
    assert.doesNotMatch(JSON.stringify(items), /secret-word/);
  });

  it('is filtered and paged', async () => {
    const first = await audit('kind=admin&limit=2');
    assert.deepEqual([first.page_count, first.limit, first.offset], [2, 2, 0]);
    const second = await audit(`kind=admin&limit=2&cursor=${encodeURIComponent(first.next_cursor)}`);
    assert.notEqual(second.items[0].id, first.items[1].id);
    assert.equal(second.total_count, first.total_count);
    assert.equal((await audit('since=2100-01-01')).total_count, 0);
    assert.equal((await audit('kind=sign_in')).total_count, 0);
    const unknown = await server.ask('GET', '/v1/audit_events?usr_id=a');
    assert.deepEqual([unknown.status, unknown.body.field], [400, 'usr_id']);
    const cursor = await server.ask('GET', '/v1/audit_events?cursor=nonsense');
    assert.equal(cursor.status, 400);
  });
});

it('requirements name the tools that lack something', async () => {
  const ask = (body: object) => server.ask('POST', '/v1/tools/requirements', { body });
  const { body } = await ask({ tool_names: ['Test.Private', 'Test_Join'], user_id: 'a' });
  assert.equal(body.met, false);
  assert.deepEqual(body.secrets.items.API_TOKEN.tool_names, ['Test.Private']);
  assert.equal(body.authorization.met, true);
  assert.equal((await ask({ tools: [{ tool_name: 'Test.Join' }] })).body.met, true);
  assert.equal((await ask({ tool_names: ['Test.Nope'] })).status, 404);
});

it('the OpenAPI document holds the schemas that requests are checked against', async () => {
  const { body } = await server.ask('GET', '/v1/swagger', { key: null });
  const create = body.paths['/v1/workers'].post;
  const schema = create.requestBody.content['application/json'].schema;
  assert.deepEqual(Object.keys(schema.properties), ['id', 'enabled', 'pin', 'type', 'http', 'mcp']);
  assert.equal(schema.additionalProperties, false);
  assert.ok(create.responses[201]);
  const names = body.paths['/v1/tools'].get.parameters.map(({ name }: { name: string }) => name);
  assert.ok(names.includes('filter') && names.includes('limit'));
});
