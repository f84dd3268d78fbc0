import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { temporaryDirectory } from './database.ts';
import { freePort } from './free-port.ts';
import { type HeldWorker, startHeldWorker } from './held-worker.ts';
import type { Json } from './start-app.ts';
import { startProcess, type TestProcess } from './start-process.ts';

/** `kill -9` while executions are in each of their states; the server starts again with the same data directory. */

const key = 'sp_the_key_of_this_test';
const directory = temporaryDirectory();
let worker: HeldWorker;
let server: TestProcess;
let port: string;

before(async () => {
  worker = await startHeldWorker();
  port = String(await freePort());
  writeFileSync(
    join(directory, 'sallyport.yaml'),
    `workers:
  - { id: kit, http: { uri: "${worker.uri}", secret: s, timeout: 60 } }
gateways:
  - { name: Main, slug: main, tool_filter: { allowed_tools: ["Kit.*"] } }
rules:
  - { name: ask, direction: input, tools: ["Kit.*"], condition: "arguments.text.startsWith('approve')", action: approve, approvers: [{ user: boss }] }
`,
  );
  await start();
});
after(async () => {
  await server?.stop('SIGKILL');
  await worker?.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function start(): Promise<void> {
  server = await startProcess(
    { SALLYPORT_DATA_DIR: join(directory, 'data'), SALLYPORT_PORT: port, SALLYPORT_PROCESSES: '1' },
    directory,
  );
  while (((await api('GET', '/v1/tools')).body.total_count ?? 0) === 0);
}
async function restart(): Promise<void> {
  assert.equal(await server.stop('SIGKILL'), 'SIGKILL');
  await start();
}
async function api(method: string, path: string, body?: unknown): Promise<{ status: number; body: Json }> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: await answer.json() };
}
const of = { user_id: 'alice', gateway: 'main' };
function send(name: string, text: string, more: object = {}) {
  return api('POST', '/v1/hub/execute_tool', {
    ...of,
    tool: `worker://Kit.${name}`,
    input: { text, held: true },
    ...more,
  });
}
async function execute(name: string, text: string, more: object = {}): Promise<Json> {
  const { status, body } = await send(name, text, more);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}
async function resume(id: string, more: object = {}): Promise<Json> {
  const { status, body } = await api('POST', '/v1/hub/resume_execution', {
    ...of,
    execution_id: id,
    ...more,
  });
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}
async function ended(id: string): Promise<Json> {
  for (;;) {
    const now = await resume(id, { wait_ms: 1000 });
    if (now.status !== 'running' && now.status !== 'pending') return now;
  }
}
const runs = (name: 'Write' | 'Put' | 'Read', text: string) =>
  worker.ran[name].filter((one) => one === text).length;

describe('an execution whose server is killed', () => {
  it('while it runs a tool that has an effect: nobody knows how it ended, and it is not begun again', async () => {
    const { execution_id: id } = await execute('Write', 'write', { wait_ms: 0 });
    await worker.arrived('write');
    await restart();
    assert.equal((await ended(id)).status, 'unknown');
    await restart();
    const { status, error } = await ended(id);
    assert.deepEqual([status, error.name, runs('Write', 'write')], ['unknown', 'source.interrupted', 1]);
  });

  it('while it runs a tool that does no harm: it is begun again, and ends', async () => {
    for (const name of ['Put', 'Read'] as const) {
      const { execution_id: id } = await execute(name, name, { wait_ms: 0 });
      await worker.arrived(name);
      await restart();
      while (runs(name, name) < 2) await resume(id, { wait_ms: 0 });
      worker.release(name);
      assert.deepEqual([(await ended(id)).output, runs(name, name)], [name, 2]);
    }
  });

  it('as soon as it was accepted: it is run once, or nobody knows, and never twice', async () => {
    for (let n = 0; n < 3; n++) {
      const text = `accepted ${n}`;
      worker.release(text);
      const { execution_id: id } = await execute('Write', text, { mode: 'async' });
      await restart();
      const { status } = await ended(id);
      assert.ok(['succeeded', 'unknown'].includes(status), status);
      assert.ok(runs('Write', text) <= 1);
      if (status === 'succeeded') assert.equal(runs('Write', text), 1);
    }
  });

  it('while it waits for an approval: it waits on, and runs once', async () => {
    worker.release('approve');
    const { execution_id: id, waiting_for, approval_id } = await execute('Write', 'approve');
    assert.equal(waiting_for, 'approval');
    await restart();
    assert.equal((await resume(id)).status, 'waiting');
    await api('POST', `/v1/approvals/${approval_id}/approve`, { user_id: 'boss' });
    await restart();
    assert.deepEqual([(await resume(id)).output, runs('Write', 'approve')], ['approve', 1]);
  });

  it('after it ended: its answer is the same', async () => {
    worker.release('ended');
    const { execution_id: id } = await execute('Write', 'ended', { mode: 'async' });
    const before = await ended(id);
    await restart();
    assert.deepEqual(await resume(id), before);
  });

  it('after it was cancelled: it stays so', async () => {
    const { execution_id: id } = await execute('Put', 'cancelled', { wait_ms: 0 });
    await worker.arrived('cancelled');
    await api('POST', '/v1/hub/cancel_execution', { ...of, execution_id: id });
    await restart();
    assert.deepEqual([(await resume(id)).status, runs('Put', 'cancelled')], ['cancelled', 1]);
  });
});

describe('an idempotency key', () => {
  it('has the same answer after the server was killed', async () => {
    worker.release('key 1');
    const first = await execute('Write', 'key 1', { idempotency_key: 'k1' });
    await restart();
    assert.deepEqual(await execute('Write', 'key 1', { idempotency_key: 'k1' }), first);
    assert.equal((await send('Write', 'another', { idempotency_key: 'k1' })).body.name, 'request.repeated');
    assert.equal(runs('Write', 'key 1'), 1);
  });

  it('of which nobody knows how it ended has no second effect', async () => {
    const lost = send('Write', 'key 2', { idempotency_key: 'k2' }).catch(() => null);
    await worker.arrived('key 2');
    await restart();
    assert.equal(await lost, null);
    for (let n = 0; n < 2; n++)
      assert.equal((await execute('Write', 'key 2', { idempotency_key: 'k2' })).status, 'unknown');
    assert.equal(runs('Write', 'key 2'), 1);
  });

  it('of a tool that does no harm is carried to its end by the next process', async () => {
    const lost = send('Put', 'key 3', { idempotency_key: 'k3' }).catch(() => null);
    await worker.arrived('key 3');
    await restart();
    await lost;
    worker.release('key 3');
    assert.equal((await execute('Put', 'key 3', { idempotency_key: 'k3' })).output, 'key 3');
  });
});
