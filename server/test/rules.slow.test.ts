import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, describe, test } from 'node:test';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { RuleRequest } from '@sallyport/contracts';
import { createServer, ToolError } from '@sallyport/server';
import { z } from 'zod';
import { type BothEras, eras, startBothEras } from './both-eras.ts';
import { type EraClient, openEraClient } from './era-client.ts';
import type { Era } from './era-server.ts';
import { type Json, messageOf, modern, startApp, type TestApp, toolCall } from './start-app.ts';

const secret = 'a-worker-secret-of-more-than-32-bytes';
const ssn = '123-45-6789';

type RulePart = Partial<RuleRequest> & Pick<RuleRequest, 'direction' | 'action'>;

/** Lays down rules for one test. */
async function rules(app: TestApp, ...parts: readonly RulePart[]): Promise<string[]> {
  const ids: string[] = [];
  for (const [nth, part] of parts.entries()) {
    const definition = { name: `Rule ${nth}`, tools: ['*'], ...part };
    const { id } = await app.app.rooms.policy.rules.create('default', definition);
    ids.push(id);
  }
  return ids;
}

async function removeRules(app: TestApp): Promise<void> {
  const { rules: entries } = app.app.rooms.policy;
  for (const { id } of [...entries.list('default')]) await entries.remove('default', id);
}

async function openClient(app: TestApp, client: Era, slug: string): Promise<EraClient> {
  const headers = { authorization: `Bearer ${app.key}`, 'arcade-user-id': 'alice' };
  return openEraClient(client, `${app.url}/mcp/${slug}`, headers);
}

const hidden = (value: unknown): void => assert.doesNotMatch(JSON.stringify(value), /123-45-6789|123456789/);

describe('rules before and after a worker', () => {
  const ran: string[] = [];
  let worker: { url: string; stop(): Promise<void> };
  let app: TestApp;

  before(async () => {
    const server = createServer({ name: 'Mail', version: '1.0.0', description: 'Letters' });
    const input = z.object({ text: z.string() });
    server.tool({ name: 'Send', description: 'Sends', input, output: z.unknown() }, ({ text }) => {
      ran.push(text);
      return {
        said: `from ${text}`,
        person: { ssn: text, n: 123456789 },
        raw: `{"person":{"ssn":"${text}"}}`,
      };
    });
    server.tool({ name: 'Burn', description: 'Fails', input }, ({ text }) => {
      throw new ToolError(`it burnt ${text}`, { developerMessage: `burnt: ${text}` });
    });
    worker = await server.listen({ port: 0, workerSecret: secret, env: {} });
    app = await startApp(`
workers:
  - { id: mail, http: { uri: "${worker.url}", secret: "${secret}" } }
gateways:
  - { name: All, slug: all }
`);
    await app.app.rooms.sources.refresh('default', 'mail');
  });
  after(async () => {
    await app.close();
    await worker.stop();
  });
  afterEach(() => removeRules(app));

  const execute = async (toolName: string, text: string): Promise<Json> =>
    (
      await app.api('POST', '/v1/tools/execute', { tool_name: toolName, input: { text }, user_id: 'alice' })
    ).json();

  test('an input that holds what a rule looks for is refused before anything runs, and recorded without it', async () => {
    const [id] = await rules(app, { direction: 'input', action: 'block', match: { detector: 'ssn' } });
    const count = ran.length;
    for (const text of [ssn, `my ${ssn}!`, JSON.stringify({ deep: JSON.stringify([ssn]) })]) {
      const told = await messageOf(await app.rpc('all', toolCall('Mail_Send', { text })));
      assert.equal(told.result.isError, true);
      assert.equal(told.result._meta['sallyport/refusal'].code, 'policy.input_blocked');
      assert.match(told.result.content[0].text, /the rule "Rule 0"/);
      hidden(told);
      hidden(await execute('Mail.Send', text));
    }
    assert.equal(ran.length, count, 'the tool ran');
    const records = await app.records('&code=policy.input_blocked');
    assert.equal(records.length, 6);
    hidden(records);
    for (const record of records) {
      assert.equal(record.decision, 'refused');
      assert.match(
        record.reason,
        new RegExp(`^rule "Rule 0" \\(${id}\\) matches at one place: arguments\\.text`),
      );
      assert.deepEqual([record.policy.rules[0].id, record.policy.rules[0].outcome], [id, 'blocked']);
    }
    await messageOf(await app.rpc('all', toolCall('Mail_Send', { text: 'good news' })));
    assert.equal(ran.length, count + 1);
  });

  test('an input that a rule redacts reaches the tool without it', async () => {
    await rules(app, {
      direction: 'input',
      action: 'redact',
      replacement: 'XXX',
      match: { detector: 'ssn' },
    });
    await messageOf(await app.rpc('all', toolCall('Mail_Send', { text: `it is ${ssn}.` })));
    assert.equal(ran.at(-1), 'it is XXX.');
  });

  test('an output is without what a rule redacts at a path: in content, structured content, texts and other strings', async () => {
    await rules(app, { direction: 'output', action: 'redact', match: { path: '$.person.ssn' } });
    const { result } = await messageOf(await app.rpc('all', toolCall('Mail_Send', { text: ssn })));
    assert.deepEqual(result.structuredContent, {
      said: 'from [redacted]',
      person: { ssn: '[redacted]', n: 123456789 },
      raw: '{"person":{"ssn":"[redacted]"}}',
    });
    assert.doesNotMatch(JSON.stringify(result), /123-45/);
    const { output } = await execute('Mail.Send', ssn);
    assert.equal(output.value.person.ssn, '[redacted]');
    assert.doesNotMatch(JSON.stringify(output), /123-45/);
    const [record] = await app.records('&tool=Mail.Send');
    assert.equal(record.policy.rules[0].outcome, 'redacted');
    assert.deepEqual(record.policy.rules[0].places, ['value.person.ssn', 'value.raw → $.person.ssn']);
    hidden(record);
  });

  test('an output that a rule blocks is withheld, as is what a worker says of its failure', async () => {
    await rules(app, { direction: 'output', action: 'block', match: { pattern: '123-\\d{2}-6789' } });
    for (const name of ['Send', 'Burn']) {
      const told = await messageOf(await app.rpc('all', toolCall(`Mail_${name}`, { text: ssn })));
      assert.equal(told.result.isError, true);
      assert.match(told.result.content[0].text, /the rule "Rule 0"/);
      hidden(told);
      hidden(await execute(`Mail.${name}`, ssn));
      const [record] = await app.records(`&tool=Mail.${name}`);
      assert.deepEqual([record.decision, record.code], ['failed', 'policy.output_blocked']);
      hidden(record);
    }
  });

  test("a worker's error is without what a rule redacts", async () => {
    await rules(app, { direction: 'output', action: 'redact', match: { detector: 'ssn' } });
    const told = await messageOf(await app.rpc('all', toolCall('Mail_Burn', { text: ssn })));
    assert.equal(told.result.isError, true);
    assert.match(told.result.content[0].text, /it burnt \[redacted\]/);
    hidden(told);
    const { output } = await execute('Mail.Burn', ssn);
    assert.match(output.error.message, /it burnt \[redacted\]/);
    hidden(output);
    hidden((await app.records('&tool=Mail.Burn'))[0]);
  });

  test('a rule that cannot be evaluated refuses, and the record says why', async () => {
    await rules(app, { direction: 'input', action: 'redact', match: { pattern: '(' } });
    const told = await messageOf(await app.rpc('all', toolCall('Mail_Send', { text: 'x' })));
    assert.match(told.result.content[0].text, /could not be evaluated/);
    const [record] = await app.records('&code=policy.input_blocked');
    assert.match(record.reason, /could not be evaluated: match\.pattern: character 2: missing closing \)/);
  });
});

describe('rules around servers of both eras', () => {
  let both: BothEras;
  let app: TestApp;
  const clients: EraClient[] = [];

  before(async () => {
    both = await startBothEras();
    ({ app } = both);
  });
  after(async () => {
    for (const client of clients) await client.close();
    await both.close();
  });
  afterEach(() => removeRules(app));

  for (const client of eras) {
    for (const server of eras) {
      describe(`${client} client, ${server} server`, () => {
        let era: EraClient;
        before(async () => {
          era = await openClient(app, client, server);
          clients.push(era);
        });
        const call = (name: string, args: object = {}, meta: Record<string, unknown> = {}) =>
          era.request('tools/call', { name, arguments: args }, { meta });

        test('what a rule redacts is absent from the answer, and all other bytes are those of the server', async () => {
          await rules(
            app,
            { direction: 'output', action: 'redact', match: { path: '$..ssn' } },
            { direction: 'output', action: 'redact', match: { detector: 'ssn' } },
          );
          const person = `{"n":[1e400,12345678901234567890,1.0],"ssn":"123\\u002d45-6789","ssn":987654321}`;
          const text = JSON.stringify(person);
          const before = `"content":[\n{"type":"text","text":${text}},{"type":"text","text":"id 987654321 of ${ssn}"}],`;
          const own = `${before}"structuredContent":${person},"isError":true`;
          const said = server === 'modern' ? '"resultType":"complete",' : '';
          both.servers[server].raw = `{${said}${own}}`;
          const { message, headers } = modern('tools/call', { name: 'Raw', arguments: {} });
          const asked = client === 'modern' ? message : { ...message, params: { name: 'Raw' } };
          const told = await (await app.rpc(server, asked, client === 'modern' ? headers : {})).text();
          const wanted = own
            .replaceAll('\\"123\\\\u002d45-6789\\"', '\\"[redacted]\\"')
            .replaceAll('"123\\u002d45-6789"', '"[redacted]"')
            .replaceAll(':987654321', ':"[redacted]"')
            .replace(':"[redacted]"}"},', ':\\"[redacted]\\"}"},')
            .replace(`id 987654321 of ${ssn}`, 'id [redacted] of [redacted]');
          assert.ok(told.includes(wanted), `${told}\n${wanted}`);
        });

        test('progress and log messages are told without it', async () => {
          await rules(app, {
            direction: 'output',
            action: 'redact',
            match: { pattern: 'step|123-45-6789' },
          });
          const steps = await call('Steps', {}, { progressToken: 'mine' });
          const messages = steps.said.map(({ params }) => params.message);
          assert.deepEqual(messages, ['[redacted] 1', '[redacted] 2']);
          if (client === 'legacy') await era.request('logging/setLevel', { level: 'info' });
          const logs = await call('Log', { alfa: ssn }, { 'io.modelcontextprotocol/logLevel': 'info' });
          const told = logs.said.map(({ params }) => params.data);
          assert.deepEqual(told, [
            { said: 'info', args: { alfa: '[redacted]' } },
            { said: 'error', args: { alfa: '[redacted]' } },
          ]);
        });

        test('progress and log messages that a rule blocks are not told, and the call goes on', async () => {
          await rules(app, {
            direction: 'output',
            action: 'block',
            match: { pattern: 'step 1|123-45-6789' },
          });
          const steps = await call('Steps', {}, { progressToken: 'mine' });
          assert.deepEqual(
            steps.said.map(({ params }) => params.message),
            ['step 2'],
          );
          assert.equal(steps.result.structuredContent.said, 'Steps');
          const logs = await call('Log', { alfa: ssn }, { 'io.modelcontextprotocol/logLevel': 'info' });
          assert.deepEqual(logs.said, []);
        });

        test("the server's own errors, prompts and resources are told without it", async () => {
          await rules(app, {
            direction: 'output',
            action: 'redact',
            match: { pattern: 'disk|Hello|hello|123-45-6789' },
          });
          const { error } = await call('Fail');
          assert.deepEqual([error.code, error.data], [4242, { free: 0 }]);
          assert.match(error.message, /the \[redacted\] is full/);
          const prompt = await era.request('prompts/get', { name: 'Greet', arguments: { who: ssn } });
          assert.equal(prompt.result.messages[0].content.text, '[redacted], [redacted]');
          const read = await era.request('resources/read', { uri: 'test://text' });
          assert.equal(read.result.contents[0].text, '[redacted]');
          const item = await era.request('resources/read', { uri: `test://item/${ssn}` });
          assert.equal(item.result.contents[0].text, '{"uri":"test://item/[redacted]"}');
          hidden(item);
        });

        test('prompts and resources that a rule blocks are withheld, and recorded', async () => {
          const [id] = await rules(app, {
            direction: 'output',
            action: 'block',
            match: { pattern: '(?i)hello' },
          });
          const greeted = await era.request('prompts/get', { name: 'Greet', arguments: { who: 'Ann' } });
          assert.equal(greeted.error.data.name, 'policy.output_blocked');
          const read = await era.request('resources/read', { uri: 'test://text' });
          assert.equal(read.error.data.name, 'policy.output_blocked');
          assert.doesNotMatch(JSON.stringify([greeted, read]), /hello/i);
          const [record] = await app.records('&code=policy.output_blocked');
          assert.equal(record.policy.rules[0].id, id);
        });

        test("the server's own error that a rule blocks is told in our words", async () => {
          const condition = '!has(arguments.free)';
          await rules(app, { direction: 'output', action: 'block', match: { pattern: 'disk' }, condition });
          const { error, result } = await call('Fail');
          assert.match(JSON.stringify(error ?? result), /the rule .*Rule 0/);
          assert.doesNotMatch(JSON.stringify(error ?? result), /disk/);
          const [record] = await app.records(`&tool=${server}.Fail`);
          assert.doesNotMatch(JSON.stringify(record), /disk/);
          assert.deepEqual([record.decision, record.code], ['failed', 'policy.output_blocked']);
          const free = await call('Fail', { free: 1 });
          assert.match(JSON.stringify(free.error ?? free.result), /disk/);
        });

        test('what a prompt is asked with is screened before it is asked', async () => {
          await rules(app, {
            direction: 'input',
            action: 'block',
            match: { path: '$.who', detector: 'ssn' },
          });
          const heard = both.servers[server].heard.length;
          const { error } = await era.request('prompts/get', { name: 'Greet', arguments: { who: ssn } });
          assert.equal(error.data.name, 'policy.input_blocked');
          const asked = both.servers[server].heard.slice(heard).map(({ message }) => message.method);
          assert.ok(!asked.includes('prompts/get'), 'the server was asked');
        });

        test('questions reach the client without it, and answers the server', async () => {
          await rules(
            app,
            { direction: 'output', action: 'redact', match: { pattern: 'Your name' } },
            { direction: 'input', action: 'redact', match: { pattern: '^Bo$' } },
          );
          const { asked, result } = await call('AskForm');
          assert.equal(asked[0].params.message, '[redacted]?');
          assert.match(result.content[0].text, /\[redacted\]/);
          assert.doesNotMatch(result.content[0].text, /"Bo"/);
        });

        test('a question that a rule blocks is not asked', async () => {
          await rules(app, { direction: 'output', action: 'block', match: { pattern: 'Your name' } });
          const told = await call('AskForm');
          assert.deepEqual(told.asked, []);
          assert.doesNotMatch(JSON.stringify(told), /Your name/);
        });

        test('an answer that a rule blocks does not reach the server', async () => {
          await rules(app, { direction: 'input', action: 'block', match: { pattern: '^Bo$' } });
          const heard = both.servers[server].heard.length;
          await call('AskForm');
          assert.doesNotMatch(JSON.stringify(both.servers[server].heard.slice(heard)), /"Bo"/);
        });
      });
    }
  }
});

describe('rules before a server that answers in the smallest pieces', () => {
  test('redacted values appear in no byte of what streams', async () => {
    const server = createHttpServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on('end', () => void answer(response, body));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const app = await startApp(`
workers:
  - { id: slow, mcp: { uri: "http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp" } }
gateways:
  - { name: All, slug: all }
`);
    await app.app.rooms.sources.refresh('default', 'slow');
    await rules(app, { direction: 'output', action: 'redact', match: { detector: 'ssn' } });
    const client = await openClient(app, 'legacy', 'all');
    const told = await client.request('tools/call', { name: 'slow_Do' }, { meta: { progressToken: 1 } });
    assert.equal(told.said[0].params.message, 'at [redacted]');
    assert.deepEqual(told.result.structuredContent, { a: '[redacted]', é: '[redacted]' });
    assert.equal(told.result.content[0].text, '{"a":"[redacted]"}');
    hidden(told);
    await client.close();
    await app.close();
    server.closeAllConnections();
    server.close();
  });

  async function answer(response: ServerResponse, body: string): Promise<void> {
    const { id, method, params } = JSON.parse(body || '{}') as Json;
    const results: Record<string, object> = {
      initialize: {
        protocolVersion: '2025-11-25',
        capabilities: { tools: {} },
        serverInfo: { name: 'slow', version: '1' },
      },
      'tools/list': { tools: [{ name: 'Do', inputSchema: { type: 'object' } }] },
      'tools/call': {
        content: [{ type: 'text', text: `{"a":"${ssn}"}` }],
        structuredContent: { a: ssn, é: ssn },
      },
    };
    const result = results[method];
    if (result === undefined) {
      response.writeHead(id === undefined ? 202 : 405).end();
      return;
    }
    if (method !== 'tools/call') {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.socket?.setNoDelay(true);
    const { progressToken } = params._meta;
    const progress = { progressToken, progress: 1, message: `at ${ssn}` };
    const messages = [
      { jsonrpc: '2.0', method: 'notifications/progress', params: progress },
      { jsonrpc: '2.0', id, result },
    ];
    const bytes = Buffer.from(messages.map((message) => `data: ${JSON.stringify(message)}\n\n`).join(''));
    for (const byte of bytes) await new Promise((resolve) => response.write(Buffer.of(byte), resolve));
    response.end();
  }
});

describe('rules that redact what a schema promises', () => {
  const properties = {
    amount: { type: 'integer' },
    size: { enum: ['small', 'enormous'] },
    mail: { type: 'string', format: 'email' },
  };
  const outputSchema = { type: 'object', properties, required: Object.keys(properties) };
  const value = { amount: 4_711_000, size: 'enormous', mail: 'ann@example.com' };
  const redacted = { amount: '[redacted]', size: '[redacted]', mail: '[redacted]' };
  const redacts: RulePart = {
    direction: 'output',
    action: 'redact',
    tools: ['*.Raw'],
    match: { path: '$.*' },
    // Whoever and whatever it is for.
    subjects: [{ user: 'alice' }],
    condition: '!has(arguments.plain)',
  };
  let both: BothEras;
  let app: TestApp;

  before(async () => {
    both = await startBothEras();
    app = both.app;
    for (const era of eras) {
      const { offer } = both.servers[era];
      Object.assign(offer.tools.find(({ name }) => name === 'Raw') as Json, { outputSchema });
      const said = era === 'modern' ? { resultType: 'complete' } : {};
      const content = [{ type: 'text', text: JSON.stringify(value) }];
      both.servers[era].raw = JSON.stringify({ ...said, content, structuredContent: value });
      await app.app.rooms.sources.refresh('default', era);
    }
  });
  after(() => both.close());
  afterEach(() => removeRules(app));

  const requestInit = () => ({ headers: { authorization: app.key, 'arcade-user-id': 'alice' } });
  type OfficialClient = Pick<ClientV1, 'callTool' | 'close'> & { listTools(): Promise<{ tools: Json[] }> };
  type Connect = (url: URL, onChanged: () => void) => Promise<OfficialClient>;
  const options = (onChanged: () => void) => ({
    listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged } },
  });
  const connectV1: Connect = async (url, onChanged) => {
    const client = new ClientV1({ name: 'v1', version: '1' }, options(onChanged));
    await client.connect(new TransportV1(url, { requestInit: requestInit() }) as never);
    return client;
  };
  const connectV2 =
    (mode: 'legacy' | { pin: '2026-07-28' }): Connect =>
    async (url, onChanged) => {
      const info = { name: 'v2', version: '1' };
      const client = new Client(info, { ...options(onChanged), versionNegotiation: { mode } } as Json);
      await client.connect(new StreamableHTTPClientTransport(url, { requestInit: requestInit() }));
      return client as unknown as OfficialClient;
    };
  const clients: Readonly<Record<string, Connect>> = {
    'the SDK of version 1': connectV1,
    'the SDK of version 2, with a handshake': connectV2('legacy'),
    'the SDK of version 2, without': connectV2({ pin: '2026-07-28' }),
  };

  const schemaIn = ({ tools }: { tools: Json[] }, name: string): Json =>
    tools.find((tool) => tool.name === name).outputSchema;

  for (const server of eras) {
    for (const [name, connect] of Object.entries(clients)) {
      test(`${name} hears of the rule, and takes what is left of an answer of a ${server} server`, async () => {
        let heard = Promise.withResolvers<void>();
        const hear = async () => {
          await heard.promise;
          heard = Promise.withResolvers();
        };
        const client = await connect(new URL(`${app.url}/mcp/${server}`), () => heard.resolve());
        const call = () => client.callTool({ name: 'Raw', arguments: {} });
        try {
          const before = await client.listTools();
          assert.deepEqual(schemaIn(before, 'Raw'), outputSchema);
          assert.deepEqual((await call()).structuredContent, value);
          await rules(app, redacts);
          await hear();
          const listed = await client.listTools();
          assert.equal(schemaIn(listed, 'Raw'), undefined);
          assert.deepEqual(schemaIn(listed, 'Echo'), schemaIn(before, 'Echo'));
          const told = await call();
          assert.deepEqual(told.structuredContent, redacted);
          assert.doesNotMatch(JSON.stringify(told), /4711000|enormous|example/);
          await removeRules(app);
          await hear();
          assert.deepEqual(await client.listTools(), before);
          assert.deepEqual((await call()).structuredContent, value);
        } finally {
          await client.close();
        }
      });
    }
  }

  test('a client that holds to what it listed before takes the answer after it lists again', async () => {
    const client = await connectV1(new URL(`${app.url}/mcp/modern`), () => {});
    const call = () => client.callTool({ name: 'Raw', arguments: {} });
    try {
      await client.listTools();
      await rules(app, redacts);
      await assert.rejects(call, /output schema/);
      await client.listTools();
      assert.deepEqual((await call()).structuredContent, redacted);
    } finally {
      await client.close();
    }
  });

  const listed = async (): Promise<Json> => {
    const { message, headers } = modern('tools/list');
    return schemaIn((await messageOf(await app.rpc('modern', message, headers))).result, 'Raw');
  };

  test('the schema stays while the rule only logs, is switched off, or is for another gateway', async () => {
    const { rules: entries } = app.app.rooms.policy;
    const definition = { name: 'Rule', tools: ['*.Raw'], ...redacts };
    const { id } = await entries.create('default', { ...definition, mode: 'log_only' });
    assert.deepEqual(await listed(), outputSchema);
    const later: readonly (readonly [Partial<RuleRequest>, boolean])[] = [
      [{}, false],
      [{ enabled: false }, true],
      [{ mode: 'enforce' }, false],
      [{ gateway: 'legacy' }, true],
      [{ gateway: 'modern' }, false],
      [{ action: 'block' }, true],
    ];
    for (const [part, stays] of later) {
      await entries.replace('default', id, { ...definition, ...part });
      assert.deepEqual(await listed(), stays ? outputSchema : undefined, JSON.stringify(part));
    }
  });

  test('a key that is restricted to some tools is told the same', async () => {
    const made = await app.api('POST', '/v1/api_keys', {
      name: 'Few',
      scopes: ['call', 'read'],
      tools: ['*.Raw'],
    });
    assert.equal(made.status, 201, await made.clone().text());
    const { key } = (await made.json()) as Json;
    const { message } = modern('tools/list');
    const headers = { ...modern('tools/list').headers, authorization: key };
    const few = async () => (await messageOf(await app.rpc('modern', message, headers))).result.tools;
    assert.deepEqual(
      (await few()).map((tool: Json) => [tool.name, tool.outputSchema]),
      [['Raw', outputSchema]],
    );
    await rules(app, redacts);
    assert.deepEqual(
      (await few()).map((tool: Json) => [tool.name, tool.outputSchema]),
      [['Raw', undefined]],
    );
    assert.equal(await listed(), undefined);
  });
});
