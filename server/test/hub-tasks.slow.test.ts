import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eras } from './both-eras.ts';
import { type Era, type EraServer, startEraServer } from './era-server.ts';
import { type HeldWorker, startHeldWorker } from './held-worker.ts';
import { type Json, messageOf, modern, startApp, type TestApp } from './start-app.ts';

/** Executions of the hub as tasks of the extension (2026-07-28), for clients that declare it. */

const extension = 'io.modelcontextprotocol/tasks';
const follows = { extensions: { [extension]: {} } };
const asksToo = { ...follows, elicitation: { form: {}, url: {} } };
let worker: HeldWorker;
let servers: Readonly<Record<Era, EraServer>>;
let app: TestApp;

before(async () => {
  worker = await startHeldWorker();
  servers = { legacy: await startEraServer('legacy'), modern: await startEraServer('modern') };
  app = await startApp(`
workers:
  - { id: kit, http: { uri: "${worker.uri}", secret: s, timeout: 60 } }
  - { id: legacy, mcp: { uri: "${servers.legacy.uri}" } }
  - { id: modern, mcp: { uri: "${servers.modern.uri}" } }
gateways:
  - { name: Hub, slug: hub, presentation: hub, tool_filter: { allowed_tools: ["Kit.*", "legacy.Ask*", "modern.*"] } }
  - { name: Only, slug: only, presentation: hub, tool_filter: { allowed_tools: ["Kit.*"] } }
  - { name: Tools, slug: tools, tool_filter: { allowed_tools: ["Kit.*"] } }
`);
  for (const id of ['kit', ...eras]) await app.app.rooms.sources.refresh('default', id);
});
after(async () => {
  await app?.close();
  for (const era of eras) await servers?.[era].close();
  await worker?.stop();
});

interface As {
  readonly capabilities?: object;
  readonly slug?: string;
  readonly user?: string;
}

async function ask(method: string, params: Json, as: As = {}): Promise<Json> {
  const { message, headers } = modern(method, params);
  (message.params._meta as Json)['io.modelcontextprotocol/clientCapabilities'] = as.capabilities ?? follows;
  const user = { 'arcade-user-id': as.user ?? 'alice' };
  const response = await app.rpc(as.slug ?? 'hub', message, { ...headers, ...user });
  return { status: response.status, ...(await messageOf(response)) };
}

async function execute(tool: string, args: Json, as?: As): Promise<Json> {
  const { result, error } = await ask(
    'tools/call',
    { name: 'execute_tool', arguments: { tool, ...args } },
    as,
  );
  assert.equal(error, undefined, JSON.stringify(error));
  return result;
}

async function got(taskId: string, as?: As): Promise<Json> {
  const { result, error } = await ask('tasks/get', { taskId }, as);
  assert.equal(error, undefined, JSON.stringify(error));
  assert.deepEqual([result.resultType, result.taskId], ['complete', taskId]);
  return result;
}

/** Looks until the task is in another state than this. */
async function changed(status: string, taskId: string, as?: As): Promise<Json> {
  for (;;) {
    const task = await got(taskId, as);
    if (task.status !== status) return task;
  }
}

const held = (text: string) => ({ input: { text, held: true }, wait_ms: 0 });

describe('a client that declares tasks', () => {
  it('is told that a gateway has them which presents the hub, whatever its sources do', async () => {
    const declaredAt = async (slug: string) =>
      (await ask('server/discover', {}, { slug })).result.capabilities.extensions;
    assert.deepEqual(await declaredAt('only'), { [extension]: {} });
    assert.equal(await declaredAt('tools'), undefined);
  });

  it('gets a task for what takes longer than it waits, under the id of the execution', async () => {
    const task = await execute('Kit.Write', held('long'));
    assert.deepEqual([task.resultType, task.status], ['task', 'working']);
    assert.match(task.taskId, /^te_/);
    assert.equal(task._meta['io.modelcontextprotocol/serverInfo'].name, 'hub');
    assert.equal((await got(task.taskId)).status, 'working');
    const { result } = await ask('tools/call', {
      name: 'resume_execution',
      arguments: { execution_id: task.taskId, wait_ms: 0 },
    });
    assert.equal(result.structuredContent.status, 'running');
    worker.release('long');
    const done = await changed('working', task.taskId);
    assert.deepEqual([done.status, done.result.isError], ['completed', false]);
    assert.deepEqual(
      [done.result.structuredContent.status, done.result.structuredContent.output],
      ['succeeded', 'long'],
    );
    assert.ok(done.ttlMs > 0 && Date.parse(done.lastUpdatedAt) >= Date.parse(done.createdAt));
    assert.deepEqual(await got(task.taskId), done);
  });

  it('gets one for what it does not want to wait for, and the result where it comes in time', async () => {
    const task = await execute('Kit.Write', { input: { text: 'later' }, mode: 'async' });
    assert.equal(task.resultType, 'task');
    assert.equal((await changed('working', task.taskId)).result.structuredContent.output, 'later');
    const now = await execute('Kit.Write', { input: { text: 'now' } });
    assert.deepEqual([now.resultType, now.structuredContent.output], ['complete', 'now']);
  });

  it('is told of a tool that failed by the result, and of an end that it wanted', async () => {
    const failing = await execute('mcp://modern.Fail', { mode: 'async' });
    const failed = await changed('working', failing.taskId);
    assert.deepEqual([failed.status, failed.result.isError], ['completed', true]);
    const task = await execute('Kit.Put', held('never'));
    const { result } = await ask('tasks/cancel', { taskId: task.taskId });
    assert.deepEqual([result.resultType, 'taskId' in result], ['complete', false]);
    assert.equal((await changed('working', task.taskId)).status, 'cancelled');
    assert.equal((await ask('tasks/cancel', { taskId: task.taskId })).error, undefined);
  });

  it('knows nobody else’s, says so as of one that never was, and leaves it alone', async () => {
    const { taskId } = await execute('Kit.Write', held('mine'));
    const answers = [];
    for (const as of [{ user: 'mallory' }, { slug: 'only' }]) {
      for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel'])
        answers.push(await ask(method, { taskId, inputResponses: {} }, as));
    }
    answers.push(await ask('tasks/get', { taskId: `te_${'0'.repeat(32)}` }));
    answers.push(await ask('tasks/get', { taskId: 'te_nobodys' }));
    const [{ error: first }] = answers as [Json];
    assert.deepEqual([first.code, first.data.name], [-32602, 'task.unknown']);
    for (const { status, error } of answers) assert.deepEqual([status, error], [200, first]);
    assert.equal((await got(taskId)).status, 'working');
    worker.release('mine');
    await changed('working', taskId);
  });

  it('gets no task where it did not declare it, nor anything of one', async () => {
    const plain = await execute('Kit.Write', held('plain'), { capabilities: {} });
    assert.deepEqual([plain.resultType, plain.structuredContent.status], ['complete', 'running']);
    const taskId = plain.structuredContent.execution_id;
    const { status, error } = await ask('tasks/get', { taskId }, { capabilities: {} });
    assert.deepEqual([status, error.code], [400, -32021]);
    assert.deepEqual(error.data.requiredCapabilities, follows);
    worker.release('plain');
    assert.equal((await changed('working', taskId)).status, 'completed');
    const missing = await ask('tasks/result', { taskId });
    assert.deepEqual([missing.status, missing.error.code], [404, -32601]);
    const { error: noTasks } = await ask('tasks/get', { taskId }, { slug: 'tools' });
    assert.equal(noTasks.code, -32601);
  });
});

for (const era of eras) {
  describe(`a task whose tool asks something, on a server with ${era} manners`, () => {
    it('asks under keys that it never uses twice, and goes on with the answers', async () => {
      const as = { capabilities: asksToo };
      const { taskId } = await execute(`mcp://${era}.AskTwice`, { mode: 'async' }, as);
      const keys: string[] = [];
      for (const [field, wrong] of [
        ['first', 'second'],
        ['second', 'first'],
      ] as const) {
        const asking = await changed('working', taskId, as);
        assert.equal(asking.status, 'input_required');
        const [[key, request]] = Object.entries(asking.inputRequests) as [[string, Json]];
        assert.deepEqual(Object.keys(request.params.requestedSchema.properties), [field]);
        const update = (inputResponses: Json) => ask('tasks/update', { taskId, inputResponses }, as);
        const bad = await update({ [key]: { action: 'accept', content: { [wrong]: 'x' } } });
        assert.deepEqual([bad.status, bad.error.code], [200, -32602]);
        assert.equal(bad.error.data.field, `params.inputResponses.${key}.content.${field}`);
        const answer = { action: 'accept', content: { [field]: 'Bo' } };
        for (const before of keys) assert.equal((await update({ [before]: answer })).error, undefined);
        const { result } = await update({ [key]: answer, unasked: answer });
        assert.equal(result.resultType, 'complete');
        keys.push(key);
      }
      assert.equal(new Set(keys).size, 2);
      const done = await changed('working', taskId, as);
      assert.deepEqual([done.status, done.result.structuredContent.status], ['completed', 'succeeded']);
      const { error } = await ask('tasks/update', { taskId, inputResponses: { [keys[0] ?? '']: 7 } }, as);
      assert.equal(error.data.field, 'params.inputResponses');
    });
  });
}

describe('a task whose tool asks something', () => {
  it('asks nothing of a client that cannot be asked: the tool fails, and the model reads why', async () => {
    const { taskId } = await execute('mcp://modern.AskForm', { mode: 'async' });
    const failed = await changed('working', taskId);
    assert.deepEqual([failed.status, failed.result.isError], ['completed', true]);
    assert.match(failed.result.structuredContent.advice, /interactive/);
  });

  it('shows its question to nobody who did not declare that they can answer it', async () => {
    const as = { capabilities: asksToo };
    const { taskId } = await execute('mcp://modern.AskForm', { mode: 'async' }, as);
    assert.equal((await changed('working', taskId, as)).status, 'input_required');
    const { status, inputRequests, statusMessage } = await got(taskId);
    assert.deepEqual([status, inputRequests], ['working', undefined]);
    assert.match(statusMessage, /ask the user/);
    await ask('tasks/cancel', { taskId });
    assert.equal((await got(taskId, as)).status, 'cancelled');
  });
});
