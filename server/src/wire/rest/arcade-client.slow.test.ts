import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import Arcade from '@arcadeai/arcadejs';
import { toZod } from '@arcadeai/arcadejs/lib/index';
import {
  adminKey,
  type RestServer,
  startRestServer,
  startTestWorker,
  workerSecret,
} from './fixtures/rest-server.ts';

/** The unchanged npm client of Arcade, against the whole product. */

let server: RestServer;
let worker: Awaited<ReturnType<typeof startTestWorker>>;
let client: Arcade;
const user_id = 'alice@example.com';

before(async () => {
  worker = await startTestWorker();
  server = await startRestServer({ demo: true });
  const apiKey = await server.newKey({ name: 'client', scopes: ['admin', 'read', 'call'] });
  client = new Arcade({ baseURL: server.url, apiKey });
  await client.workers.create({
    id: 'test',
    type: 'http',
    http: { uri: worker.url, secret: workerSecret, timeout: 10, retry: 0 },
  });
});
after(async () => {
  await server?.close();
  await worker?.stop();
});

describe('arcadejs', () => {
  it('finds us healthy', async () => {
    assert.deepEqual(await client.health.check(), { healthy: true });
  });

  it('pages through all tools and sees each once', async () => {
    const names: string[] = [];
    for await (const tool of client.tools.list({ limit: 2 })) names.push(tool.qualified_name);
    assert.deepEqual(names.toSorted(), [
      'ArcadeEvalRef.Add',
      'ArcadeEvalRef.Echo',
      'ArcadeEvalRef.Whoami',
      'Test.Count',
      'Test.Fail',
      'Test.Join',
      'Test.Private',
    ]);
  });

  it('narrows the list by toolkit and by filter', async () => {
    const named = async (query: object) => (await client.tools.list(query)).items.map(({ name }) => name);
    assert.deepEqual(await named({ toolkit: 'arcadeevalref' }), ['Echo', 'Add', 'Whoami']);
    assert.deepEqual(await named({ filter: '{"read_only":true}', toolkit: 'Test' }), ['Join']);
    assert.deepEqual(await named({ filter: '{"service_domains":["CHAT"]}' }), ['Count']);
  });

  it('gets a tool by each form of its name', async () => {
    for (const name of ['Test.Join', 'Test_Join', 'test.join', 'Test.Join@2.0.0']) {
      const tool = await client.tools.get(name);
      assert.equal(tool.fully_qualified_name, 'Test.Join@2.0.0');
      assert.equal(tool.input.parameters?.[0]?.value_schema.inner_val_type, 'string');
    }
    await assert.rejects(client.tools.get('Test.Nope'), Arcade.NotFoundError);
    await assert.rejects(client.tools.get('Test.Join@9.9.9'), Arcade.NotFoundError);
  });

  it('gets the schemas for model providers', async () => {
    const tool = await client.tools.get('Test.Join', { include_format: ['openai', 'anthropic', 'arcade'] });
    assert.deepEqual(Object.keys(tool.formatted_schema ?? {}), ['openai', 'anthropic', 'arcade']);
    const openai = (await client.tools.formatted.get('Test.Join', { format: 'openai' })) as {
      function: { name: string; parameters: { type: string; required: string[] } };
    };
    assert.equal(openai.function.name, 'Test_Join');
    assert.equal(openai.function.parameters.type, 'object');
    assert.deepEqual(openai.function.parameters.required, ['words']);
    const all: unknown[] = [];
    for await (const one of client.tools.formatted.list({ format: 'anthropic', limit: 3 })) all.push(one);
    assert.equal(all.length, 7);
    assert.ok(all.every((one) => 'input_schema' in (one as object)));
  });

  it('is told what a tool lacks', async () => {
    const { requirements } = await client.tools.get('Test.Private');
    assert.equal(requirements?.met, false);
    assert.equal(requirements?.secrets?.[0]?.key, 'API_TOKEN');
    assert.equal((await client.tools.get('Test.Join')).requirements?.met, true);
  });

  it('runs a tool as the user', async () => {
    const ran = await client.tools.execute({ tool_name: 'ArcadeEvalRef.Whoami', user_id });
    assert.equal(ran.success, true);
    assert.equal(ran.status, 'success');
    assert.equal(ran.output?.value, user_id);
    assert.match(ran.id ?? '', /^te_/);
    const added = await client.tools.execute({
      tool_name: 'ArcadeEvalRef_Add',
      input: { a: 1, b: 2 },
      user_id,
    });
    assert.equal(added.output?.value, 3);
  });

  it('runs a tool once when it sends a request again, and gets the same answer', async () => {
    const before = worker.state.count;
    const idempotencyKey = 'stainless-node-retry-1';
    const once = () => client.tools.execute({ tool_name: 'Test.Count', user_id }, { idempotencyKey });
    const first = await once();
    assert.deepEqual(await once(), first);
    assert.equal(worker.state.count, before + 1);
    await assert.rejects(
      client.tools.execute({ tool_name: 'Test.Count', user_id: 'bob' }, { idempotencyKey }),
      Arcade.ConflictError,
    );
    assert.equal(worker.state.count, before + 1);
  });

  it('gives up waiting, sends again, and joins the call under way', async () => {
    const before = worker.state.count;
    let release = (): void => {};
    worker.state.hold = new Promise((resolve) => {
      release = resolve;
    });
    const options = { headers: { 'Idempotency-Key': 'given-up' } };
    const gone = new AbortController();
    const first = client.tools.execute(
      { tool_name: 'Test.Count', user_id },
      { ...options, signal: gone.signal },
    );
    first.catch(() => {});
    while (worker.state.count === before) await new Promise(setImmediate);
    gone.abort();
    await assert.rejects(first, Arcade.APIUserAbortError);
    const second = client.tools.execute({ tool_name: 'Test.Count', user_id }, options);
    release();
    assert.equal((await second).output?.value, before + 1);
    assert.equal(worker.state.count, before + 1);
  });

  it('is told of a failed tool, bad input and a missing secret by an answer, not an exception', async () => {
    const failed = await client.tools.execute({ tool_name: 'Test.Fail', user_id });
    assert.equal(failed.success, false);
    assert.equal(failed.status, 'failed');
    assert.equal(failed.output?.error?.kind, 'TOOL_RUNTIME_FATAL');
    assert.equal(failed.output?.error?.stacktrace, undefined);
    const bad = await client.tools.execute({ tool_name: 'Test.Join', input: { words: 7 }, user_id });
    assert.equal(bad.output?.error?.kind, 'TOOL_RUNTIME_BAD_INPUT_VALUE');
    assert.match(bad.output?.error?.message ?? '', /words/);
    const lacking = await client.tools.execute({ tool_name: 'Test.Private', user_id });
    assert.equal(lacking.output?.error?.kind, 'TOOL_REQUIREMENTS_NOT_MET');
    assert.match(lacking.output?.error?.message ?? '', /API_TOKEN/);
  });

  it('throws for an unknown tool and a missing user, and does not send again', async () => {
    await assert.rejects(client.tools.execute({ tool_name: 'Test.Nope', user_id }), Arcade.NotFoundError);
    await assert.rejects(client.tools.execute({ tool_name: 'Test.Count' }), (error) => {
      assert.ok(error instanceof Arcade.BadRequestError);
      assert.match(error.message, /user_id/);
      return true;
    });
  });

  it('makes zod tools that run', async () => {
    const { items } = await client.tools.list();
    const tools = toZod({ tools: items, client, userId: user_id });
    const join = tools.find(({ name }) => name === 'Test_Join');
    const ran = await join?.execute({ words: ['a', 'b'] });
    assert.deepEqual(ran?.output?.value, { joined: 'a b' });
    const unset = await join?.execute({ words: ['a', 'b'], times: null });
    assert.deepEqual(unset?.output?.value, { joined: 'a b' });
  });
});

describe('arcadejs, of an MCP server,', () => {
  before(async () => {
    const mcp = { uri: `${worker.url}/mcp`, timeout: 10, retry: 0 };
    const made = await client.workers.create({ id: 'over-mcp', mcp });
    assert.equal(made.type, 'mcp');
  });
  after(() => client.workers.delete('over-mcp'));

  it('runs its tools and gets values, not content blocks', async () => {
    const input = { words: ['a', 'b'] };
    const joined = await client.tools.execute({ tool_name: 'over-mcp.Test_Join', input, user_id });
    assert.deepEqual(joined.output?.value, { joined: 'a b' });
    const counted = await client.tools.execute({ tool_name: 'over-mcp.Test_Count', user_id });
    assert.equal(counted.output?.value, worker.state.count);
    const failed = await client.tools.execute({ tool_name: 'over-mcp.Test_Fail', user_id });
    assert.equal(failed.success, false);
    assert.match(failed.output?.error?.message ?? '', /Fail|broke/);
  });

  it('goes on at once where the server asks no user for anything', async () => {
    const auth = await client.tools.authorize({ tool_name: 'over-mcp.Test_Join', user_id });
    assert.equal((await client.auth.waitForCompletion(auth)).status, 'completed');
  });

  it('makes zod tools of them', async () => {
    const tools = toZod({
      tools: (await client.tools.list({ toolkit: 'over-mcp' })).items,
      client,
      userId: user_id,
    });
    assert.deepEqual(
      tools.map(({ name }) => name),
      ['over-mcp_Test_Count', 'over-mcp_Test_Join', 'over-mcp_Test_Fail', 'over-mcp_Test_Private'],
    );
    const ran = await tools[1]?.execute({ words: ['a'], times: null });
    assert.deepEqual(ran?.output?.value, { joined: 'a' });
  });

  it('is told that it cannot be reached by an answer', async () => {
    await client.workers.update('over-mcp', { mcp: { uri: 'http://127.0.0.1:9/mcp' } });
    const ran = await client.tools.execute({ tool_name: 'over-mcp.Test_Count', user_id });
    assert.equal(ran.output?.error?.kind, 'NETWORK_TRANSPORT_RUNTIME_UNREACHABLE');
    assert.equal((await client.workers.health('over-mcp')).healthy, false);
  });
});

describe('arcadejs, of workers,', () => {
  it('sees them all, and no secret', async () => {
    const workers = [];
    for await (const one of client.workers.list({ limit: 1 })) workers.push(one);
    assert.deepEqual(workers.map(({ id }) => id).toSorted(), ['reference', 'test']);
    assert.doesNotMatch(JSON.stringify(workers), new RegExp(workerSecret));
    const { http, type, managed, binding } = await client.workers.get('test');
    assert.deepEqual(http?.secret, { exists: true, editable: true, value: '', binding: 'project' });
    assert.deepEqual(
      { type, managed, binding },
      { type: 'http', managed: false, binding: { type: 'project', id: 'default' } },
    );
  });

  it('learns that one works, and which tools it has', async () => {
    const health = await client.workers.health('test');
    assert.equal(health.healthy, true);
    const tools = [];
    for await (const tool of client.workers.tools('test', { limit: 3 })) tools.push(tool.name);
    assert.deepEqual(tools, ['Count', 'Join', 'Fail', 'Private']);
  });

  it('changes one, sees it fail, and removes it', async () => {
    const http = { uri: worker.url, secret: workerSecret, timeout: 10, retry: 0 };
    await client.workers.create({ id: 'second', http });
    const updated = await client.workers.update('second', { http: { secret: 'another-secret' } });
    assert.equal(updated.http?.timeout, 10);
    const health = await client.workers.health('second');
    assert.equal(health.healthy, false);
    assert.match(health.message ?? '', /secret/);
    await client.workers.delete('second');
    await assert.rejects(client.workers.get('second'), Arcade.NotFoundError);
  });

  it('cannot take an id twice, nor change what the config file declares', async () => {
    const http = { uri: worker.url, secret: workerSecret, timeout: 10, retry: 0 };
    await assert.rejects(client.workers.create({ id: 'test', http }), Arcade.ConflictError);
    await assert.rejects(
      client.workers.update('reference', { enabled: false }),
      Arcade.PermissionDeniedError,
    );
    await assert.rejects(client.workers.delete('reference'), Arcade.PermissionDeniedError);
    const reference = await client.workers.get('reference');
    assert.deepEqual([reference.binding?.type, 'created_at' in reference], ['static', false]);
  });
});

it('the key goes with and without "Bearer"', async () => {
  for (const key of [adminKey, `Bearer ${adminKey}`, `bearer ${adminKey}`]) {
    assert.equal((await server.ask('GET', '/v1/tools', { key })).status, 200);
  }
});
