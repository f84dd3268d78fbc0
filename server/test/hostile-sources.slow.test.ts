import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { type Json, messageOf, startApp, type TestApp, toolCall } from './start-app.ts';

const secret = 'a-worker-secret-of-more-than-32-bytes';
const token = 'tok-0123456789';
const user = { 'arcade-user-id': 'alice' };

type Behaviour = (request: IncomingMessage, response: ServerResponse, body: string) => void;

describe('hostile sources', () => {
  let app: TestApp;
  let behave: Behaviour = (_, response) => response.writeHead(500).end();
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => behave(request, response, body));
  });

  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    app = await startApp(`
workers:
  - { id: worker, http: { uri: "http://127.0.0.1:${port}/w?key=${token}", secret: "${secret}", retry: 0 } }
  - id: mcp
    mcp:
      uri: "http://127.0.0.1:${port}/mcp"
      retry: 0
      headers: { Authorization: "Bearer \${secret:TOKEN}" }
      secrets: { TOKEN: ${token} }
gateways:
  - { name: All, slug: all }
  - { name: Hub, slug: hub, presentation: hub }
egress: { allow: [127.0.0.0/8] }
`);
  });
  after(async () => {
    server.closeAllConnections();
    server.close();
    await app.close();
  });

  const definition = { name: 'Good', toolkit: { name: 'Kit', version: '1' }, input: { parameters: [] } };
  const workerLists = (...tools: object[]) => {
    const list = JSON.stringify(tools);
    behave = (_, response) => response.end(list);
    return app.app.rooms.sources.refresh('default', 'worker');
  };
  const names = (sourceId: string) =>
    app.app.rooms.catalog
      .tools('default')
      .filter((tool) => tool.sourceId === sourceId && tool.available)
      .map(({ name }) => name);

  test('a tool that the database cannot hold is left out and said; the others stay', async () => {
    const bad = [
      { ...definition, name: 'Nul', description: 'a\0b' },
      { ...definition, name: 'Half', description: '\ud800' },
      { ...definition, name: 'Key', metadata: { extras: { 'a\0b': 1 } } },
      { ...definition, name: 'Break\nline' },
      { ...definition, name: 'L'.repeat(5000) },
      {
        ...definition,
        name: 'Version',
        toolkit: {
          name: 'Kit',
          version: Array.from({ length: 9000 }, (_, i) => (i * 7919).toString(36)).join(''),
        },
      },
    ];
    const status = await workerLists(...bad, definition);
    assert.deepEqual(names('worker'), ['Good']);
    assert.match(status.message, /offers 1 tool; left out: Nul \(.*Half \(/);
  });

  test('a tool nested without end is left out', async () => {
    for (const [opening, closing] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const nested = `${opening.repeat(20_000)}[]${closing.repeat(20_000)}`;
      const deep = { ...definition, name: 'Deep', metadata: { extras: { deep: 0 } } };
      const text = JSON.stringify([deep, definition]).replace('"deep":0', `"deep":${nested}`);
      behave = (_, response) => response.end(text);
      const status = await app.app.rooms.sources.refresh('default', 'worker');
      assert.match(status.message, /left out: Deep/);
      assert.deepEqual(names('worker'), ['Good']);
    }
  });

  test('what a source says of our secrets is told to nobody', async () => {
    behave = (_, response, body) => {
      const { id } = JSON.parse(body || '{}') as { id?: number };
      const error = { code: -32000, message: `do not know Bearer ${token}` };
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ jsonrpc: '2.0', id, error }));
    };
    const status = await app.app.rooms.sources.refresh('default', 'mcp');
    assert.equal(status.state, 'unhealthy');
    behave = (_, response) => response.writeHead(404).end();
    await app.app.rooms.sources.refresh('default', 'worker');
    const { items } = (await (await app.api('GET', '/v1/workers')).json()) as { items: { status: object }[] };
    const told = JSON.stringify(items.map((item) => item.status));
    assert.match(told, /do not know/);
    assert.match(told, /there is no worker/);
    assert.doesNotMatch(told + JSON.stringify(status), new RegExp(token));
    const ready = await (await fetch(`${app.url}/readyz`)).text();
    assert.match(ready, /"unhealthy":\["mcp","worker"\]|"unhealthy":\["worker","mcp"\]/);
    assert.doesNotMatch(ready, /127\.0\.0\.1|do not know/);
  });

  test('a list of tools in ever more pages ends', async () => {
    const filler = 'x'.repeat(8 * 1024 * 1024);
    let pages = 0;
    behave = (_, response, body) => {
      const { id, method } = JSON.parse(body || '{}') as { id?: number; method?: string };
      response.writeHead(200, { 'content-type': 'application/json' });
      const result =
        method === 'tools/list'
          ? {
              resultType: 'complete',
              tools: [],
              nextCursor: `${++pages}`,
              filler,
              ttlMs: 0,
              cacheScope: 'private',
            }
          : { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: { tools: {} } };
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
    };
    const status = await app.app.rooms.sources.refresh('default', 'mcp');
    assert.match(status.message, /larger than/);
    assert.ok(pages <= 13, `${pages} pages`);
  });

  /** Of an MCP server, that lists one tool. */
  const answering = (call: (response: ServerResponse, id: number) => void): Behaviour => {
    return (_, response, body) => {
      const { id, method } = JSON.parse(body || '{}') as { id?: number; method?: string };
      const answers: Record<string, object> = {
        initialize: {
          protocolVersion: '2025-11-25',
          capabilities: { tools: {} },
          serverInfo: { name: 'deep', version: '1' },
        },
        'tools/list': { tools: [{ name: 'Do', inputSchema: { type: 'object' } }] },
      };
      const result = answers[method ?? ''];
      if (method === 'tools/call') call(response, id as number);
      else if (result === undefined) response.writeHead(id === undefined ? 202 : 405).end();
      else {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
      }
    };
  };

  test('what a source says or asks without end of nesting ends its call, and nothing else', async () => {
    const nested = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    let said = '';
    behave = answering((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: {"jsonrpc":"2.0",${said}:${nested}}}\n\n`);
    });
    await app.app.rooms.sources.refresh('default', 'mcp');
    const params = { protocolVersion: '2025-11-25', capabilities: { elicitation: {} } };
    const opened = await app.rpc('all', { id: 0, method: 'initialize', params });
    await opened.text();
    const headers = { 'mcp-session-id': opened.headers.get('mcp-session-id') as string };
    const call = { id: 1, method: 'tools/call', params: { name: 'mcp_Do', arguments: {} } };
    for (const beginning of [
      '"method":"notifications/message","params":{"level":"info","data"',
      '"id":7,"method":"elicitation/create","params":{"message":"?","requestedSchema"',
    ]) {
      said = beginning;
      const { result } = await messageOf(await app.rpc('all', call, headers));
      assert.match(result.content[0].text, /nested more than 64 deep/);
    }
  });

  test('what comes of a tool without end of nesting ends its execution, and says so', async () => {
    const nested = `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`;
    behave = answering((response, id) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(`{"jsonrpc":"2.0","id":${id},"result":{"content":[],"structuredContent":${nested}}}`);
    });
    await app.app.rooms.sources.refresh('default', 'mcp');
    const hub = async (name: string, args: object) => {
      const { result } = await messageOf(await app.rpc('hub', toolCall(name, args), user));
      return result.structuredContent;
    };
    const tool = { tool: 'mcp://mcp.Do', input: {} };
    const { execution_id } = await hub('execute_tool', { ...tool, mode: 'async' });
    for (const told of [
      await hub('execute_tool', tool),
      await hub('execute_tool', { ...tool, idempotency_key: 'deep' }),
      await hub('resume_execution', { execution_id, wait_ms: 10_000 }),
    ]) {
      assert.deepEqual([told.status, told.error.name], ['failed', 'source.answer_invalid']);
      assert.match(told.error.message, /nested more than 500 deep/);
    }
  });

  for (const levels of [10_000, 20_000, 100_000]) {
    const nested = `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
    const tooDeep = /nested more than 500 deep$/;

    test(`what a worker answers ${levels} deep ends its call at every front, and says so`, async () => {
      await workerLists(definition);
      for (const answer of [
        `{"success":true,"output":{"value":${nested}}}`,
        `{"success":false,"output":{"error":{"message":"m","extra":{"x":${nested}}}}}`,
        `{"success":false,"output":{"requires_authorization":{"x":${nested}}}}`,
      ]) {
        behave = (_, response) => response.end(answer);
        // What is large goes on as it is, unread.
        if (answer.length < 64 * 1024 || !answer.includes('"success":true')) {
          const { result } = await messageOf(await app.rpc('all', toolCall('Kit_Good')));
          assert.equal(result._meta['sallyport/refusal'].code, 'source.answer_invalid');
          assert.match(result.content[0].text, tooDeep);
        }
        const execution = await app.api('POST', '/v1/tools/execute', { tool_name: 'Kit.Good', user_id: 'a' });
        const { success, output } = (await execution.json()) as Json;
        assert.equal(success, false);
        assert.match(output.error.message, tooDeep);
      }
    });

    test(`what an MCP server answers ${levels} deep ends its call over REST, and says so`, async () => {
      behave = answering((response, id) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(`{"jsonrpc":"2.0","id":${id},"result":{"content":[],"structuredContent":${nested}}}`);
      });
      await app.app.rooms.sources.refresh('default', 'mcp');
      const execution = await app.api('POST', '/v1/tools/execute', { tool_name: 'mcp.Do', user_id: 'a' });
      const { success, output } = (await execution.json()) as Json;
      assert.equal(success, false);
      assert.match(output.error.message, tooDeep);
    });
  }

  test('a text that is JSON nested without end is text to a hook server', async () => {
    let said = '';
    const asked: Json[] = [];
    const tool = answering((response, id) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const result = { content: [{ type: 'text', text: said }] };
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
    });
    behave = (request, response, body) => {
      if (request.url !== '/post') return tool(request, response, body);
      asked.push(JSON.parse(body));
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"code":"OK"}');
    };
    await app.app.rooms.sources.refresh('default', 'mcp');
    const { port } = server.address() as AddressInfo;
    const post = { url: `http://127.0.0.1:${port}/post`, failure_mode: 'fail_closed', phase: 'before' };
    const plugin = { name: 'Checks', plugin_type: 'webhook', webhook_config: { endpoints: { post } } };
    const { id } = (await (await app.api('POST', '/v1/plugins', plugin)).json()) as Json;
    for (const levels of [10_000, 100_000]) {
      said = '['.repeat(levels) + ']'.repeat(levels);
      const { result } = await messageOf(await app.rpc('all', toolCall('mcp_Do')));
      assert.ok(result.content[0].text === said);
      assert.ok(asked.pop()?.output === said);
    }
    const { items } = (await (await app.api('GET', '/v1/hooks')).json()) as Json;
    for (const hook of items) await app.api('DELETE', `/v1/hooks/${hook.id}`);
    assert.equal((await app.api('DELETE', `/v1/plugins/${id}`)).status, 204);
  });

  test('the server lives, and calls what is well', async () => {
    const status = await workerLists(definition);
    assert.equal(status.state, 'healthy');
    behave = (_, response) => response.end(JSON.stringify({ success: true, output: { value: 'fine' } }));
    const call = { id: 1, method: 'tools/call', params: { name: 'Kit_Good', arguments: {} } };
    assert.equal((await messageOf(await app.rpc('all', call))).result.isError, false);
  });
});
