import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '#foundation';
import { askingAs, executionsOf, requestOf } from '../../../test/executing.ts';
import { type HeldWorker, startHeldWorker } from '../../../test/held-worker.ts';
import { startApp, type TestApp } from '../../../test/start-app.ts';
import type { Asking, Executions } from './contract.ts';

let worker: HeldWorker;
let app: TestApp;
let executions: Executions;
let alice: Asking;

before(async () => {
  worker = await startHeldWorker();
  app = await startApp(`
workers:
  - { id: kit, http: { uri: "${worker.uri}", secret: s } }
gateways:
  - { name: Main, slug: main, tool_filter: { allowed_tools: ["Kit.*"] } }
`);
  await app.app.rooms.sources.refresh('default', 'kit');
  executions = await executionsOf(app, systemClock);
  alice = askingAs(app, 'alice', 'main');
});
after(async () => {
  await executions?.close(0);
  await app?.close();
  await worker?.stop();
});

async function execute(name: string, text: string, more: Parameters<typeof requestOf>[4] & { held?: boolean } = {}) {
  const { held, ...request } = more;
  const input = { text, ...(held === undefined ? {} : { held }) };
  const answer = await executions.execute(alice, requestOf(app, alice, name, input, request));
  return answer.ok ? answer.value : assert.fail(JSON.stringify(answer.error));
}
const rows = async () => {
  const [row] = await app.app.rooms.db.query<{ count: number }>('select count(*)::int as count from hub_executions');
  return row?.count;
};

describe('a sync execution', () => {
  it('answers with the output, and leaves nothing behind', async () => {
    for (const name of ['Kit.Write', 'Kit.Read']) {
      const answer = await execute(name, 'plain');
      assert.equal(answer.status, 'succeeded');
      assert.equal(answer.output, 'plain');
    }
    assert.equal(await rows(), 0);
  });

  it('that takes longer answers with an id, and is heard of later', async () => {
    for (const name of ['Kit.Write', 'Kit.Read']) {
      const text = `long ${name}`;
      const answer = await execute(name, text, { held: true, wait_ms: 0 });
      assert.equal(answer.status, 'running');
      await worker.arrived(text);
      worker.release(text);
      const ended = await executions.resume(alice, answer.execution_id, null, 5000);
      assert.ok(ended.ok);
      assert.equal(ended.value.status, 'succeeded');
      assert.equal(ended.value.output, text);
    }
  });
});

describe('an async execution', () => {
  it('is pending first', async () => {
    const answer = await execute('Kit.Write', 'async', { mode: 'async' });
    assert.equal(answer.status, 'pending');
    const ended = await executions.resume(alice, answer.execution_id, null, 5000);
    assert.ok(ended.ok);
    assert.equal(ended.value.output, 'async');
  });
});
