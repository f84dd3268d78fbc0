import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { ClientSide, DispatchedRequest } from '#domain';
import { createEgress, type Egress } from '#egress';
import { manualClock } from '#foundation';
import { silentLog } from '#telemetry';
import { startEraServer } from '../../../test/era-server.ts';
import type { SourceConnection } from '../contract.ts';
import { modernClient } from '../fixtures/asked-client.ts';
import { callOf, requestOf, sourceOf, unheard } from '../fixtures/dispatched-call.ts';
import { mcpKind } from './mcp.ts';

const doesTasks = modernClient({
  capabilities: { extensions: { 'io.modelcontextprotocol/tasks': {} }, tasks: { list: {} } },
});

for (const era of ['legacy', 'modern'] as const) {
  describe(`a request to an MCP server of the ${era} era`, () => {
    const stops: (() => unknown)[] = [];
    let egress: Egress;
    let clock: ReturnType<typeof manualClock>;

    beforeEach(() => {
      clock = manualClock();
      egress = createEgress({ allow: [], clock });
      stops.push(() => egress.close());
    });
    afterEach(async () => {
      for (const stop of stops.splice(0).reverse()) await stop();
    });

    async function start() {
      const server = await startEraServer(era);
      const opened = mcpKind.open(
        sourceOf({ kind: 'mcp', uri: server.uri, toolTimeoutsMs: { Wait: 60_000 }, timeoutMs: 5000 }),
        { egress, clock, log: silentLog },
        unheard,
      );
      assert.ok(opened.ok);
      stops.push(
        () => server.close(),
        () => opened.value.close(),
      );
      return { server, connection: opened.value };
    }

    async function result(connection: SourceConnection, request: DispatchedRequest) {
      const returned = await connection.request?.(request);
      assert.ok(returned?.ok && returned.value.form === 'mcp', JSON.stringify(returned));
      return JSON.parse(returned.value.result.toString('utf8'));
    }

    it('runs a tool as a task, whose id is told, and finds the task again', async () => {
      const { server, connection } = await start();
      const client: ClientSide = doesTasks;
      const task = era === 'legacy' ? { ttl: 1000 } : null;
      const returned = await connection.call(callOf('Job', { client, task }));
      assert.ok(returned.ok && returned.value.form === 'mcp');
      const { taskId } = returned.value;
      assert.equal(typeof taskId, 'string');
      assert.match(returned.value.result.toString('utf8'), new RegExp(`${taskId}`));
      assert.equal((await result(connection, requestOf('tasks/get', { taskId }, { client }))).taskId, taskId);
      const { headers, message } = server.heard.at(-1) ?? {};
      assert.equal(headers?.['mcp-name'], era === 'modern' ? taskId : undefined);
      assert.equal(message?.params.taskId, taskId);
      const gone = await connection.request?.(requestOf('tasks/get', { taskId: 'none' }, { client }));
      assert.ok(gone && !gone.ok);
      assert.deepEqual([gone.error.code, gone.error.rpc?.code], ['source.request_failed', -32602]);
    });

    it('runs a tool without a task where none was asked for', async () => {
      const { connection } = await start();
      const returned = await connection.call(callOf('Job'));
      assert.ok(returned.ok && returned.value.form === 'mcp');
      assert.equal(returned.value.taskId, undefined);
    });

    it('carries a prompt in the names of the server, with the words of the client for it', async () => {
      const { server, connection } = await start();
      const request = requestOf('prompts/get', { name: 'Greet', arguments: { who: 'Ann' } });
      const got = await result(connection, { ...request, meta: { 'vendor/x': 1 } });
      assert.equal(got.messages[0].content.text, 'Hello, Ann');
      const { headers, message } = server.heard.at(-1) ?? {};
      assert.equal(message?.params._meta['vendor/x'], 1);
      assert.equal(headers?.['mcp-name'], era === 'modern' ? 'Greet' : undefined);
    });

    it('is given the time of its tool, and not that of the source', async () => {
      const { server, connection } = await start();
      let isDone = false;
      const waiting = connection.call(callOf('Wait')).finally(() => {
        isDone = true;
      });
      while (!server.ran.includes('Wait')) await setImmediate();
      clock.advance(30_000);
      for (let round = 0; round < 10; round++) await setImmediate();
      assert.equal(isDone, false);
      clock.advance(31_000);
      const returned = await waiting;
      assert.equal(returned.ok ? '' : returned.error.code, 'source.timeout');
    });
  });
}
