import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { messageOf, modern, startApp, startReferenceServer, type TestApp, toolCall } from './start-app.ts';

const secret = 'a-worker-secret-of-more-than-32-bytes';

describe('a gateway', () => {
  let worker: Awaited<ReturnType<typeof startReferenceServer>>;
  let app: TestApp;

  before(async () => {
    worker = await startReferenceServer(secret);
    app = await startApp(`
workers:
  - id: reference
    http: { uri: "${worker.uri}", secret: "${secret}" }
gateways:
  - { name: All, slug: all }
  - { name: Sums, slug: sums, tool_filter: { allowed_tools: [ArcadeEvalRef.Add] } }
  - { name: Closed, slug: closed, status: inactive }
  - { name: Elsewhere, slug: oauth, auth_type: arcade }
  - name: Curated
    slug: curated
    tools:
      - { tool: ArcadeEvalRef.Add, name: add_five, arguments: { fixed: { b: 5 } } }
`);
    await app.app.rooms.sources.refresh('default', 'reference');
  });
  after(async () => {
    await app.close();
    await worker.stop();
  });

  async function connect(mode: 'legacy' | { pin: '2026-07-28' }, slug = 'all', user = 'alice') {
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } } as never);
    const transport = new StreamableHTTPClientTransport(new URL(`${app.url}/mcp/${slug}`), {
      requestInit: { headers: { authorization: `Bearer ${app.key}`, 'arcade-user-id': user } },
    });
    await client.connect(transport as never);
    return client;
  }

  for (const mode of ['legacy', { pin: '2026-07-28' }] as const) {
    test(`the official client lists and calls (${JSON.stringify(mode)})`, async () => {
      const client = await connect(mode);
      const { tools } = await client.listTools();
      assert.deepEqual(
        tools.map(({ name }) => name),
        ['ArcadeEvalRef_Echo', 'ArcadeEvalRef_Add', 'ArcadeEvalRef_Whoami'],
      );
      const sum = await client.callTool({ name: 'ArcadeEvalRef_Add', arguments: { a: 2, b: 40 } });
      assert.deepEqual(sum.structuredContent, { result: 42 });
      const who = await client.callTool({ name: 'ArcadeEvalRef_Whoami', arguments: {} });
      assert.deepEqual(who.structuredContent, { result: 'alice' });
      await client.close();
    });
  }

  test('two hundred interleaved calls of two users each get their own answer, and one record each', async () => {
    const users = ['ann@example.com', 'bob@example.com'];
    const clients = await Promise.all(users.map((user) => connect('legacy', 'all', user)));
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const which = index % 2;
        const answer = await (clients[which] as Client).callTool({
          name: 'ArcadeEvalRef_Whoami',
          arguments: {},
        });
        return { expected: users[which], got: (answer.structuredContent as { result: string }).result };
      }),
    );
    for (const { expected, got } of answers) assert.equal(got, expected);
    await Promise.all(clients.map((client) => client.close()));
    for (const user of users) {
      const response = await app.api(
        'GET',
        `/v1/audit_events?user_id=${user}&limit=1&decision=allowed&tool=ArcadeEvalRef.Whoami`,
      );
      assert.equal(((await response.json()) as { total_count: number }).total_count, 100);
    }
  });

  test('several gateways show different tools of one worker', async () => {
    const list = await messageOf(await app.rpc('sums', { id: 1, method: 'tools/list' }));
    assert.deepEqual(
      list.result.tools.map(({ name }: { name: string }) => name),
      ['ArcadeEvalRef_Add'],
    );
    const hidden = await messageOf(await app.rpc('sums', toolCall('ArcadeEvalRef_Whoami')));
    const unknown = await messageOf(await app.rpc('sums', toolCall('ArcadeEvalRef_Nothing')));
    assert.equal(hidden.error.code, -32602);
    assert.deepEqual(
      { ...hidden.error, message: hidden.error.message.replace('Whoami', 'X') },
      { ...unknown.error, message: unknown.error.message.replace('Nothing', 'X') },
    );
  });

  test('a fixed argument is not in the schema and cannot be overridden', async () => {
    const list = await messageOf(await app.rpc('curated', { id: 1, method: 'tools/list' }));
    const tool = list.result.tools.find(({ name }: { name: string }) => name === 'add_five');
    assert.deepEqual(Object.keys(tool.inputSchema.properties), ['a']);
    const sum = await messageOf(await app.rpc('curated', toolCall('add_five', { a: 1 })));
    assert.equal(sum.result.structuredContent.result, 6);
    const overridden = await messageOf(await app.rpc('curated', toolCall('add_five', { a: 1, b: 7 })));
    assert.match(overridden.error.message, /arguments\.b/);
  });

  test('who may call this: a key, as a user, on an open gateway', async () => {
    const ping = { id: 1, method: 'ping' };
    const cases: [string, Record<string, string>, number, string][] = [
      ['all', { authorization: '' }, 401, 'identity.missing'],
      ['all', { authorization: 'Bearer sp_wrong' }, 401, 'identity.invalid'],
      ['nowhere', { authorization: 'Bearer sp_wrong' }, 401, 'identity.invalid'],
      ['all', { 'arcade-user-id': '' }, 400, 'identity.user_missing'],
      ['nowhere', {}, 404, 'gateway.unknown'],
      ['closed', {}, 404, 'gateway.unknown'],
      ['oauth', {}, 401, 'gateway.auth_unavailable'],
      ['oauth', { 'arcade-user-id': '' }, 401, 'gateway.auth_unavailable'],
      ['all', { origin: 'https://evil.example' }, 403, 'request.origin_refused'],
    ];
    for (const [slug, headers, status, name] of cases) {
      const before = await app.records('&kind=sign_in');
      const response = await app.rpc(slug, ping, headers);
      const { error } = await messageOf(response);
      assert.deepEqual(
        [response.status, error.data.name],
        [status, name],
        `${slug} ${JSON.stringify(headers)}`,
      );
      const after = await app.records('&kind=sign_in');
      assert.equal(after.length, before.length + 1, 'one record');
      assert.equal(response.headers.has('www-authenticate'), status === 401);
    }
    assert.equal((await app.rpc('all', ping, { authorization: app.key })).status, 200, 'a bare key');
    assert.equal(
      (await app.rpc('all', ping, { 'arcade-user-id': '', 'sallyport-user-id': 'al' })).status,
      200,
      'our header',
    );
  });

  test('a user whose id is not plain ASCII is the same user in a header and in the API', async () => {
    const headers = { 'arcade-user-id': Buffer.from('Zoë').toString('latin1') };
    const { result } = await messageOf(await app.rpc('all', toolCall('ArcadeEvalRef_Whoami'), headers));
    assert.equal(result.structuredContent.result, 'Zoë');
    assert.equal((await app.records(`&user_id=${encodeURIComponent('Zoë')}`)).length, 1);
  });

  test('a call through the API with a wrong key is on the record too', async () => {
    const before = await app.records('&kind=sign_in');
    const response = await fetch(`${app.url}/v1/tools/execute`, {
      method: 'POST',
      headers: { authorization: 'sp_wrong', 'content-type': 'application/json' },
      body: '{"tool_name":"ArcadeEvalRef.Whoami","user_id":"alice"}',
    });
    assert.equal(response.status, 401);
    await response.body?.cancel();
    assert.equal((await app.records('&kind=sign_in')).length, before.length + 1);
  });

  test('a revoked key is refused on its next call', async () => {
    const made = (await (
      await app.api('POST', '/v1/api_keys', { name: 'short-lived', scopes: ['call'] })
    ).json()) as { id: string; key: string };
    const headers = { authorization: `Bearer ${made.key}` };
    assert.equal((await app.rpc('all', toolCall('ArcadeEvalRef_Whoami'), headers)).status, 200);
    await app.api('DELETE', `/v1/api_keys/${made.id}`);
    assert.equal((await app.rpc('all', toolCall('ArcadeEvalRef_Whoami'), headers)).status, 401);
  });

  test('a restricted key sees and runs only what it is restricted to', async () => {
    const asked = {
      name: 'narrow',
      scopes: ['call'],
      tools: ['ArcadeEvalRef.E*'],
      gateways: ['all'],
      users: ['al*'],
    };
    const { key } = (await (await app.api('POST', '/v1/api_keys', asked)).json()) as { key: string };
    const headers = { authorization: `Bearer ${key}` };
    const list = await messageOf(await app.rpc('all', { id: 1, method: 'tools/list' }, headers));
    assert.deepEqual(
      list.result.tools.map(({ name }: { name: string }) => name),
      ['ArcadeEvalRef_Echo'],
    );
    const refused = await messageOf(await app.rpc('all', toolCall('ArcadeEvalRef_Whoami'), headers));
    assert.equal(refused.error.data.name, 'catalog.tool_unknown');
    assert.equal((await app.records('&code=policy.not_granted'))[0].tool, 'ArcadeEvalRef.Whoami');
    assert.equal((await app.rpc('sums', { id: 1, method: 'tools/list' }, headers)).status, 404);
    assert.equal(
      (await app.rpc('all', { id: 1, method: 'ping' }, { ...headers, 'arcade-user-id': 'bob' })).status,
      403,
    );
  });

  describe('bad input gets a clear error, one record, and nothing else is affected', () => {
    const post = (body: string, headers: Record<string, string> = {}) =>
      fetch(`${app.url}/mcp/all`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${app.key}`,
          'arcade-user-id': 'alice',
          'content-type': 'application/json',
          ...headers,
        },
        body,
      });
    const deep = `${'['.repeat(70)}${']'.repeat(70)}`;
    const cases: [string, () => Promise<Response>, number, string, string?][] = [
      ['malformed JSON', () => post('{"jsonrpc":'), 400, 'request.malformed'],
      ['no JSON-RPC', () => post('[]'), 400, 'request.invalid'],
      ['no version', () => post('{"id":1,"method":"ping"}'), 400, 'request.invalid', 'jsonrpc'],
      [
        'an id that is none',
        () => post('{"jsonrpc":"2.0","id":{},"method":"ping"}'),
        400,
        'request.invalid',
        'id',
      ],
      [
        'an id that JavaScript cannot hold',
        () => post('{"jsonrpc":"2.0","id":12345678901234567890,"method":"ping"}'),
        400,
        'request.invalid',
        'id',
      ],
      [
        'params that are none',
        () => post('{"jsonrpc":"2.0","id":1,"method":"ping","params":3}'),
        400,
        'request.invalid',
        'params',
      ],
      [
        'content type',
        () => post('{}', { 'content-type': 'text/plain' }),
        415,
        'request.media_type',
        'Content-Type',
      ],
      ['accept', () => post('{}', { accept: 'text/html' }), 406, 'request.not_acceptable', 'Accept'],
      ['oversize', () => post(`"${'x'.repeat(4 * 1024 * 1024)}"`), 413, 'request.too_large'],
      [
        'deep nesting',
        () => post(`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":${deep}}}`),
        400,
        'request.too_deep',
      ],
      [
        'unknown session',
        () => post('{"jsonrpc":"2.0","id":1,"method":"ping"}', { 'mcp-session-id': 'nope' }),
        404,
        'session.unknown',
        'Mcp-Session-Id',
      ],
      [
        'unknown version',
        () => post('{"jsonrpc":"2.0","id":1,"method":"ping"}', { 'mcp-protocol-version': '1999-01-01' }),
        400,
        'request.version_unsupported',
        'MCP-Protocol-Version',
      ],
    ];
    for (const [what, send, status, name, field] of cases) {
      test(what, async () => {
        const before = await app.records('&decision=refused&kind=tool_call');
        const response = await send();
        const { error } = await messageOf(response);
        assert.deepEqual([response.status, error.data.name, error.data.field], [status, name, field]);
        const after = await app.records('&decision=refused&kind=tool_call');
        assert.equal(after.length, Math.min(100, before.length + 1), 'one record');
        assert.equal(after[0].code, name);
      });
    }

    const inBand: [string, object, string][] = [
      ['unknown tool', { method: 'tools/call', params: { name: 'Nope' } }, 'catalog.tool_unknown'],
      ['no tool', { method: 'tools/call', params: {} }, 'request.params_invalid'],
      [
        'arguments that are none',
        { method: 'tools/call', params: { name: 'ArcadeEvalRef_Echo', arguments: [] } },
        'request.params_invalid',
      ],
      ['unknown method', { method: 'tools/destroy' }, 'request.method_unknown'],
      ['bad cursor', { method: 'tools/list', params: { cursor: 'x' } }, 'request.params_invalid'],
    ];
    for (const [what, message, name] of inBand) {
      test(`${what}, told in band to older clients`, async () => {
        const before = await app.records('&decision=refused');
        const response = await app.rpc('all', { id: 'abc', ...message });
        const answer = await messageOf(response);
        assert.deepEqual([response.status, answer.id, answer.error.data.name], [200, 'abc', name]);
        assert.equal(
          (await app.records('&decision=refused')).length,
          Math.min(100, before.length + 1),
          'one record',
        );
      });
    }

    test('wrong argument types: a result that names the field, or an error for revisions before 2025-11-25', async () => {
      const before = await app.records('&code=catalog.arguments_invalid');
      const wrong = toolCall('ArcadeEvalRef_Add', { a: 'two', b: 1 });
      const older = await messageOf(await app.rpc('all', wrong, { 'mcp-protocol-version': '2025-06-18' }));
      assert.equal(older.error.code, -32602);
      assert.equal(older.error.data.name, 'catalog.arguments_invalid');
      assert.match(older.error.message, /arguments\.a/);
      const newer = await messageOf(await app.rpc('all', wrong, { 'mcp-protocol-version': '2025-11-25' }));
      assert.equal(newer.result.isError, true);
      assert.match(newer.result.content[0].text, /arguments\.a/);
      assert.equal((await app.records('&code=catalog.arguments_invalid')).length, before.length + 2);
    });
  });

  describe('2026-07-28', () => {
    const send = (
      method: string,
      params: Record<string, unknown> = {},
      headers: Record<string, string> = {},
    ) => {
      const request = modern(method, params);
      return app.rpc('all', request.message, { ...request.headers, ...headers });
    };

    test('server/discover says who this is and what it offers', async () => {
      const { result } = await messageOf(await send('server/discover'));
      assert.equal(result.resultType, 'complete');
      assert.deepEqual(result.supportedVersions, ['2026-07-28']);
      assert.deepEqual(result.capabilities, { tools: { listChanged: true } });
      assert.equal(result._meta['io.modelcontextprotocol/serverInfo'].name, 'all');
      assert.deepEqual([result.ttlMs, result.cacheScope], [0, 'private']);
    });

    test('results say that they are complete, and lists for whom they may be kept', async () => {
      const list = (await messageOf(await send('tools/list'))).result;
      assert.deepEqual(
        [list.resultType, list.ttlMs, list.cacheScope, list.tools.length],
        ['complete', 0, 'private', 3],
      );
      const response = await send('tools/call', { name: 'ArcadeEvalRef_Echo', arguments: { text: 'hi' } });
      assert.equal(response.headers.has('mcp-session-id'), false);
      const { result } = await messageOf(response);
      assert.deepEqual([result.resultType, result.structuredContent.result], ['complete', 'hi']);
    });

    const faults: [string, () => Promise<Response>, number, number][] = [
      [
        'a header that differs from the body',
        () => send('tools/list', {}, { 'mcp-method': 'tools/call' }),
        400,
        -32020,
      ],
      [
        'a missing Mcp-Name',
        () => app.rpc('all', modern('tools/call', { name: 'x' }).message, modern('tools/call').headers),
        400,
        -32020,
      ],
      [
        'a Mcp-Name of another tool',
        () => send('tools/call', { name: 'ArcadeEvalRef_Echo' }, { 'mcp-name': 'ArcadeEvalRef_Add' }),
        400,
        -32020,
      ],
      [
        'a missing version header',
        () => app.rpc('all', modern('tools/list').message, { 'mcp-method': 'tools/list' }),
        400,
        -32020,
      ],
      [
        'a version header that differs',
        () => send('tools/list', {}, { 'mcp-protocol-version': '2026-12-01' }),
        400,
        -32020,
      ],
      [
        'no _meta',
        () => app.rpc('all', { id: 1, method: 'tools/list' }, modern('tools/list').headers),
        400,
        -32602,
      ],
      ['an unknown method', () => send('tools/destroy'), 404, -32601],
      ['a method that is gone', () => send('ping'), 404, -32601],
      ['an unknown tool', () => send('tools/call', { name: 'Nope' }), 200, -32602],
    ];
    for (const [what, act, status, code] of faults) {
      test(`${what}: ${status}, ${code}`, async () => {
        const response = await act();
        const { error } = await messageOf(response);
        assert.deepEqual([response.status, error.code], [status, code]);
      });
    }

    test('a notification is taken with the headers of a request or without', async () => {
      const { id: _, ...message } = modern('notifications/x').message;
      const version = { 'mcp-protocol-version': '2026-07-28' };
      assert.equal((await app.rpc('all', message, version)).status, 202);
      assert.equal((await app.rpc('all', message, { ...version, 'mcp-method': 'tools/list' })).status, 400);
    });

    test('a batch is refused as one', async () => {
      const response = await fetch(`${app.url}/mcp/all`, {
        method: 'POST',
        headers: {
          authorization: app.key,
          'arcade-user-id': 'alice',
          'content-type': 'application/json',
          'mcp-protocol-version': '2026-07-28',
        },
        body: JSON.stringify([{ jsonrpc: '2.0', ...modern('server/discover').message }]),
      });
      const { error } = await messageOf(response);
      assert.deepEqual([response.status, error.data.name], [400, 'request.invalid']);
    });

    test('an unsupported version is told with those that are supported', async () => {
      const request = modern('tools/list');
      request.message.params._meta['io.modelcontextprotocol/protocolVersion'] = '2027-01-01';
      const response = await app.rpc('all', request.message, {
        ...request.headers,
        'mcp-protocol-version': '2027-01-01',
      });
      const { error } = await messageOf(response);
      assert.deepEqual([response.status, error.code], [400, -32022]);
      assert.deepEqual([error.data.supported, error.data.requested], [['2026-07-28'], '2027-01-01']);
    });

    test('a name that is no plain ASCII is compared after decoding', async () => {
      const name = 'Größe';
      const wrapped = `=?base64?${Buffer.from(name).toString('base64')}?=`;
      const { error } = await messageOf(await send('tools/call', { name }, { 'mcp-name': wrapped }));
      assert.equal(error.code, -32602);
      const other = `=?base64?${Buffer.from('Grosse').toString('base64')}?=`;
      assert.equal(
        (await messageOf(await send('tools/call', { name }, { 'mcp-name': other }))).error.code,
        -32020,
      );
    });
  });

  describe('sessions of older clients', () => {
    async function initialize(version: string, headers: Record<string, string> = {}) {
      const params = { protocolVersion: version, capabilities: {}, clientInfo: { name: 't', version: '1' } };
      const response = await app.rpc('all', { id: 0, method: 'initialize', params }, headers);
      return {
        session: response.headers.get('mcp-session-id') as string,
        result: (await messageOf(response)).result,
      };
    }

    test('each version is spoken as asked, and an unknown one is answered with our newest', async () => {
      for (const version of ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25']) {
        assert.equal((await initialize(version)).result.protocolVersion, version);
      }
      assert.equal((await initialize('2023-01-01')).result.protocolVersion, '2025-11-25');
    });

    test('a session belongs to its user, and ends with DELETE', async () => {
      const { session } = await initialize('2025-11-25');
      const ping = { id: 1, method: 'ping' };
      const own = { 'mcp-session-id': session };
      assert.equal((await app.rpc('all', ping, own)).status, 200);
      assert.equal((await app.rpc('all', ping, { ...own, 'arcade-user-id': 'mallory' })).status, 404);
      assert.equal((await app.rpc('sums', ping, own)).status, 404);
      const headers = { ...own, authorization: `Bearer ${app.key}`, 'arcade-user-id': 'alice' };
      assert.equal((await fetch(`${app.url}/mcp/all`, { method: 'DELETE', headers })).status, 204);
      assert.equal((await app.rpc('all', ping, own)).status, 404);
    });

    test('a client that drops the session header is served without one', async () => {
      const { result } = await messageOf(await app.rpc('all', toolCall('ArcadeEvalRef_Echo', { text: 'x' })));
      assert.equal(result.structuredContent.result, 'x');
    });

    test('notifications are taken without an answer', async () => {
      const { session } = await initialize('2025-11-25');
      const response = await app.rpc(
        'all',
        { method: 'notifications/initialized' },
        { 'mcp-session-id': session },
      );
      assert.deepEqual([response.status, await response.text()], [202, '']);
    });

    test('a batch is answered as one, in 2025-03-26 only', async () => {
      const batch = [
        { jsonrpc: '2.0', id: 1, method: 'ping' },
        { jsonrpc: '2.0', method: 'notifications/x' },
        { jsonrpc: '2.0', id: 2, method: 'tools/list' },
      ];
      const send = (version: string) =>
        fetch(`${app.url}/mcp/all`, {
          method: 'POST',
          headers: {
            authorization: app.key,
            'arcade-user-id': 'alice',
            'content-type': 'application/json',
            'mcp-protocol-version': version,
          },
          body: JSON.stringify(batch),
        });
      const answers = (await (await send('2025-03-26')).json()) as { id: number }[];
      assert.deepEqual(
        answers.map(({ id }) => id),
        [1, 2],
      );
      assert.equal((await send('2025-06-18')).status, 400);
    });
  });

  describe('changes are pushed', () => {
    async function hears(response: Response, act: () => Promise<unknown>): Promise<string> {
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      let text = '';
      const decoder = new TextDecoder();
      await act();
      while (!text.includes('list_changed')) {
        const { value, done } = await reader.read();
        if (done) break;
        text += decoder.decode(value);
      }
      await reader.cancel();
      return text;
    }
    const toggle = async () => {
      const { catalog } = app.app.rooms;
      const all = catalog.tools('default');
      const sourceId = all[0]?.sourceId as string;
      const tools = all.filter((tool) => tool.sourceId === sourceId);
      const nothingElse = { prompts: [], resources: [], templates: [], capabilities: {} };
      await catalog.replaceOffer('default', sourceId, { tools: tools.slice(1), ...nothingElse });
      await catalog.replaceOffer('default', sourceId, { tools, ...nothingElse });
    };

    test('to a listener of 2026-07-28, under its own subscription', async () => {
      const request = modern('subscriptions/listen', {
        notifications: { toolsListChanged: true, promptsListChanged: true },
      });
      const response = await app.rpc('all', { ...request.message, id: 'sub-7' }, request.headers);
      const text = await hears(response, toggle);
      const events = text
        .split('\n')
        .filter((line) => line.startsWith('data: '))
        .map((line) => JSON.parse(line.slice(6)));
      assert.equal(events[0].method, 'notifications/subscriptions/acknowledged');
      assert.deepEqual(events[0].params.notifications, { toolsListChanged: true, promptsListChanged: true });
      for (const event of events)
        assert.equal(event.params._meta['io.modelcontextprotocol/subscriptionId'], 'sub-7');
    });

    test('to the GET stream of an older client', async () => {
      const params = {
        protocolVersion: '2025-11-25',
        capabilities: {},
        clientInfo: { name: 't', version: '1' },
      };
      const opened = await app.rpc('all', { id: 0, method: 'initialize', params });
      const headers = {
        authorization: app.key,
        'arcade-user-id': 'alice',
        accept: 'text/event-stream',
        'mcp-session-id': opened.headers.get('mcp-session-id') as string,
      };
      const stream = await fetch(`${app.url}/mcp/all`, { headers });
      assert.equal(stream.status, 200);
      assert.match(await hears(stream, toggle), /notifications\/tools\/list_changed/);
    });

    test('GET and DELETE without a session are refused, whatever the version', async () => {
      for (const [method, version] of [
        ['GET', '2025-11-25'],
        ['GET', '2026-07-28'],
        ['DELETE', '2026-07-28'],
        ['PUT', '2025-11-25'],
      ] as const) {
        const headers = {
          authorization: app.key,
          'arcade-user-id': 'alice',
          accept: 'text/event-stream',
          'mcp-protocol-version': version,
        };
        const response = await fetch(`${app.url}/mcp/all`, { method, headers });
        assert.deepEqual([response.status, response.headers.get('allow')], [405, 'POST']);
      }
    });
  });
});
