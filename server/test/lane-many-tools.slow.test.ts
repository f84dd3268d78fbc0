import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { type EchoWorker, startEchoWorker } from './echo-worker.ts';
import { type Lanes, startLanes, works } from './lanes.ts';
import { type Json, modern, toolCall } from './start-app.ts';

/** From so many on, what is known of them lies in a file. */
const count = 2500;
const echo = toolCall('Kit_Echo', { text: 'hi' });

describe('several processes with many tools, started from what was kept', () => {
  let worker: EchoWorker;
  let lanes: Lanes;

  before(async () => {
    worker = await startEchoWorker();
    worker.names = ['Echo', ...Array.from({ length: count }, (_, nth) => `Tool${nth}`)];
    const first = await startLanes(worker.uri, 2);
    await first.server.stop('SIGTERM');
    lanes = await startLanes(worker.uri, 2, first.directory);
    await lanes.api('POST', '/v1/gateways', { name: 'Hub', slug: 'hub', presentation: 'hub' });
    await lanes.api('POST', '/v1/gateways', {
      ...{ name: 'Few', slug: 'few' },
      tool_filter: { allowed_tools: ['Kit.Tool7', 'Kit.Tool2499', 'Kit.Echo'] },
    });
  });
  after(async () => {
    lanes?.close();
    await worker?.stop();
  });

  const called = () => lanes.lines().filter(({ kind }) => kind === 'tool_call');

  test('serve calls and lists alike, the first and all others, and a lane has its part', async () => {
    const { all } = lanes.open(4);
    const lists = await Promise.all(all.map((one) => one.post('/mcp/few', { id: 1, method: 'tools/list' })));
    for (const { body } of lists)
      assert.deepEqual(
        body.result.tools.map(({ name }: Json) => name),
        ['Kit_Echo', 'Kit_Tool7', 'Kit_Tool2499'],
      );
    for (;;) {
      const before = called().length;
      const answers = await Promise.all(
        ['/mcp/few', '/mcp/main', '/mcp/hub'].flatMap((path) => all.map((one) => one.post(path, echo))),
      );
      assert.ok(answers.every(works), JSON.stringify(answers.map(({ body }) => body)));
      while (called().length < before + answers.length)
        await once(lanes.server.child.stdout as Readable, 'data');
      const byLane = called()
        .slice(before)
        .filter(({ process }) => process === 'lane-1');
      if (new Set(byLane.map(({ gateway }) => gateway)).size === 3) break;
    }
  });

  test('a list that changed is what the next request sees, on every connection', async () => {
    const { message, headers } = modern('tools/list', {});
    const { all } = lanes.open(4);
    const listed = () => Promise.all(all.map((one) => one.post('/mcp/few', message, headers)));
    worker.names = worker.names.filter((name) => name !== 'Tool7');
    while ((await lanes.api('GET', '/v1/workers/reference/health')).body.healthy !== true);
    for (const { body } of await listed())
      assert.deepEqual(
        body.result.tools.map(({ name }: Json) => name),
        ['Kit_Echo', 'Kit_Tool2499'],
      );
  });
});
