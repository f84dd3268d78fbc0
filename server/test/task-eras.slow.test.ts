import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, afterEach, before, describe, test } from 'node:test';
import { type EraClient, openEraClient } from './era-client.ts';
import type { Era } from './era-server.ts';
import { type Json, messageOf, modern, startApp, type TestApp } from './start-app.ts';
import { startTaskServer, type TaskServer } from './task-server.ts';

const eras = ['legacy', 'modern'] as const;
const extension = 'io.modelcontextprotocol/tasks';
const capabilitiesKey = 'io.modelcontextprotocol/clientCapabilities';
const related = 'io.modelcontextprotocol/related-task';

describe('tasks', () => {
  const servers = {} as Record<Era, TaskServer>;
  let app: TestApp;
  const opened: EraClient[] = [];

  before(async () => {
    for (const era of eras) servers[era] = await startTaskServer(era);
    app = await startApp(`
workers:
  - { id: legacy, mcp: { uri: "${servers.legacy.uri}" } }
  - { id: modern, mcp: { uri: "${servers.modern.uri}" } }
gateways:
  - { name: Both, slug: both }
  - { name: Other, slug: other }
  - { name: Older, slug: older, tool_filter: { allowed_tools: [legacy.*] } }
  - { name: None, slug: none, tool_filter: { allowed_tools: [nobody.*] } }
`);
    await refreshAll();
  });
  after(async () => {
    await app.close();
    for (const era of eras) await servers[era].close();
  });
  afterEach(async () => {
    for (const client of opened.splice(0)) await client.close();
  });

  async function refreshAll(): Promise<void> {
    for (const era of eras) {
      const status = await app.app.rooms.sources.refresh('default', era);
      assert.equal(status.state, 'healthy', status.message);
    }
  }

  async function connect(
    era: Era,
    { slug = 'both', user = 'alice', key = app.key } = {},
  ): Promise<EraClient> {
    const headers = { authorization: `Bearer ${key}`, 'arcade-user-id': user };
    const client = await openEraClient(era, `${app.url}/mcp/${slug}`, headers);
    opened.push(client);
    return client;
  }

  /** Begins a task with the server of the client's own era. */
  async function begin(client: EraClient, tool: string): Promise<Json> {
    const { era } = client;
    const task = era === 'legacy' ? { task: { ttl: 60_000 } } : {};
    const { result, error } = await client.request('tools/call', {
      name: `${era}_${tool}`,
      arguments: {},
      ...task,
    });
    assert.equal(error, undefined, JSON.stringify(error));
    return era === 'legacy' ? result.task : result;
  }

  const requestsFor = (era: Era, method: string) =>
    servers[era].requests.filter(({ message }) => message.method === method);

  for (const era of eras) {
    describe(`${era} client and server`, () => {
      test('a call goes on as a task, under an id of ours, and every request about it reaches its server', async () => {
        const client = await connect(era);
        const task = await begin(client, 'Slow');
        const own = servers[era].lastTask();
        assert.match(task.taskId, /^[A-Za-z0-9_-]{40,}$/);
        assert.notEqual(task.taskId, own);
        assert.equal(task.status, 'working');
        if (era === 'modern') assert.deepEqual([task.resultType, task['x-vendor']], ['task', 1]);
        const { result } = await client.request('tasks/get', { taskId: task.taskId });
        assert.deepEqual([result.taskId, result.status], [task.taskId, 'working']);
        const asked = requestsFor(era, 'tasks/get').at(-1);
        assert.equal(asked?.message.params.taskId, own);
        if (era === 'modern') assert.equal(asked?.headers['mcp-name'], own);
        const cancelled = await client.request('tasks/cancel', { taskId: task.taskId });
        assert.equal(cancelled.error, undefined);
        const ended = await client.request('tasks/get', { taskId: task.taskId });
        assert.equal(ended.result.status, 'cancelled');
      });

      test('a task is nobody else’s: not of another user, another key, another gateway, nor of who makes up its id', async () => {
        const client = await connect(era);
        const { taskId } = await begin(client, 'Slow');
        const asked = { name: 'other', scopes: ['call'] };
        const { key } = (await (await app.api('POST', '/v1/api_keys', asked)).json()) as { key: string };
        const strangers = [
          await connect(era, { user: 'bob' }),
          await connect(era, { key }),
          await connect(era, { slug: 'other' }),
        ];
        const before = servers[era].requests.length;
        const answers = [];
        for (const stranger of strangers) answers.push(await stranger.request('tasks/get', { taskId }));
        const forged = [
          servers[era].lastTask(),
          `${taskId}A`,
          `${taskId[0] === 'A' ? 'B' : 'A'}${taskId.slice(1)}`,
        ];
        for (const id of forged) answers.push(await client.request('tasks/get', { taskId: id }));
        answers.push(await strangers[0]?.request('tasks/cancel', { taskId }));
        for (const answer of answers) {
          assert.equal(answer?.error.code, -32602);
          assert.equal(answer?.error.data.name, 'task.unknown');
          assert.equal(answer?.error.message, answers[0]?.error.message);
        }
        const about = servers[era].requests
          .slice(before)
          .filter(({ message }) => /^tasks/.test(message.method));
        assert.deepEqual(about, []);
        const { result } = await client.request('tasks/get', { taskId });
        assert.equal(result.status, 'working');
      });

      test('what the server no longer knows is told in its words, under the id of the client', async () => {
        const client = await connect(era);
        const { taskId } = await begin(client, 'Slow');
        servers[era].forget(servers[era].lastTask());
        const { error } = await client.request('tasks/get', { taskId });
        assert.deepEqual([error.code, error.message], [-32602, `Task not found: ${taskId}`]);
      });

      test('each request about a task is recorded, and so is each refusal', async () => {
        const client = await connect(era);
        const { taskId } = await begin(client, 'Slow');
        await client.request('tasks/get', { taskId });
        await client.request('tasks/get', { taskId: 'made-up' });
        const records = await app.records('&kind=task');
        const refused = records.find(({ decision }) => decision === 'refused');
        assert.equal(refused?.code, 'task.unknown');
        const allowed = records.find(({ tool }) => tool === `${era}.Slow`);
        assert.deepEqual([allowed?.decision, allowed?.source, allowed?.user_id], ['allowed', era, 'alice']);
      });
    });
  }

  test('a tool that the gateway does not show any more takes its tasks with it', async () => {
    for (const era of eras) {
      const created = await app.api('POST', '/v1/gateways', { name: 'Changing', slug: `changing-${era}` });
      const { id } = (await created.json()) as { id: string };
      const client = await connect(era, { slug: `changing-${era}` });
      const { taskId } = await begin(client, 'Slow');
      const change = { tool_filter: { allowed_tools: [`${era}.Ask`] } };
      assert.equal((await app.api('PATCH', `/v1/gateways/${id}`, change)).status, 200);
      const { error } = await client.request('tasks/get', { taskId });
      assert.equal(error.data.name, 'task.unknown');
    }
  });

  test('ids are good after a restart of the gateway', async () => {
    const ids: Record<string, string> = {};
    for (const era of eras) ids[era] = (await begin(await connect(era), 'Slow')).taskId;
    for (const client of opened.splice(0)) await client.close();
    await app.restart();
    await refreshAll();
    for (const era of eras) {
      const client = await connect(era);
      const { result, error } = await client.request('tasks/get', { taskId: ids[era] });
      assert.equal(error, undefined, JSON.stringify(error));
      assert.deepEqual([result.taskId, result.status], [ids[era], 'working']);
    }
  });

  describe('2025-11-25', () => {
    test('tasks are declared for those that know them, whatever the servers say of other generations', async () => {
      const { welcome } = await connect('legacy');
      const { tasks, extensions } = welcome.capabilities;
      assert.deepEqual(tasks, { list: {}, cancel: {}, requests: { tools: { call: {} } } });
      assert.equal(extensions?.[extension], undefined);
      const older = await app.rpc('both', {
        id: 1,
        method: 'initialize',
        params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 't', version: '1' } },
      });
      assert.equal((await messageOf(older)).result.capabilities.tasks, undefined);
    });

    test('a result is waited for, and its client may take it back', async () => {
      const client = await connect('legacy');
      const { taskId } = await begin(client, 'Slow');
      const own = servers.legacy.lastTask();
      const waiting = once(servers.legacy.events, 'waiting');
      const { outcome } = client.begin('tasks/result', { taskId });
      await waiting;
      servers.legacy.finish(own);
      const { result } = await outcome;
      assert.deepEqual(result.content, [{ type: 'text', text: 'Slow is done' }]);
      assert.deepEqual(result._meta, { [related]: { taskId }, 'vendor/kept': 1 });

      const second = await begin(client, 'Slow');
      const again = once(servers.legacy.events, 'waiting');
      const { id, outcome: given } = client.begin('tasks/result', { taskId: second.taskId });
      given.catch(() => {});
      await again;
      const cancelled = heard(servers.legacy, 'notifications/cancelled');
      await client.notify('notifications/cancelled', { requestId: id, reason: 'enough' });
      await cancelled;
    });

    test('a task asks its client while its result is waited for; both know it by their own id', async () => {
      const client = await connect('legacy');
      const { taskId } = await begin(client, 'Ask');
      const { result, asked } = await client.request('tasks/result', { taskId });
      assert.deepEqual(result.content, [{ type: 'text', text: 'hello Bo' }]);
      assert.deepEqual(
        asked.map(({ method, params }) => [method, params.message, params._meta]),
        [['elicitation/create', 'Your name?', { [related]: { taskId } }]],
      );
    });

    test('the status of a task is told on the stream of the client that has it', async () => {
      const client = await connect('legacy');
      const serverListens = once(servers.legacy.events, 'listening');
      const { taskId } = await begin(client, 'Slow');
      const stream = await client.listen();
      await serverListens;
      servers.legacy.finish(servers.legacy.lastTask());
      const { params } = await stream.next('notifications/tasks/status');
      assert.deepEqual(
        [params.taskId, params.status, params._meta],
        [taskId, 'completed', { 'vendor/x': 1 }],
      );
    });

    test('the list holds the tasks of this client alone, though its server lists those of everybody', async () => {
      const mine = await connect('legacy', { user: 'carol' });
      const first = await begin(mine, 'Slow');
      await begin(await connect('legacy', { user: 'dave' }), 'Slow');
      const ids = [first.taskId];
      for (let count = 1; count < 12; count++) ids.push((await begin(mine, 'Slow')).taskId);
      const one = (await mine.request('tasks/list')).result;
      assert.deepEqual([one.tasks.length, one.tasks[0].status], [10, 'working']);
      const two = (await mine.request('tasks/list', { cursor: one.nextCursor })).result;
      assert.equal(two.nextCursor, undefined);
      const listed = [...one.tasks, ...two.tasks].map(({ taskId }: Json) => taskId);
      assert.deepEqual(listed, ids);
      const { error } = await mine.request('tasks/list', { cursor: 'made-up' });
      assert.equal(error.code, -32602);
    });

    test('a call is run at once where its server does no such tasks', async () => {
      const client = await connect('legacy');
      const call = { name: 'modern_Slow', arguments: {}, task: { ttl: 1000 } };
      const { result } = await client.request('tools/call', call);
      assert.deepEqual(result.content, [{ type: 'text', text: 'at once' }]);
      assert.equal(requestsFor('modern', 'tools/call').at(-1)?.message.params.task, undefined);
    });
  });

  describe('2026-07-28', () => {
    /** A request of a client that declares nothing but this. */
    async function ask(method: string, params: Json, extensions: Json = {}, slug = 'both') {
      const asked = modern(method, params);
      (asked.message.params._meta as Json)[capabilitiesKey] = { extensions };
      const name = params.name ?? params.taskId ?? params.uri;
      const named: Record<string, string> = name === undefined ? {} : { 'mcp-name': name };
      const response = await app.rpc(slug, asked.message, { ...asked.headers, ...named });
      return { status: response.status, ...(await messageOf(response)) };
    }

    test('the extension is declared where a server of this generation has it', async () => {
      const { welcome } = await connect('modern');
      assert.deepEqual(welcome.capabilities.extensions[extension], {});
      assert.equal(welcome.capabilities.tasks, undefined);
      const older = await connect('modern', { slug: 'older' });
      assert.equal(older.welcome.capabilities.extensions?.[extension], undefined);
    });

    test('a question of a task is found in it, and answered by an update', async () => {
      const client = await connect('modern');
      const { taskId } = await begin(client, 'Ask');
      const { result: waiting } = await client.request('tasks/get', { taskId });
      assert.equal(waiting.status, 'input_required');
      assert.equal(waiting.inputRequests.name.method, 'elicitation/create');
      const inputResponses = { name: { action: 'accept', content: { name: 'Bo' } } };
      const updated = await client.request('tasks/update', { taskId, inputResponses });
      assert.equal(updated.result.resultType, 'complete');
      assert.equal('taskId' in updated.result, false);
      const { result } = await client.request('tasks/get', { taskId });
      assert.deepEqual(result.result.content, [{ type: 'text', text: 'hello Bo' }]);
    });

    test('a client that listens to its tasks is told of them; of nobody else’s', async () => {
      const client = await connect('modern');
      const { taskId } = await begin(client, 'Slow');
      const own = servers.modern.lastTask();
      const { taskId: foreign } = await begin(await connect('modern', { user: 'bob' }), 'Slow');
      const { message, headers } = modern('subscriptions/listen', {
        notifications: { taskIds: [taskId, foreign, 'made-up'] },
      });
      (message.params._meta as Json)[capabilitiesKey] = { extensions: { [extension]: {} } };
      const listening = once(servers.modern.events, 'listening');
      const response = await app.rpc('both', { ...message, id: 'mine' }, headers);
      assert.deepEqual(await listening, [[own]]);
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      const acknowledged = await eventOf(reader);
      assert.deepEqual(acknowledged.params.notifications, { taskIds: [taskId] });
      servers.modern.finish(own);
      const { method, params } = await eventOf(reader);
      assert.deepEqual(
        [method, params.taskId, params.status, params.result, params._meta],
        [
          'notifications/tasks',
          taskId,
          'completed',
          { content: [{ type: 'text', text: 'done' }] },
          { 'io.modelcontextprotocol/subscriptionId': 'mine' },
        ],
      );
      await reader.cancel();
    });

    test('who does not declare the extension is told to, and gets no task', async () => {
      const { taskId } = await begin(await connect('modern'), 'Slow');
      for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
        const { status, error } = await ask(method, { taskId, inputResponses: {} });
        assert.deepEqual([status, error.code], [400, -32021]);
        assert.deepEqual(error.data.requiredCapabilities, { extensions: { [extension]: {} } });
      }
      const { result } = await ask('tools/call', { name: 'modern_Slow', arguments: {} });
      assert.equal(result.resultType, 'complete');
      const refused = await ask('tools/call', { name: 'modern_Ask', arguments: {} });
      assert.deepEqual([refused.status, refused.error.code], [400, -32021]);
      assert.deepEqual(refused.error.data.requiredCapabilities, { extensions: { [extension]: {} } });
    });

    test('a server that starts a task for who cannot follow it has answered wrongly', async () => {
      const { result } = await ask('tools/call', { name: 'modern_Undeclared', arguments: {} });
      assert.equal(result.isError, true);
      assert.equal(result._meta['sallyport/refusal'].code, 'source.answer_invalid');
    });

    test('what the older generation has of tasks is not there', async () => {
      for (const method of ['tasks/list', 'tasks/result']) {
        const { status, error } = await ask(method, { taskId: 'x' }, { [extension]: {} });
        assert.deepEqual([status, error.code], [404, -32601]);
      }
      const call = { name: 'legacy_Slow', arguments: {}, task: { ttl: 1000 } };
      const { result } = await ask('tools/call', call, { [extension]: {} });
      assert.deepEqual(result.content, [{ type: 'text', text: 'at once' }]);
    });

    test('a gateway without tasks has no requests about them', async () => {
      const { status, error } = await ask('tasks/get', { taskId: 'x' }, { [extension]: {} }, 'none');
      assert.deepEqual([status, error.code], [404, -32601]);
    });
  });
});

function heard(server: TaskServer, method: string): Promise<void> {
  return new Promise((resolve) => {
    server.events.on('request', function listener(message: Json) {
      if (message.method !== method) return;
      server.events.off('request', listener);
      resolve();
    });
  });
}

/** The message of the next event; the streams here say one at a time. */
async function eventOf(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Json> {
  const { value } = await reader.read();
  const data = Buffer.from(value as Uint8Array)
    .toString()
    .split('\n')
    .find((line) => line.startsWith('data: '));
  return JSON.parse((data as string).slice(6));
}
