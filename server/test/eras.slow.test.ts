import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { Client, ProtocolError, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { type Era, type EraServer, startEraServer } from './era-server.ts';
import { type Json, messageOf, modern, startApp, type TestApp } from './start-app.ts';

const eras = ['legacy', 'modern'] as const;
const serverInfo = 'io.modelcontextprotocol/serverInfo';

describe('a client of either era before a server of either era', () => {
  const servers = {} as Record<Era, EraServer>;
  let app: TestApp;

  before(async () => {
    for (const era of eras) servers[era] = await startEraServer(era);
    app = await startApp(`
workers:
  - { id: legacy, mcp: { uri: "${servers.legacy.uri}" } }
  - { id: modern, mcp: { uri: "${servers.modern.uri}" } }
  - { id: held, pin: quarantine, mcp: { uri: "${servers.modern.uri}" } }
gateways:
  - { name: Part, slug: part, naming: source, tool_filter: { allowed_tools: [modern.Echo] } }
  - { name: Prefixed, slug: prefixed, tool_filter: { allowed_tools: [modern.*] } }
  - { name: Own, slug: own, naming: source, instructions: Our own, tool_filter: { allowed_tools: [modern.*] } }
  - { name: Held, slug: held, naming: source, tool_filter: { allowed_tools: [held.*] } }
  - { name: Legacy, slug: legacy, naming: source, tool_filter: { allowed_tools: [legacy.*] } }
  - { name: Modern, slug: modern, naming: source, tool_filter: { allowed_tools: [modern.*] } }
`);
    assert.equal((await app.app.rooms.sources.refresh('default', 'held')).state, 'healthy');
    for (const era of eras) {
      const status = await app.app.rooms.sources.refresh('default', era);
      assert.equal(status.state, 'healthy', status.message);
      assert.equal(status.protocolVersion, era === 'modern' ? '2026-07-28' : '2025-11-25');
    }
  });
  after(async () => {
    await app.close();
    for (const era of eras) await servers[era].close();
  });

  async function connect(era: Era, slug: Era): Promise<Client> {
    const mode = era === 'modern' ? { pin: '2026-07-28' } : 'legacy';
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } } as never);
    const transport = new StreamableHTTPClientTransport(new URL(`${app.url}/mcp/${slug}`), {
      requestInit: { headers: { authorization: `Bearer ${app.key}`, 'arcade-user-id': 'alice' } },
    });
    await client.connect(transport as never);
    return client;
  }

  /** One request in the client's era, without an SDK that could change what comes back. */
  function ask(era: Era, slug: Era, method: string, params: Record<string, unknown>, meta: object = {}) {
    if (era === 'legacy') {
      const headers = { 'mcp-protocol-version': '2025-11-25' };
      return app.rpc(slug, { id: 1, method, params: { ...params, _meta: meta } }, headers);
    }
    const { message, headers } = modern(method, params);
    return app.rpc(
      slug,
      { ...message, params: { ...message.params, _meta: { ...meta, ...message.params._meta } } },
      headers,
    );
  }

  async function instructions(era: Era, slug: string, key?: string): Promise<string | undefined> {
    const { message, headers } = modern('server/discover');
    const params = {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 't', version: '1' },
    };
    const [body, own] =
      era === 'modern' ? [message, headers] : [{ id: 1, method: 'initialize', params }, undefined];
    const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const { result } = await messageOf(await app.rpc(slug, body, { ...own, ...authorization }));
    return result.instructions;
  }

  test('what a server says to models reaches who may see the whole server, unless the gateway says something itself', async () => {
    const restricted = { name: 'restricted', scopes: ['call'], tools: ['modern.Echo'] };
    const { key } = (await (await app.api('POST', '/v1/api_keys', restricted)).json()) as { key: string };
    for (const era of eras) {
      assert.equal(await instructions(era, 'legacy'), 'Ask nicely');
      assert.equal(await instructions(era, 'modern'), 'Ask nicely');
      assert.equal(await instructions(era, 'own'), 'Our own');
      assert.equal(await instructions(era, 'modern', key), undefined, 'a key that shows a part');
      for (const slug of ['part', 'prefixed', 'held'])
        assert.equal(await instructions(era, slug), undefined, slug);
    }
  });

  for (const client of eras) {
    for (const server of eras) {
      describe(`${client} client, ${server} server`, () => {
        test('the list keeps all that the server says of a tool, in its order', async () => {
          const response = await ask(client, server, 'tools/list', {});
          const { result } = await messageOf(response);
          const echo = result.tools[0];
          assert.deepEqual(Object.keys(echo.inputSchema.properties), ['zulu', 'alfa']);
          const { outputSchema, inputSchema, ...rest } = echo;
          assert.deepEqual(outputSchema.properties, { said: { type: 'string' } });
          assert.deepEqual(rest, {
            name: 'Echo',
            title: 'An echo',
            description: 'Says it again',
            annotations: { readOnlyHint: true, title: 'Echo' },
            icons: [{ src: 'https://example.com/echo.png', sizes: ['48x48'] }],
            _meta: { 'vendor/kept': { deep: [1] } },
          });
          const names = result.tools.slice(0, 5).map(({ name }: { name: string }) => name);
          assert.deepEqual(names, ['Echo', 'Steps', 'Wait', 'Fail', 'Raw']);
          assert.equal(result.resultType, client === 'modern' ? 'complete' : undefined);
        });

        test('a call is answered, and its _meta and trace reach the server', async () => {
          const traceparent = '00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01';
          const calling = once(servers[server].events, 'calling');
          const meta = { 'vendor/asked': { a: 1 }, traceparent };
          const response = await ask(client, server, 'tools/call', { name: 'Echo', arguments: {} }, meta);
          const { result } = await messageOf(response);
          const [given] = (await calling) as [Json];
          assert.deepEqual([given['vendor/asked'], given.traceparent], [{ a: 1 }, traceparent]);
          assert.deepEqual(result.content, [{ type: 'text', text: 'Echo' }]);
          assert.deepEqual(result.structuredContent, { said: 'Echo' });
          assert.equal(result._meta['vendor/kept'], 1);
          if (client === 'modern') assert.equal(result._meta[serverInfo].name, server);
          else assert.equal('resultType' in result, false);
        });

        test('progress reaches the client during the call, under its own token', async () => {
          const sdk = await connect(client, server);
          const heard: unknown[] = [];
          const onprogress = (progress: object) => heard.push(progress);
          const result = await sdk.callTool({ name: 'Steps', arguments: {} }, { onprogress });
          assert.deepEqual(result.structuredContent, { said: 'Steps' });
          assert.deepEqual(heard, [
            { progress: 1, total: 2, message: 'step 1' },
            { progress: 2, total: 2, message: 'step 2' },
          ]);
          await sdk.close();
        });

        test('a call that the client cancels is cancelled at the server', async () => {
          const sdk = await connect(client, server);
          const abort = new AbortController();
          const calling = once(servers[server].events, 'calling');
          const cancelled = once(servers[server].events, 'cancelled');
          const call = sdk.callTool({ name: 'Wait', arguments: {} }, { signal: abort.signal });
          await calling;
          abort.abort();
          await assert.rejects(call);
          await cancelled;
          await sdk.close();
        });

        test("the server's own error is the client's, and the record says that the tool failed", async () => {
          const sdk = await connect(client, server);
          const failing = sdk.callTool({ name: 'Fail', arguments: {} });
          await assert.rejects(failing, (error) => {
            assert.ok(error instanceof ProtocolError);
            assert.deepEqual([error.code, error.data], [4242, { free: 0 }]);
            assert.match(error.message, /the disk is full/);
            return true;
          });
          await sdk.close();
          const events = await app.api('GET', `/v1/audit_events?limit=1&tool=${server}.Fail`);
          const [event] = ((await events.json()) as { items: Json[] }).items;
          assert.deepEqual([event.code, event.decision], ['source.tool_failed', 'failed']);
          // Its words may repeat what it was sent.
          assert.match(event.reason, /4242/);
          assert.doesNotMatch(JSON.stringify(event), /the disk is full/);
        });

        test('what a result holds is passed on as it was written, however odd or large', async () => {
          const odd = '"n":[1e400,12345678901234567890,1.0],"twice":1,"twice":2';
          const block = `{"type":"vendor","x":{"y":null},"text":"\u2028ü\\ud800","filler":"${'ü'.repeat(600_000)}"}`;
          const own = `"content":[\n${block}\r\n],"structuredContent":{"a":1},"isError":true,${odd}`;
          const said = server === 'modern' ? '"resultType":"complete",' : '';
          servers[server].raw = `{${said}"_meta":{"vendor/x":1e400},${own}}`;
          for (const accept of ['application/json', 'application/json, text/event-stream']) {
            const { message, headers } = modern('tools/call', { name: 'Raw', arguments: {} });
            const response =
              client === 'modern'
                ? await app.rpc(server, message, { ...headers, accept })
                : await app.rpc(server, { ...message, params: { name: 'Raw' } }, { accept });
            const text = await response.text();
            assert.ok(text.includes(own), 'the bytes are not those of the server');
            assert.ok(text.includes('"vendor/x":1e400'));
            assert.equal(text.includes('"resultType"'), client === 'modern');
          }
        });
      });
    }
  }

  test('structured content that is no object reaches an older client in a form that it can read', async () => {
    const [modernList, legacyList] = await Promise.all(
      (['modern', 'legacy'] as const).map(async (era) => {
        const { result } = await messageOf(await ask(era, 'modern', 'tools/list', {}));
        return result.tools.find(({ name }: { name: string }) => name === 'Listed').outputSchema;
      }),
    );
    const natural = { type: 'array', items: { type: 'integer' } };
    assert.deepEqual(modernList, natural);
    assert.deepEqual(legacyList, { type: 'object', properties: { result: natural }, required: ['result'] });
    const results = { modern: [1, 2], legacy: { result: [1, 2] } };
    for (const era of eras) {
      const client = await connect(era, 'modern');
      await client.listTools();
      const { structuredContent } = await client.callTool({ name: 'Listed', arguments: {} });
      assert.deepEqual(structuredContent, results[era]);
      await client.close();
    }
  });

  test('an older client that takes a call back gets no answer to it', async () => {
    const params = {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 't', version: '1' },
    };
    const opened = await app.rpc('legacy', { id: 0, method: 'initialize', params });
    const headers = { 'mcp-session-id': opened.headers.get('mcp-session-id') as string };
    const calling = once(servers.legacy.events, 'calling');
    const answer = app.rpc('legacy', { id: 'x', method: 'tools/call', params: { name: 'Wait' } }, headers);
    await calling;
    const cancel = { method: 'notifications/cancelled', params: { requestId: 'x' } };
    assert.equal((await app.rpc('legacy', cancel, headers)).status, 202);
    const { status, body } = await answer.then(async (response) => ({
      status: response.status,
      body: await response.text(),
    }));
    assert.deepEqual([status, body], [200, '']);
  });

  test('a missing header does not tell of a tool that the caller may not see', async () => {
    const asked = { name: 'narrow', scopes: ['call'], tools: ['modern.Echo'] };
    const { key } = (await (await app.api('POST', '/v1/api_keys', asked)).json()) as { key: string };
    const { message, headers } = modern('tools/call', { name: 'Marked', arguments: { text: 'x' } });
    const seen = await messageOf(await app.rpc('modern', message, headers));
    assert.equal(seen.error.code, -32020);
    const authorization = `Bearer ${key}`;
    const hidden = await messageOf(await app.rpc('modern', message, { ...headers, authorization }));
    assert.deepEqual([hidden.error.code, hidden.error.data.name], [-32602, 'catalog.tool_unknown']);
  });

  for (const server of eras) {
    test(`a tool that a ${server} server adds is announced to clients of both eras`, async () => {
      const { message, headers } = modern('subscriptions/listen', {
        notifications: { toolsListChanged: true },
      });
      const opened = await app.rpc(server, {
        id: 0,
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
      });
      const listening = await app.rpc(server, message, headers);
      const stream = await fetch(`${app.url}/mcp/${server}`, {
        headers: {
          authorization: app.key,
          'arcade-user-id': 'alice',
          accept: 'text/event-stream',
          'mcp-session-id': opened.headers.get('mcp-session-id') as string,
        },
      });
      servers[server].addTool();
      for (const heard of [listening, stream]) {
        const reader = (heard.body as ReadableStream<Uint8Array>)
          .pipeThrough(new TextDecoderStream())
          .getReader();
        let text = '';
        while (!text.includes('notifications/tools/list_changed')) {
          const { value, done } = await reader.read();
          assert.equal(done, false, 'the stream ended');
          text += value;
        }
        await reader.cancel();
      }
      const { result } = await messageOf(await ask('modern', server, 'tools/list', {}));
      assert.match(result.tools.at(-1).name, /^Added/);
    });
  }
});
