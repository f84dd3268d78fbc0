import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client, ProtocolError, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { type BothEras, eras, startBothEras } from './both-eras.ts';
import { type Json, messageOf, type TestApp } from './start-app.ts';

const everything = { elicitation: { form: {}, url: {} }, sampling: {}, roots: { listChanged: true } };

/** What the user and the model of the official client say to whatever they are asked. */
function answerAll(client: Client): void {
  client.setRequestHandler('elicitation/create', async ({ params }) => {
    const { mode, message, requestedSchema } = params as Json;
    if (mode === 'url') return { action: 'accept' };
    const [field] = Object.keys(requestedSchema.properties);
    return { action: 'accept', content: { [field as string]: `my ${message}` } };
  });
  client.setRequestHandler('sampling/createMessage', async () => ({
    model: 'm',
    role: 'assistant',
    content: { type: 'text', text: 'Paris' },
  }));
  client.setRequestHandler('roots/list', async () => ({ roots: [{ uri: 'file:///home' }] }));
}

describe('a client with a handshake', () => {
  let both: BothEras;
  let servers: BothEras['servers'];
  let app: TestApp;

  before(async () => {
    both = await startBothEras();
    ({ app, servers } = both);
  });
  after(async () => {
    await both.close();
  });

  async function refresh(): Promise<void> {
    for (const era of eras) await app.app.rooms.sources.refresh('default', era);
  }

  type Headers = Record<string, string>;

  async function open(slug: string, capabilities: object = {}, protocolVersion = '2025-11-25') {
    const params = { protocolVersion, capabilities, clientInfo: { name: 'test', version: '1' } };
    const response = await app.rpc(slug, { id: 0, method: 'initialize', params });
    const { result } = await messageOf(response);
    const id = response.headers.get('mcp-session-id') as string;
    return { id, headers: { 'mcp-session-id': id } as Headers, result };
  }

  const ask = (slug: string, method: string, params: object, headers: Headers) =>
    app.rpc(slug, { id: 1, method, params }, headers);

  function end(slug: string, headers: Headers): Promise<Response> {
    return fetch(`${app.url}/mcp/${slug}`, {
      method: 'DELETE',
      headers: { authorization: app.key, 'arcade-user-id': 'alice', ...headers },
    });
  }

  /** The messages of a stream, as they come. */
  async function* messages(response: Response): AsyncGenerator<Json> {
    let text = '';
    for await (const chunk of response.body as ReadableStream<Uint8Array>) {
      text += Buffer.from(chunk).toString();
      const events = text.split('\n\n');
      text = events.pop() as string;
      for (const event of events) {
        const data = event.split('\n').find((line) => line.startsWith('data: '));
        if (data !== undefined) yield JSON.parse(data.slice(6));
      }
    }
  }
  async function next(stream: AsyncGenerator<Json>, method?: string): Promise<Json> {
    for (;;) {
      const { value, done } = await stream.next();
      assert.notEqual(done, true, 'the stream ended');
      if (method === undefined || value.method === method) return value;
    }
  }

  async function listen(slug: string, headers: Headers) {
    const leaving = new AbortController();
    const response = await fetch(`${app.url}/mcp/${slug}`, {
      headers: {
        authorization: app.key,
        'arcade-user-id': 'alice',
        accept: 'text/event-stream',
        ...headers,
      },
      signal: leaving.signal,
    });
    return { response, heard: messages(response), leave: () => leaving.abort() };
  }

  describe('its session', () => {
    test('goes on after a restart', async () => {
      const { headers } = await open('legacy', everything);
      assert.equal((await ask('legacy', 'tools/list', {}, headers)).status, 200);
      await app.restart();
      const { result } = await messageOf(await ask('legacy', 'tools/list', {}, headers));
      assert.equal(result.tools[0].name, 'Echo');
      await refresh();
    });

    test('is over for good once it is deleted, also after a restart', async () => {
      const { headers } = await open('legacy');
      assert.equal((await end('legacy', headers)).status, 204);
      for (const restarted of [false, true]) {
        if (restarted) await app.restart();
        const refused = await ask('legacy', 'ping', {}, headers);
        assert.equal(refused.status, 404);
        assert.equal((await messageOf(refused)).error.data.name, 'session.unknown');
        assert.equal((await end('legacy', headers)).status, 404);
      }
      await refresh();
    });

    test('is unknown to everybody else, and under any other id', async () => {
      const { id, headers } = await open('legacy');
      const forged = `${id.slice(0, -2)}${id.endsWith('AA') ? 'BB' : 'AA'}`;
      for (const [slug, other] of [
        ['legacy', { ...headers, 'arcade-user-id': 'bob' }],
        ['modern', headers],
        ['legacy', { 'mcp-session-id': forged }],
        ['legacy', { 'mcp-session-id': id.slice(1) }],
      ] as const) {
        const refused = await ask(slug, 'ping', {}, other);
        assert.equal(refused.status, 404);
        assert.equal((await messageOf(refused)).error.data.name, 'session.unknown');
      }
      assert.equal((await ask('legacy', 'ping', {}, headers)).status, 200);
    });

    test('may be one of a client that declares much, up to a bound that it is told of', async () => {
      const much = { experimental: { 'vendor/x': { text: 'x'.repeat(3500) } } };
      const { headers } = await open('legacy', much);
      assert.equal((await ask('legacy', 'ping', {}, headers)).status, 200);
      const params = { protocolVersion: '2025-11-25', capabilities: { ...much, more: 'x'.repeat(1000) } };
      const refused = await messageOf(await app.rpc('legacy', { id: 1, method: 'initialize', params }));
      assert.deepEqual([refused.error.code, refused.error.data.field], [-32602, 'params.capabilities']);
    });

    test('keeps a log level that exists, and says which do', async () => {
      const { headers } = await open('legacy');
      const refused = await messageOf(await ask('legacy', 'logging/setLevel', { level: 'loud' }, headers));
      assert.equal(refused.error.code, -32602);
      assert.match(refused.error.message, /debug, info/);
      const { result } = await messageOf(
        await ask('legacy', 'logging/setLevel', { level: 'error' }, headers),
      );
      assert.deepEqual(result, {});
    });
  });

  for (const server of eras) {
    describe(`before a ${server} server`, () => {
      async function connect(capabilities: object): Promise<Client> {
        const client = new Client({ name: 'test', version: '1' }, {
          capabilities,
          versionNegotiation: { mode: 'legacy' },
        } as never);
        if ('roots' in capabilities) answerAll(client);
        const transport = new StreamableHTTPClientTransport(new URL(`${app.url}/mcp/${server}`), {
          requestInit: { headers: { authorization: `Bearer ${app.key}`, 'arcade-user-id': 'alice' } },
        });
        await client.connect(transport as never);
        return client;
      }
      test('the official client uses prompts, resources and completions', async () => {
        const client = await connect({});
        assert.deepEqual(
          (await client.listPrompts()).prompts.map(({ name }) => name),
          ['Greet', 'Interview'],
        );
        const prompt = await client.getPrompt({ name: 'Greet', arguments: { who: 'Ann' } });
        assert.equal((prompt as Json).messages[0].content.text, 'Hello, Ann');
        const { resources } = await client.listResources();
        assert.ok(resources.some(({ uri }) => uri === 'test://text'));
        assert.equal((await client.listResourceTemplates()).resourceTemplates.length, 1);
        const read = await client.readResource({ uri: 'test://item/7' });
        assert.equal((read.contents[0] as Json).uri, 'test://item/7');
        const { completion } = await client.complete({
          ref: { type: 'ref/prompt', name: 'Greet' },
          argument: { name: 'who', value: 'A' },
        });
        assert.equal(completion.values[2], 'A!');
        await assert.rejects(client.readResource({ uri: 'test://item/none' }), (error) => {
          assert.ok(error instanceof ProtocolError);
          assert.deepEqual(error.data, { uri: 'test://item/none' });
          return true;
        });
        await client.close();
      });

      test('the official client answers what it is asked, round after round', async () => {
        const client = await connect(everything);
        for (const [name, expected] of [
          ['AskForm', /my Your name\?/],
          ['AskUrl', /accept/],
          ['Sample', /Paris/],
          ['Roots', /file:\/\/\/home/],
          ['AskAll', /my Your name\?.*Paris.*file:|Paris|file:/],
          ['AskTwice', /my First\?.*my Second\?/],
        ] as const) {
          const { content } = await client.callTool({ name, arguments: {} });
          assert.match(JSON.stringify(content), expected, name);
        }
        await client.close();
      });

      test('ten calls at once, each on its own stream, each get the answer to their own question', async () => {
        const { headers } = await open(server, everything);
        const calls = await Promise.all(
          Array.from({ length: 10 }, async (_, id) => {
            const params = { name: 'AskForm', arguments: {} };
            const heard = messages(await app.rpc(server, { id, method: 'tools/call', params }, headers));
            return { id, heard, question: await next(heard, 'elicitation/create') };
          }),
        );
        for (const { id, question } of calls.toReversed()) {
          const result = { action: 'accept', content: { name: `number ${id}` } };
          assert.equal((await app.rpc(server, { id: question.id, result }, headers)).status, 202);
        }
        for (const { id, heard } of calls) {
          const answer = await next(heard);
          assert.equal(answer.id, id);
          assert.match(JSON.stringify(answer.result), new RegExp(`number ${id}`));
        }
      });

      test("nobody answers for another session, and an answer to nothing is none's", async () => {
        const [asked, other] = [await open(server, everything), await open(server, everything)];
        const params = { name: 'AskForm', arguments: {} };
        const heard = messages(await app.rpc(server, { id: 1, method: 'tools/call', params }, asked.headers));
        const { id } = await next(heard, 'elicitation/create');
        const answer = (name: string) => ({ id, result: { action: 'accept', content: { name } } });
        for (const headers of [other.headers, {}]) {
          assert.equal((await app.rpc(server, answer('wrong'), headers)).status, 202);
        }
        assert.equal((await app.rpc(server, { id: 'nothing', result: {} }, asked.headers)).status, 202);
        await app.rpc(server, answer('right'), asked.headers);
        assert.match(JSON.stringify((await next(heard)).result), /right/);
      });

      test('a call that is taken back while its client is asked is over, and the question with it', async () => {
        const { headers } = await open(server, everything);
        const params = { name: 'AskForm', arguments: {} };
        const heard = messages(await app.rpc(server, { id: 'x', method: 'tools/call', params }, headers));
        const { id } = await next(heard, 'elicitation/create');
        const cancel = { method: 'notifications/cancelled', params: { requestId: 'x' } };
        await app.rpc(server, cancel, headers);
        const told = await next(heard, 'notifications/cancelled');
        assert.equal(told.params.requestId, id);
        assert.equal((await heard.next()).done, true);
      });

      test('log messages come as severe as it wants them', async () => {
        const { headers } = await open(server);
        const params = { name: 'Log', arguments: {} };
        const levels = async () => {
          const said: string[] = [];
          const response = await app.rpc(server, { id: 1, method: 'tools/call', params }, headers);
          for await (const { method, params } of messages(response)) {
            if (method === 'notifications/message') said.push(params.level);
          }
          return said;
        };
        await ask(server, 'logging/setLevel', { level: 'debug' }, headers);
        assert.deepEqual(await levels(), ['debug', 'info', 'error']);
        await ask(server, 'logging/setLevel', { level: 'error' }, headers);
        assert.deepEqual(await levels(), ['error']);
      });

      test('it hears of a resource that it subscribed to, until it does not want to', async () => {
        const { headers } = await open(server);
        const { heard, leave } = await listen(server, headers);
        const uri = 'test://text';
        assert.deepEqual(
          (await messageOf(await ask(server, 'resources/subscribe', { uri }, headers))).result,
          {},
        );
        servers[server].updateResource(uri);
        const { params } = await next(heard, 'notifications/resources/updated');
        assert.deepEqual(params, { uri });
        const other = 'test://blob';
        await ask(server, 'resources/subscribe', { uri: other }, headers);
        const left = await messageOf(await ask(server, 'resources/unsubscribe', { uri }, headers));
        assert.deepEqual(left.result, {});
        for (const changed of [uri, other]) servers[server].updateResource(changed);
        assert.equal((await next(heard, 'notifications/resources/updated')).params.uri, other);
        leave();
      });

      test('it hears of its resource again after a restart, once it listens again', async () => {
        const { headers } = await open(server);
        const uri = 'test://blob';
        await ask(server, 'resources/subscribe', { uri }, headers);
        await app.restart();
        await refresh();
        const { heard, leave } = await listen(server, headers);
        let told: Json = null;
        const hearing = next(heard, 'notifications/resources/updated').then((message) => {
          told = message;
        });
        // When the subscription is taken up is nobody's to see; from then on every change is told.
        while (told === null) {
          servers[server].updateResource(uri);
          await ask(server, 'ping', {}, headers);
        }
        await hearing;
        assert.equal(told.params.uri, uri);
        leave();
      });

      test('a resource that is not there has the number that it knows', async () => {
        const { headers } = await open(server);
        const uri = 'test://item/none';
        const { error } = await messageOf(await ask(server, 'resources/read', { uri }, headers));
        assert.deepEqual([error.code, error.data], [-32002, { uri }]);
      });

      test('a client of the first revision gets what it can read', async () => {
        const { headers } = await open(server, {}, '2024-11-05');
        const own = { name: 'upstream', version: '1' };
        servers[server].raw = JSON.stringify({
          resultType: 'complete',
          content: [
            { type: 'audio', data: 'c291bmQ=', mimeType: 'audio/wav' },
            { type: 'resource_link', name: 'notes', uri: 'file:///n' },
          ],
          _meta: { 'io.modelcontextprotocol/serverInfo': own },
        });
        const params = { name: 'Raw', arguments: {} };
        const { result } = await messageOf(await ask(server, 'tools/call', params, headers));
        const [sound, link, ...others] = result.content;
        assert.deepEqual(
          [sound.type, sound.resource.blob, sound.resource.mimeType],
          ['resource', 'c291bmQ=', 'audio/wav'],
        );
        assert.deepEqual([link, others], [{ type: 'text', text: 'notes: file:///n' }, []]);
        assert.deepEqual(Object.keys(result), ['content']);
      });

      test('a batch of 2025-03-26 has its requests asked and answered together', async () => {
        const { headers } = await open(server, everything, '2025-03-26');
        const call = (id: string, name: string) => ({
          jsonrpc: '2.0',
          id,
          method: 'tools/call',
          params: { name, arguments: {} },
        });
        const response = await fetch(`${app.url}/mcp/${server}`, {
          method: 'POST',
          headers: {
            authorization: app.key,
            'arcade-user-id': 'alice',
            'content-type': 'application/json',
            accept: 'application/json, text/event-stream',
            ...headers,
          },
          body: JSON.stringify([call('a', 'Roots'), call('b', 'Echo')]),
        });
        const heard = messages(response);
        const { id } = await next(heard, 'roots/list');
        await app.rpc(server, { id, result: { roots: [{ uri: 'file:///x' }] } }, headers);
        const answers = await next(heard);
        assert.deepEqual(
          answers.map((answer: Json) => answer.id),
          ['a', 'b'],
        );
        assert.match(JSON.stringify(answers[0].result), /file:\/\/\/x/);
      });
    });
  }
});
