import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { openEraClient } from './era-client.ts';
import { startApp, type TestApp } from './start-app.ts';

const manifest = createRequire(import.meta.url).resolve(
  '@modelcontextprotocol/server-everything/package.json',
);
const script = join(dirname(manifest), 'dist/index.js');
const related = 'io.modelcontextprotocol/related-task';

describe('tasks of the everything server of the MCP project', () => {
  let app: TestApp;

  before(async () => {
    app = await startApp(`
workers:
  - { id: everything, mcp: { stdio: { command: ${JSON.stringify(process.execPath)}, args: [${JSON.stringify(script)}, stdio] } } }
gateways:
  - { name: Everything, slug: everything, naming: source }
`);
    const status = await app.app.rooms.sources.refresh('default', 'everything');
    assert.equal(status.state, 'healthy', status.message);
  });
  after(() => app.close());

  test('research that must ask on its way is begun, followed, asked for and read', async () => {
    const headers = { authorization: `Bearer ${app.key}`, 'arcade-user-id': 'alice' };
    const client = await openEraClient('legacy', `${app.url}/mcp/everything`, headers);
    assert.deepEqual(client.welcome.capabilities.tasks.requests, { tools: { call: {} } });
    const begun = await client.request('tools/call', {
      name: 'simulate-research-query',
      arguments: { topic: 'python', ambiguous: true },
      task: { ttl: 60_000 },
    });
    assert.equal(begun.error, undefined, JSON.stringify(begun.error));
    const { taskId } = begun.result.task;
    const got = await client.request('tasks/get', { taskId });
    assert.deepEqual([got.result.taskId, got.result.status], [taskId, 'working']);
    const { result, asked } = await client.request('tasks/result', { taskId });
    assert.match(result.content[0].text, /Research Report: python \(Bo\)/);
    assert.equal(result._meta[related].taskId, taskId);
    const questions = asked.filter(({ method }) => method === 'elicitation/create');
    assert.deepEqual(
      questions.map(({ params }) => params._meta[related].taskId),
      [taskId],
    );
    const listed = await client.request('tasks/list');
    assert.deepEqual(
      listed.result.tasks.map((task: { taskId: string; status: string }) => [task.taskId, task.status]),
      [[taskId, 'completed']],
    );
    await client.close();
  });

  test('the official SDK follows a task from its call to its result', async () => {
    const client = new Client({ name: 'sdk', version: '1' });
    const headers = { authorization: `Bearer ${app.key}`, 'arcade-user-id': 'bob' };
    const transport = new StreamableHTTPClientTransport(new URL(`${app.url}/mcp/everything`), {
      requestInit: { headers },
    });
    await client.connect(transport as never);
    const call = { name: 'simulate-research-query', arguments: { topic: 'rust' } };
    const told = [];
    for await (const message of client.experimental.tasks.callToolStream(call, CallToolResultSchema, {
      task: { ttl: 60_000 },
    })) {
      if (message.type === 'error') throw message.error;
      told.push(message);
    }
    assert.equal(told[0]?.type, 'taskCreated');
    assert.ok(told.some(({ type }) => type === 'taskStatus'));
    const last = told.at(-1);
    assert.ok(last?.type === 'result');
    assert.match(JSON.stringify(last.result.content), /Research Report: rust/);
    await client.close();
  });
});
