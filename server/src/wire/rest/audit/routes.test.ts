import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { type RestServer, startRestServer, startTestWorker, workerSecret } from '../fixtures/rest-server.ts';

let server: RestServer;
let worker: Awaited<ReturnType<typeof startTestWorker>>;
before(async () => {
  worker = await startTestWorker();
  server = await startRestServer();
  const http = { uri: worker.url, secret: workerSecret };
  assert.equal((await server.ask('POST', '/v1/workers', { body: { id: 'test', http } })).status, 201);
});
after(async () => {
  await server?.close();
  await worker?.stop();
});

const get = (path: string) => server.ask('GET', `/v1/audit_events${path}`);

it('one record tells what policy said of a call, and is found by the execution and the rule', async () => {
  const rule = {
    name: 'no-numbers',
    direction: 'input',
    tools: ['Test.*'],
    match: { detector: 'ssn' },
    action: 'block',
  };
  const made = await server.ask('POST', '/v1/rules', { body: rule });
  assert.equal(made.status, 201);
  const words = ['536-90-4399'];
  const answer = await server.ask('POST', '/v1/tools/execute', {
    body: { tool_name: 'Test.Join', user_id: 'ann', input: { words } },
  });
  assert.equal(answer.body.success ?? false, false);
  const { body: list } = await get(`?rule=${made.body.id}`);
  assert.equal(list.total_count, 1);
  const [listed] = list.items;
  const { status, body } = await get(`/${listed.id}`);
  assert.equal(status, 200);
  assert.deepEqual(body, listed);
  assert.deepEqual([body.decision, body.code], ['refused', 'policy.input_blocked']);
  assert.deepEqual(
    body.policy.rules.map(({ id, outcome, count }: Record<string, unknown>) => [id, outcome, count]),
    [[made.body.id, 'blocked', 1]],
  );
  assert.ok(!JSON.stringify(body).includes(words[0] as string));
  assert.deepEqual((await get(`?execution_id=${body.execution_id}`)).body.items, [listed]);
  assert.deepEqual((await get('?principal=key_nobody')).body.items, []);
  await server.ask('DELETE', `/v1/rules/${made.body.id}`);
});

it('a record that is not there is unknown', async () => {
  for (const id of [`aud_${'0'.repeat(32)}`, 'nothing', "aud_'%20or%20true"]) {
    const { status, body } = await get(`/${id}`);
    assert.deepEqual([status, body.name, body.field], [404, 'resource.unknown', 'id']);
  }
});

it('the records are whole, and go through an anchor that was given before', async () => {
  const first = (await get('/verify')).body;
  assert.equal(first.valid, true);
  assert.ok(first.checked >= 1);
  const [{ anchor }] = first.chains;
  await server.ask('GET', '/v1/workers/test');
  await server.newKey({ name: 'one more record' });
  const second = (await get(`/verify?anchor=${encodeURIComponent(anchor)}`)).body;
  assert.deepEqual([second.valid, second.checked], [true, first.checked + 1]);
  const forged = anchor.replace(/.{4}$/, (end: string) => (end === '0000' ? '1111' : '0000'));
  assert.equal((await get(`/verify?anchor=${encodeURIComponent(forged)}`)).body.valid, false);
  const since = new Date(Date.parse('2126-01-01')).toISOString();
  assert.deepEqual((await get(`/verify?since=${since}`)).body.checked, 0);
  for (const [query, field] of [
    ['anchor=nonsense', 'anchor'],
    ['since=yesterday', 'since'],
    [`since=2026-01-01&anchor=${encodeURIComponent(anchor)}`, 'since'],
    ['until=2026-01-01', 'until'],
  ]) {
    const { status, body } = await get(`/verify?${query}`);
    assert.deepEqual([status, body.field], [400, field], query);
  }
});
