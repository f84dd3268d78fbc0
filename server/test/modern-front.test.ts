import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, ProtocolError, Server } from '@modelcontextprotocol/server';
import { type Json, messageOf, modern, startApp, type TestApp } from './start-app.ts';

const prefix = 'io.modelcontextprotocol';
const everything = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };
const form = {
  method: 'elicitation/create',
  params: {
    mode: 'form',
    message: 'Your name?',
    requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
  },
};

/** A server of 2026-07-28 on the official SDK that has something of everything. */
/** It lists nothing before `after` is done: who lists first keeps the plain names. */
async function startUpstream(label: string, after: Promise<void> = Promise.resolve()) {
  const events = new EventEmitter();
  const asked: { method: string; params: Json }[] = [];
  const capabilities = {
    tools: {},
    prompts: { listChanged: true },
    resources: { listChanged: true, subscribe: true },
    completions: {},
    logging: {},
  };
  const listedPrompt = { name: 'greet', title: 'A greeting', arguments: [{ name: 'who', required: true }] };
  const prompts = [listedPrompt, { name: 'asks' }, { name: 'waits' }];
  const resources = [
    { uri: 'file:///a', name: 'a', 'vendor/x': 1 },
    { uri: `file:///${label}`, name: 'own' },
  ];

  /** Asks for a name once, and greets by it. */
  function asking(ctx: Json, greeted: (name: string) => object): object {
    const answer = ctx.mcpReq.inputResponses?.name;
    if (answer !== undefined) return greeted(`${ctx.mcpReq.requestState()}:${answer.content?.name}`);
    return { resultType: 'input_required', inputRequests: { name: form }, requestState: `state of ${label}` };
  }

  function makeServer(): Server {
    const server = new Server({ name: label, version: '9' }, { capabilities });
    const on = (method: string, answer: (params: Json, ctx: Json) => object | Promise<object>) =>
      server.setRequestHandler(method as 'prompts/get', async ({ params }, ctx) => {
        asked.push({ method, params });
        return (await answer(params ?? {}, ctx)) as never;
      });
    const inputSchema = { type: 'object' };
    on('tools/list', async () => {
      await after;
      return { tools: ['ask', 'log', 'link', 'undeclared'].map((name) => ({ name, inputSchema })) };
    });
    on('tools/call', async ({ name }, ctx) => {
      if (name === 'ask') return asking(ctx, (text) => ({ content: [{ type: 'text', text }] }));
      if (name === 'undeclared')
        throw new ProtocolError(-32021, 'it needs roots', { requiredCapabilities: { roots: {} } });
      if (name === 'link') return { content: [{ type: 'resource_link', uri: 'file:///a', name: 'a' }] };
      await ctx.mcpReq.log('info', 'some news');
      await ctx.mcpReq.log('error', 'bad news');
      return { content: [] };
    });
    on('prompts/list', () => ({ prompts }));
    on('prompts/get', async ({ name, arguments: args }, ctx) => {
      const saying = (text: string) => ({ messages: [{ role: 'user', content: { type: 'text', text } }] });
      if (name === 'asks') return asking(ctx, saying);
      if (name === 'waits') {
        events.emit('waiting');
        await once(ctx.mcpReq.signal, 'abort');
        events.emit('cancelled');
      }
      return { ...saying(`hello ${args?.who}`), 'vendor/kept': [1] };
    });
    on('resources/list', () => ({ resources }));
    on('resources/templates/list', () => ({
      resourceTemplates: [{ uriTemplate: `${label}://{id}`, name: 't' }],
    }));
    on('resources/read', ({ uri }) => {
      if (uri.endsWith('/gone')) throw new ProtocolError(-32602, 'it is gone', { uri });
      return { contents: [{ uri, text: `${label} has it` }], ttlMs: 5000, cacheScope: 'public' };
    });
    on('completion/complete', () => ({ completion: { values: [label], total: 1 } }));
    return server;
  }

  const handler = createMcpHandler(makeServer, { legacy: 'reject' });
  const http = createServer(toNodeHandler(handler) as never);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    uri: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    events,
    asked,
    notify: handler.notify,
    async close() {
      await handler.close();
      http.closeAllConnections();
      http.close();
    },
  };
}

describe('a gateway to a client of 2026-07-28', () => {
  let app: TestApp;
  let docs: Awaited<ReturnType<typeof startUpstream>>;
  let files: typeof docs;

  before(async () => {
    docs = await startUpstream('docs');
    const docsAreIn = Promise.withResolvers<void>();
    files = await startUpstream('files', docsAreIn.promise);
    app = await startApp(`
workers:
  - { id: docs, mcp: { uri: "${docs.uri}" } }
  - { id: files, mcp: { uri: "${files.uri}" } }
gateways:
  - { name: Both, slug: both }
  - { name: Docs, slug: docs, tool_filter: { allowed_tools: ["docs.*"] } }
  - { name: Own, slug: own, naming: source, tool_filter: { allowed_tools: ["docs.*"] } }
  - { name: Nothing, slug: nothing, tool_filter: { allowed_tools: ["nothing.*"] } }
`);
    for (const id of ['docs', 'files']) {
      const status = await app.app.rooms.sources.refresh('default', id);
      assert.equal(status.state, 'healthy', status.message);
      docsAreIn.resolve();
    }
  });
  after(async () => {
    await app.close();
    await docs.close();
    await files.close();
  });

  type Given = { meta?: object; headers?: Record<string, string>; slug?: string };
  async function ask(method: string, params: Json = {}, given: Given = {}) {
    const { message, headers } = modern(method, params);
    const { _meta, ...rest } = message.params as Json;
    const sent = { ...message, params: { ...rest, _meta: { ..._meta, ...given.meta } } };
    const response = await app.rpc(given.slug ?? 'both', sent, { ...headers, ...given.headers });
    return { status: response.status, ...(await messageOf(response)) };
  }
  const declaring = (capabilities: object) => ({ meta: { [`${prefix}/clientCapabilities`]: capabilities } });

  async function connect(capabilities: object, slug = 'both') {
    const options = { capabilities, versionNegotiation: { mode: { pin: '2026-07-28' } } };
    const client = new Client({ name: 'test', version: '1' }, options as never);
    const transport = new StreamableHTTPClientTransport(new URL(`${app.url}/mcp/${slug}`), {
      requestInit: { headers: { authorization: `Bearer ${app.key}`, 'arcade-user-id': 'alice' } },
    });
    await client.connect(transport as never);
    return client;
  }

  describe('declares and lists', () => {
    test('what its sources can do', async () => {
      const { result } = await ask('server/discover');
      assert.deepEqual(result.capabilities, {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
        completions: {},
        logging: {},
      });
      const nothing = await ask('server/discover', {}, { slug: 'nothing' });
      assert.deepEqual(nothing.result.capabilities, { tools: { listChanged: true } });
    });

    test('prompts under their names here, and all that their source says of them', async () => {
      const { result } = await ask('prompts/list');
      assert.deepEqual(
        result.prompts.map(({ name }: Json) => name),
        ['docs_greet', 'docs_asks', 'docs_waits', 'files_greet', 'files_asks', 'files_waits'],
      );
      const { name: _, ...greet } = result.prompts[0];
      assert.deepEqual(greet, { title: 'A greeting', arguments: [{ name: 'who', required: true }] });
      assert.deepEqual([result.resultType, result.ttlMs, result.cacheScope], ['complete', 0, 'private']);
      assert.equal(result._meta[`${prefix}/serverInfo`].name, 'both');
      const own = await ask('prompts/list', {}, { slug: 'own' });
      assert.equal(own.result.prompts[0].name, 'greet');
    });

    test('resources and templates by their URIs; those of a later source that stand for something else already, renamed', async () => {
      const { result } = await ask('resources/list');
      assert.deepEqual(
        result.resources.map(({ uri }: Json) => uri),
        ['file:///a', 'file:///docs', 'files+file:///a', 'files+file:///files'],
      );
      assert.equal(result.resources[0]['vendor/x'], 1);
      const templates = await ask('resources/templates/list', {}, { slug: 'docs' });
      assert.deepEqual(templates.result.resourceTemplates, [{ uriTemplate: 'docs://{id}', name: 't' }]);
      for (const method of ['resources/list', 'resources/templates/list', 'prompts/list']) {
        const empty = await ask(method, {}, { slug: 'nothing' });
        assert.equal(Object.values(empty.result).filter(Array.isArray).flat().length, 0, method);
      }
    });

    test('and refuses a cursor of another list', async () => {
      const cursor = Buffer.from('tools:1000').toString('base64url');
      const { status, error } = await ask('prompts/list', { cursor });
      assert.deepEqual([status, error.code, error.data.field], [200, -32602, 'params.cursor']);
    });
  });

  describe('relays', () => {
    test('a prompt, under the name that its source knows', async () => {
      const { result } = await ask('prompts/get', { name: 'files_greet', arguments: { who: 'you' } });
      assert.equal(result.messages[0].content.text, 'hello you');
      assert.deepEqual(result['vendor/kept'], [1]);
      assert.equal(result.resultType, 'complete');
      assert.equal(result._meta[`${prefix}/serverInfo`].name, 'both');
      const { params } = files.asked.findLast(({ method }) => method === 'prompts/get') as Json;
      assert.equal(params.name, 'greet');
      const [record] = await app.records('&kind=prompt_get');
      assert.deepEqual([record.decision, record.tool, record.source], ['allowed', 'files.greet', 'files']);
    });

    test('a resource, for this caller alone and as long as its source says', async () => {
      const { result } = await ask('resources/read', { uri: 'file:///docs' });
      assert.deepEqual(result.contents, [{ uri: 'file:///docs', text: 'docs has it' }]);
      assert.deepEqual([result.ttlMs, result.cacheScope], [5000, 'private']);
      const made = await ask('resources/read', { uri: 'docs://7' });
      assert.equal(made.result.contents[0].text, 'docs has it');
    });

    test('a renamed resource, which has its name here wherever an answer speaks of it', async () => {
      const read = await ask('resources/read', { uri: 'files+file:///a' });
      assert.deepEqual(read.result.contents, [{ uri: 'files+file:///a', text: 'files has it' }]);
      const linked = await ask('tools/call', { name: 'files_link', arguments: {} });
      assert.equal(linked.result.content[0].uri, 'files+file:///a');
      const own = await ask('tools/call', { name: 'docs_link', arguments: {} });
      assert.equal(own.result.content[0].uri, 'file:///a');
    });

    test('completions of prompts and of templates, with their context', async () => {
      const argument = { name: 'who', value: 'd' };
      const context = { arguments: { other: 'x' } };
      const prompt = await ask('completion/complete', {
        ref: { type: 'ref/prompt', name: 'docs_greet' },
        argument,
        context,
      });
      assert.deepEqual(prompt.result.completion, { values: ['docs'], total: 1 });
      const { params } = docs.asked.at(-1) as Json;
      assert.deepEqual([params.ref.name, params.argument, params.context], ['greet', argument, context]);
      const template = { type: 'ref/resource', uri: 'docs://{id}' };
      const { result } = await ask('completion/complete', { ref: template, argument });
      assert.deepEqual(result.completion.values, ['docs']);
      for (const ref of [undefined, {}, { type: 'ref/prompt' }, { type: 'ref/other', name: 'docs_greet' }]) {
        const { error } = await ask('completion/complete', { ref, argument });
        assert.deepEqual([error.code, error.data.name], [-32602, 'request.params_invalid']);
      }
    });

    test('log messages as severe as the request asks for, and none where it does not ask', async () => {
      const heard = async (meta: object) => {
        const { message, headers } = modern('tools/call', { name: 'docs_log', arguments: {} });
        const params = message.params as Json;
        const sent = { ...message, params: { ...params, _meta: { ...params._meta, ...meta } } };
        const text = await (await app.rpc('both', sent, headers)).text();
        return ['some news', 'bad news'].filter((news) => text.includes(news));
      };
      assert.deepEqual(await heard({}), []);
      assert.deepEqual(await heard({ [`${prefix}/logLevel`]: 'info' }), ['some news', 'bad news']);
      assert.deepEqual(await heard({ [`${prefix}/logLevel`]: 'error' }), ['bad news']);
      const { error } = await ask(
        'tools/call',
        { name: 'docs_log', arguments: {} },
        { meta: { [`${prefix}/logLevel`]: 'loud' } },
      );
      assert.deepEqual([error.code, error.data.name], [-32602, 'request.params_invalid']);
    });
  });

  describe('refuses', () => {
    test('what it does not show, as what does not exist; one record each', async () => {
      const before = (await app.records('&decision=refused')).length;
      const hidden = await ask('prompts/get', { name: 'files_greet' }, { slug: 'docs' });
      const unknown = await ask('prompts/get', { name: 'nobodys' }, { slug: 'docs' });
      for (const { status, error } of [hidden, unknown])
        assert.deepEqual([status, error.code, error.data.name], [200, -32602, 'catalog.prompt_unknown']);
      const uri = 'files+file:///a';
      const { status, error } = await ask('resources/read', { uri }, { slug: 'nothing' });
      assert.deepEqual([status, error.code, error.data.uri], [200, -32602, uri]);
      assert.equal((await app.records('&decision=refused')).length, before + 3);
    });

    test('in the words of the source what that refuses', async () => {
      const { error } = await ask('resources/read', { uri: 'files+file:///gone' });
      assert.deepEqual(error, { code: -32602, message: 'it is gone', data: { uri: 'files+file:///gone' } });
    });

    test('a request whose Mcp-Name says something else', async () => {
      const requests = [
        ['prompts/get', { name: 'docs_greet' }],
        ['resources/read', { uri: 'file:///a' }],
        ['tasks/get', { taskId: 't' }],
        ['tasks/update', { taskId: 't' }],
        ['tasks/cancel', { taskId: 't' }],
      ] as const;
      for (const [method, params] of requests) {
        const { status, error } = await ask(method, params, { headers: { 'mcp-name': 'other' } });
        assert.deepEqual([status, error.code], [400, -32020], method);
      }
    });
  });

  describe('asks its client', () => {
    const call = { name: 'docs_ask', arguments: {} };
    const answers = { name: { action: 'accept', content: { name: 'Ada' } } };

    test('through the official client, which answers by itself', async () => {
      const client = await connect({ elicitation: { form: {} } });
      client.setRequestHandler('elicitation/create', async () => answers.name as never);
      const called = await client.callTool(call);
      assert.deepEqual(called.content, [{ type: 'text', text: 'state of docs:Ada' }]);
      const prompt = await client.getPrompt({ name: 'files_asks' });
      assert.deepEqual(prompt.messages[0]?.content, { type: 'text', text: 'state of files:Ada' });
      await client.close();
    });

    test('with a state that says nothing, and is good only for the same user and request', async () => {
      const { status, result } = await ask('tools/call', call, declaring(everything));
      assert.equal(status, 200);
      assert.equal(result.resultType, 'input_required');
      assert.deepEqual(result.inputRequests, { name: form });
      assert.deepEqual([result.ttlMs, result.cacheScope], [undefined, undefined]);
      const { requestState } = result;
      assert.ok(!Buffer.from(requestState, 'base64url').includes('state of docs'));
      const retry = { ...call, inputResponses: answers, requestState };
      const foreign: [Json, Given][] = [
        [retry, { headers: { 'arcade-user-id': 'bob' } }],
        [retry, { slug: 'docs' }],
        [{ ...retry, arguments: { other: 1 } }, {}],
        [{ ...retry, name: 'files_ask' }, {}],
        [{ ...retry, requestState: `${requestState}x` }, {}],
        [{ ...retry, requestState: 7 }, {}],
      ];
      for (const [params, given] of foreign) {
        const { status, error } = await ask('tools/call', params, { ...declaring(everything), ...given });
        assert.deepEqual([status, error.code, error.data.name], [200, -32602, 'request.state_invalid']);
      }
      const done = await ask('tools/call', retry, declaring(everything));
      assert.equal(done.result.content[0].text, 'state of docs:Ada');
    });

    test('not again, where it answers before it is asked', async () => {
      const { result } = await ask('tools/call', { ...call, inputResponses: answers }, declaring(everything));
      assert.match(result.content[0].text, /Ada/);
    });

    test('and refuses answers that are none', async () => {
      for (const inputResponses of [null, [], 'x', { name: 7 }, { name: null }]) {
        const { error } = await ask('tools/call', { ...call, inputResponses }, declaring(everything));
        assert.deepEqual([error.code, error.data.field], [-32602, 'params.inputResponses']);
      }
    });

    test('for nothing that it has not declared: then it is told what is missing', async () => {
      const { status, error } = await ask('tools/call', call, declaring({ sampling: {} }));
      assert.deepEqual([status, error.code], [400, -32021]);
      assert.equal(typeof error.data.requiredCapabilities.elicitation, 'object');
      const source = await ask('tools/call', { name: 'docs_undeclared', arguments: {} });
      assert.deepEqual([source.status, source.error.code], [400, -32021]);
      assert.deepEqual(source.error.data.requiredCapabilities, { roots: {} });
    });

    test('and refuses capabilities that are too large to be kept', async () => {
      const { error } = await ask('tools/call', call, declaring({ experimental: { x: 'x'.repeat(40_000) } }));
      assert.deepEqual([error.code, error.data.name], [-32602, 'request.params_invalid']);
    });
  });

  test('a client that goes away cancels its request', async () => {
    const { message, headers } = modern('prompts/get', { name: 'docs_waits' });
    const abort = new AbortController();
    const waiting = once(docs.events, 'waiting');
    const cancelled = once(docs.events, 'cancelled');
    const asking = fetch(`${app.url}/mcp/both`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${app.key}`,
        'arcade-user-id': 'alice',
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers,
      },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
      signal: abort.signal,
    });
    await waiting;
    abort.abort();
    await assert.rejects(asking);
    await cancelled;
  });

  describe('tells a listener', () => {
    async function listen(notifications: object, slug = 'both') {
      const { message, headers } = modern('subscriptions/listen', { notifications });
      const response = await app.rpc(slug, { ...message, id: 'sub' }, headers);
      const lines = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      return {
        status: response.status,
        /** The next message. */
        async next(): Promise<Json> {
          for (;;) {
            const at = text.indexOf('\n\n');
            if (at >= 0) {
              const event = text.slice(0, at);
              text = text.slice(at + 2);
              const data = event.split('\n').find((line) => line.startsWith('data: '));
              if (data !== undefined) return JSON.parse(data.slice(6));
              continue;
            }
            const { value, done } = (await lines?.read()) ?? { done: true };
            if (done) return null;
            text += value;
          }
        },
        close: () => lines?.cancel(),
      };
    }
    const meta = { [`${prefix}/subscriptionId`]: 'sub' };

    test('first what it will hear of, without what it may not', async () => {
      const stream = await listen({
        promptsListChanged: true,
        toolsListChanged: false,
        resourceSubscriptions: ['file:///a', 'nobodys:///x', 'files+file:///a', 'file:///a'],
        somethingElse: true,
      });
      assert.deepEqual(await stream.next(), {
        jsonrpc: '2.0',
        method: 'notifications/subscriptions/acknowledged',
        params: {
          notifications: {
            promptsListChanged: true,
            resourceSubscriptions: ['file:///a', 'files+file:///a'],
          },
          _meta: meta,
        },
      });
      await stream.close();
    });

    test('of changes of its resources, by their URIs here', async () => {
      const uris = ['file:///docs', 'files+file:///a'];
      const stream = await listen({ resourceSubscriptions: uris });
      await stream.next();
      files.notify.resourceUpdated('file:///files');
      files.notify.resourceUpdated('file:///a');
      const updated = { jsonrpc: '2.0', method: 'notifications/resources/updated' };
      assert.deepEqual(await stream.next(), { ...updated, params: { uri: 'files+file:///a', _meta: meta } });
      docs.notify.resourceUpdated('file:///docs');
      assert.deepEqual(await stream.next(), { ...updated, params: { uri: 'file:///docs', _meta: meta } });
      await stream.close();
    });

    test('nothing of a resource any more that it may no longer read', async () => {
      const created = await app.api('POST', '/v1/gateways', {
        name: 'Shrinking',
        slug: 'shrinking',
        auth_type: 'arcade_header',
        tool_filter: { allowed_tools: ['docs.*'] },
      });
      const { id } = (await created.json()) as Json;
      const stream = await listen({ resourceSubscriptions: ['file:///a', 'file:///docs'] }, 'shrinking');
      await stream.next();
      const change = { tool_filter: { allowed_tools: ['docs.file:///docs'] } };
      assert.equal((await app.api('PATCH', `/v1/gateways/${id}`, change)).status, 200);
      docs.notify.resourceUpdated('file:///a');
      docs.notify.resourceUpdated('file:///docs');
      assert.equal((await stream.next()).params.uri, 'file:///docs');
      await stream.close();
    });

    test('that it asks for what nobody can listen to', async () => {
      const many = Array.from({ length: 1001 }, (_, index) => `file:///${index}`);
      for (const resourceSubscriptions of ['file:///a', [7], null, many]) {
        const { status, error } = await ask('subscriptions/listen', {
          notifications: { resourceSubscriptions },
        });
        assert.deepEqual([status, error.code], [400, -32602]);
        assert.equal(error.data.field, 'params.notifications.resourceSubscriptions');
      }
    });
  });
});
