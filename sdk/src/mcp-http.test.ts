import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { signWorkerToken } from '../test/sign-worker-token.ts';
import { createServer, RetryableToolError, type RunningServer } from './index.ts';

const secret = 'a worker secret of thirty-two bytes or more';

function kit() {
  const app = createServer({ name: 'Kit', version: '1.2.3', instructions: 'Be kind' });
  app.tool(
    {
      name: 'Add',
      description: 'Add',
      input: z.object({ a: z.number().min(0), b: z.number() }),
      output: z.number(),
      deprecated: 'use Sum',
      metadata: { behavior: { readOnly: true } },
      annotations: { title: 'Adder' },
    },
    ({ a, b }) => a + b,
  );
  app.tool(
    { name: 'Pair', description: 'Pair', output: z.object({ left: z.string(), right: z.null() }) },
    () => ({ left: 'l', right: null }),
  );
  app.tool({ name: 'Whoami', description: 'Whoami' }, (_input, { userId }) => userId);
  app.tool({ name: 'Retry', description: 'Retry' }, () => {
    throw new RetryableToolError('again', { retryAfterMs: 5, additionalPromptContent: 'try ids' });
  });
  app.tool({ name: 'Steps', description: 'Steps' }, (_input, { progress }) => {
    progress(1, 2, 'half');
    return 'done';
  });
  app.tool({ name: 'Secret', description: 'Secret', requires: { secrets: ['KEY'] } }, (_input, { secrets }) =>
    secrets.get('KEY'),
  );
  app.tool(
    {
      name: 'Star',
      description: 'Star',
      requires: { authorization: { providerId: 'github', scopes: ['repo'] } },
    },
    () => 'starred',
  );
  app.tool({ name: 'Ask', description: 'Ask' }, async (_input, { elicit }) => {
    const name = await elicit({ message: 'name?', schema: z.object({ name: z.string() }) });
    const age = await elicit({ message: 'age?', schema: z.object({ age: z.number().int() }) });
    return name.action === 'accept' && age.action === 'accept'
      ? `${name.content.name} is ${age.content.age}`
      : `${name.action}, ${age.action}`;
  });
  return app;
}

type Era = 'legacy' | 'modern';

async function connect(url: string, era: Era, headers: Record<string, string> = {}): Promise<Client> {
  const mode = era === 'legacy' ? 'legacy' : { pin: '2026-07-28' };
  const client = new Client(
    { name: 'test', version: '1.0.0' },
    { versionNegotiation: { mode }, capabilities: { elicitation: { form: {} } } },
  );
  const transport = new StreamableHTTPClientTransport(new URL('/mcp', url), { requestInit: { headers } });
  await client.connect(transport);
  return client;
}

for (const era of ['legacy', 'modern'] as const) {
  describe(`over HTTP, a ${era} MCP client`, () => {
    let server: RunningServer;
    let client: Client;

    before(async () => {
      server = await kit().listen({ port: 0, env: { KEY: 'v' } });
      client = await connect(server.url, era, { 'Arcade-User-ID': 'alice' });
    });
    after(async () => {
      await client.close();
      await server.stop();
    });

    it('learns what the server is', () => {
      assert.equal(client.getServerVersion()?.name, 'Kit');
      assert.equal(client.getInstructions(), 'Be kind');
    });

    it('is listed the tools with their schemas and hints', async () => {
      const { tools } = await client.listTools();
      assert.deepEqual(
        tools.map((tool) => tool.name),
        ['Kit_Add', 'Kit_Pair', 'Kit_Whoami', 'Kit_Retry', 'Kit_Steps', 'Kit_Secret', 'Kit_Star', 'Kit_Ask'],
      );
      const [add, pair] = tools;
      assert.equal(add?.description, '[DEPRECATED: use Sum] Add');
      assert.deepEqual(add?.inputSchema, {
        type: 'object',
        properties: { a: { type: 'number', minimum: 0 }, b: { type: 'number' } },
        required: ['a', 'b'],
        additionalProperties: false,
      });
      assert.deepEqual(add?.outputSchema, { type: 'object', properties: { result: { type: 'number' } } });
      assert.deepEqual(add?.annotations, { title: 'Adder', readOnlyHint: true });
      assert.deepEqual(pair?.outputSchema, {
        type: 'object',
        properties: { left: { type: 'string' }, right: { type: 'null' } },
        required: ['left', 'right'],
        additionalProperties: false,
      });
    });

    it('gets a plain result as text and wrapped, an object as it is', async () => {
      const sum = await client.callTool({ name: 'Kit_Add', arguments: { a: 1, b: 2 } });
      assert.deepEqual(sum.content, [{ type: 'text', text: '3' }]);
      assert.deepEqual(sum.structuredContent, { result: 3 });
      const pair = await client.callTool({ name: 'Kit_Pair' });
      assert.deepEqual(pair.content, [{ type: 'text', text: '{"left":"l","right":null}' }]);
      assert.deepEqual(pair.structuredContent, { left: 'l', right: null });
    });

    it('gets a failure as an error result that says whether to retry', async () => {
      const result = await client.callTool({ name: 'Kit_Retry' });
      assert.equal(result.isError, true);
      assert.equal(result.structuredContent, undefined);
      assert.deepEqual(result.content, [{ type: 'text', text: 'again' }]);
      assert.deepEqual(result._meta?.arcade, {
        errorKind: 'TOOL_RUNTIME_RETRY',
        canRetry: true,
        additionalPromptContent: 'try ids',
        retryAfterMs: 5,
      });
    });

    it('is told which field of its input is bad', async () => {
      const result = await client.callTool({ name: 'Kit_Add', arguments: { a: -1, b: 1 } });
      assert.equal(result.isError, true);
      assert.match(JSON.stringify(result.content), /bad input \\"a\\"/);
    });

    it('gets a protocol error for an unknown tool', async () => {
      await assert.rejects(client.callTool({ name: 'Kit_Nope' }), { code: -32602, message: /Kit_Nope/ });
    });

    it('hears of progress', async () => {
      const heard: unknown[] = [];
      await client.callTool({ name: 'Kit_Steps' }, { onprogress: (progress) => heard.push(progress) });
      assert.deepEqual(heard, [{ progress: 1, total: 2, message: 'half' }]);
    });

    it('names its user in a header where there is no worker secret', async () => {
      const result = await client.callTool({ name: 'Kit_Whoami' });
      assert.deepEqual(result.structuredContent, { result: 'alice' });
    });

    it('is refused a tool that needs secrets or the authorization of the user', async () => {
      for (const name of ['Kit_Secret', 'Kit_Star']) {
        const result = await client.callTool({ name });
        assert.equal(result.isError, true);
        assert.deepEqual(result._meta?.arcade, {
          errorKind: 'TOOL_REQUIREMENTS_NOT_MET',
          canRetry: false,
        });
      }
    });
  });
}

describe('over HTTP, a question to the user', () => {
  let server: RunningServer;
  before(async () => {
    server = await kit().listen({ port: 0, env: {} });
  });
  after(() => server.stop());

  it('is answered round by round by a modern client', async () => {
    const client = await connect(server.url, 'modern');
    const asked: string[] = [];
    client.setRequestHandler('elicitation/create', ({ params }) => {
      asked.push(params.message);
      return { action: 'accept', content: params.message === 'name?' ? { name: 'Ann' } : { age: 7 } };
    });
    const result = await client.callTool({ name: 'Kit_Ask' });
    await client.close();
    assert.deepEqual(asked, ['name?', 'age?']);
    assert.deepEqual(result.structuredContent, { result: 'Ann is 7' });
  });

  it('may be declined', async () => {
    const client = await connect(server.url, 'modern');
    client.setRequestHandler('elicitation/create', () => ({ action: 'decline' }));
    const result = await client.callTool({ name: 'Kit_Ask' });
    await client.close();
    assert.deepEqual(result.structuredContent, { result: 'decline, decline' });
  });

  it('cannot be put to a legacy client, and the tool says so', async () => {
    const client = await connect(server.url, 'legacy');
    const result = await client.callTool({ name: 'Kit_Ask' });
    await client.close();
    assert.equal(result.isError, true);
    assert.match(JSON.stringify(result.content), /cannot be asked over stateless HTTP/);
  });
});

describe('over HTTP with a worker secret, an MCP client', () => {
  let server: RunningServer;
  before(async () => {
    server = await kit().listen({ port: 0, workerSecret: secret, env: { KEY: 'v' } });
  });
  after(() => server.stop());

  async function callAs(headers: Record<string, string>, name: string) {
    const client = await connect(server.url, 'modern', headers);
    const result = await client.callTool({ name });
    await client.close();
    return result;
  }

  it('without a token is nobody, whatever user it names, and gets no secrets', async () => {
    const headers = { 'Arcade-User-ID': 'alice', 'Sallyport-User-ID': 'alice' };
    assert.deepEqual((await callAs(headers, 'Kit_Whoami')).structuredContent, { result: null });
    assert.equal((await callAs(headers, 'Kit_Secret')).isError, true);
  });

  it('with a token speaks for the user it names, and gets secrets', async () => {
    const headers = { Authorization: `Bearer ${signWorkerToken(secret)}`, 'Sallyport-User-ID': 'bob' };
    assert.deepEqual((await callAs(headers, 'Kit_Whoami')).structuredContent, { result: 'bob' });
    assert.deepEqual((await callAs(headers, 'Kit_Secret')).structuredContent, { result: 'v' });
  });

  it('with a bad token is refused', async () => {
    const headers = { Authorization: `Bearer ${signWorkerToken('other')}` };
    const answer = await fetch(`${server.url}/mcp`, { method: 'POST', headers, body: '{}' });
    assert.equal(answer.status, 401);
    assert.deepEqual(await answer.json(), { detail: 'Invalid token. Error: Signature verification failed' });
  });
});

describe('over HTTP, a cancelled MCP call', () => {
  it('aborts the signal of its handler', async () => {
    const app = createServer({ name: 'Kit', version: '1.0.0' });
    const started = Promise.withResolvers<AbortSignal>();
    app.tool({ name: 'Wait', description: 'Wait' }, async (_input, { signal }) => {
      started.resolve(signal);
      await once(signal, 'abort');
    });
    const server = await app.listen({ port: 0, env: {} });
    const client = await connect(server.url, 'modern');
    const giveUp = new AbortController();
    const call = client.callTool({ name: 'Kit_Wait' }, { signal: giveUp.signal });
    const refused = assert.rejects(call);
    const signal = await started.promise;
    giveUp.abort();
    if (!signal.aborted) await once(signal, 'abort');
    await refused;
    await client.close();
    await server.stop();
    assert.equal(signal.aborted, true);
  });
});
