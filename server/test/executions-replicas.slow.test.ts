import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { freePort } from './free-port.ts';
import { type HeldWorker, startHeldWorker } from './held-worker.ts';
import { type Replicas, startReplicas } from './replicas.ts';
import type { Json } from './start-app.ts';
import type { TestProcess } from './start-process.ts';

/** Executions of two replicas, each a process, on one database. */

const server = process.env.SALLYPORT_TEST_DATABASE_URL;
const skip = server === undefined ? 'needs a PostgreSQL server (npm run test:postgres)' : false;

describe('two replicas', { skip }, () => {
  let worker: HeldWorker;
  let both: Replicas;
  let first: TestProcess;
  let second: TestProcess;

  before(async () => {
    worker = await startHeldWorker();
    both = await startReplicas(
      server as string,
      `http://127.0.0.1:${await freePort()}`,
      `workers:
  - { id: kit, http: { uri: "${worker.uri}", secret: s, timeout: 90 } }
`,
    );
    [first, second] = both.replicas as [TestProcess, TestProcess];
    for (const { url } of both.replicas)
      while (((await (await fetch(`${url}/v1/tools`, { headers })).json()) as Json).total_count === 0);
  });
  after(async () => {
    await both?.close();
    await worker?.stop();
  });

  const headers = { authorization: 'Bearer sp_the_key_of_this_test', 'content-type': 'application/json' };
  async function ask({ url }: TestProcess, what: string, body: object, user = 'alice'): Promise<Json> {
    const answer = await fetch(`${url}/v1/hub/${what}`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ user_id: user, ...body }),
    });
    return await answer.json();
  }
  const execute = (at: TestProcess, name: string, text: string, more: object = {}) =>
    ask(at, 'execute_tool', { tool: `worker://Kit.${name}`, input: { text, held: true }, ...more });
  const resume = (at: TestProcess, id: string, user = 'alice') =>
    ask(at, 'resume_execution', { execution_id: id, wait_ms: 60_000 }, user);
  const runs = (name: 'Write' | 'Put', text: string) => worker.ran[name].filter((one) => one === text).length;

  it('have one effect for a thousand requests at once under one key, and all hear the same', async () => {
    const more = { idempotency_key: 'thousand' };
    const all = Array.from({ length: 1000 }, (_, n) =>
      execute(n % 2 === 0 ? first : second, 'Write', 'thousand', more),
    );
    await worker.arrived('thousand');
    worker.release('thousand');
    const answers = await Promise.all(all);
    assert.deepEqual(
      new Set(answers.map(({ status, output }) => `${status} ${output}`)),
      new Set(['succeeded thousand']),
    );
    assert.equal(new Set(answers.map(({ execution_id }) => execution_id)).size, 1);
    assert.equal(runs('Write', 'thousand'), 1);
    const other = await execute(second, 'Write', 'another input', more);
    assert.equal(other.name, 'request.repeated');
  });

  it('have one effect for each of many keys, whichever of them is asked', async () => {
    const texts = Array.from({ length: 100 }, (_, n) => `key ${n}`);
    for (const text of texts) worker.release(text);
    const all = texts.flatMap((text) =>
      [first, second].map((at) => execute(at, 'Write', text, { idempotency_key: text })),
    );
    for (const answer of await Promise.all(all))
      assert.equal(answer.status, 'succeeded', JSON.stringify(answer));
    for (const text of texts) assert.equal(runs('Write', text), 1);
  });

  it('tell of, and end, what the other one runs', async () => {
    const { execution_id: id } = await execute(first, 'Write', 'elsewhere', { wait_ms: 0 });
    await worker.arrived('elsewhere');
    const there = await resume(second, id, 'bob');
    assert.equal(there.name, 'execution.unknown');
    const { status, advice } = await ask(second, 'cancel_execution', { execution_id: id });
    assert.equal(status, 'cancelled');
    assert.match(advice, /not known/);
    assert.equal((await resume(first, id)).status, 'cancelled');
  });

  it('take up what the other one left when it is killed', async () => {
    const [put, write] = await Promise.all(
      ['Put', 'Write'].map((name) => execute(first, name, `left ${name}`, { wait_ms: 0 })),
    );
    await Promise.all(['left Put', 'left Write'].map((text) => worker.arrived(text)));
    await first.stop('SIGKILL');
    worker.release('left Put');
    const answers = await Promise.all([put, write].map(({ execution_id }) => resume(second, execution_id)));
    assert.deepEqual(
      answers.map(({ status }) => status),
      ['succeeded', 'unknown'],
    );
    assert.deepEqual([runs('Put', 'left Put'), runs('Write', 'left Write')], [2, 1]);
  });
});
