import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { type Answer, type Connections, openConnections } from './connections.ts';
import { temporaryDirectory } from './database.ts';
import { type Json, modern, startReferenceServer, toolCall } from './start-app.ts';
import { startProcess, type TestProcess } from './start-process.ts';

const adminKey = 'sp_the_key_of_this_test';
const auth = { authorization: `Bearer ${adminKey}` };
const asAlice = { ...auth, 'arcade-user-id': 'alice' };
const secret = 'a-worker-secret-of-thirty-two-chars';
const processes = 3;
const echo = toolCall('ArcadeEvalRef_Echo', { text: 'hi' });

let worker: Awaited<ReturnType<typeof startReferenceServer>>;
let directory: string;
let server: TestProcess;
let connections: Connections | null = null;

before(async () => {
  worker = await startReferenceServer(secret);
});
after(() => worker.stop());

async function start(more = ''): Promise<void> {
  directory = temporaryDirectory();
  writeFileSync(
    join(directory, 'sallyport.yaml'),
    `workers: [{ id: reference, http: { uri: "${worker.uri}", secret: ${secret} } }]
gateways: [{ slug: main }]
${more}`,
  );
  server = await startProcess({ SALLYPORT_PROCESSES: String(processes) }, directory);
  await lanesServe(processes - 1);
  await until(async () => (await api('GET', '/v1/workers/reference/health')).body.healthy === true);
}

afterEach(() => {
  connections?.close();
  connections = null;
  if (server.child.exitCode === null) server.child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

const lines = (): Json[] =>
  server
    .stdout()
    .split('\n')
    .flatMap((line) => (line.startsWith('{') && line.endsWith('}') ? [JSON.parse(line)] : []));
const servingLines = () => lines().filter(({ msg }) => msg === 'a lane serves');

async function lanesServe(count: number): Promise<void> {
  while (servingLines().length < count) await once(server.child.stdout as Readable, 'data');
}

async function until(ask: () => Promise<boolean>): Promise<void> {
  while (!(await ask())) await new Promise((resolve) => setImmediate(resolve));
}

async function api(method: string, path: string, body?: unknown): Promise<{ status: number; body: Json }> {
  const answer = await fetch(`${server.url}${path}`, {
    method,
    headers: { ...auth, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? null : JSON.parse(text) };
}

function open(count: number, headers: Record<string, string> = asAlice): Connections {
  connections?.close();
  connections = openConnections(server.url, count, headers);
  return connections;
}

const each = (headers?: Record<string, string>, path = '/mcp/main', message: object = echo) =>
  Promise.all((connections as Connections).all.map((one) => one.post(path, message, headers)));

const works = ({ body }: Answer) => body.result !== undefined && body.result.isError !== true;

describe('several processes', () => {
  beforeEach(() => start());

  test('share the connections, and each call is recorded once, whoever served it', async () => {
    open(12);
    for (let round = 0; round < 5; round++) assert.ok((await each()).every(works));
    const events = await api('GET', '/v1/audit_events?limit=100&kind=tool_call');
    assert.equal(events.body.total_count, 60);
    assert.equal(new Set(events.body.items.map(({ execution_id }: Json) => execution_id)).size, 60);
    const verified = await api('GET', '/v1/audit_events/verify');
    assert.equal(verified.body.valid, true, JSON.stringify(verified.body));
    const by = lines()
      .filter(({ kind }) => kind === 'tool_call')
      .map(({ process = 'office' }) => process);
    assert.deepEqual(new Set(by), new Set(['office', 'lane-1', 'lane-2']));
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    assert.match(metrics, /sallyport_calls_total\{.*source="reference",kind="tool_call",decision="allowed"\} 60/);
  });

  test('serve the generation without a handshake alike', async () => {
    open(9);
    const { message, headers } = modern('tools/call', echo.params);
    for (const answer of await each(headers, '/mcp/main', message)) assert.ok(works(answer));
  });

  test('a revoked key is refused on the next call, on every connection', async () => {
    for (let round = 0; round < 5; round++) {
      const { body: key } = await api('POST', '/v1/api_keys', { name: 'short', scopes: ['call'] });
      open(9, { authorization: `Bearer ${key.key}`, 'arcade-user-id': 'alice' });
      assert.ok((await each()).every(works));
      await api('DELETE', `/v1/api_keys/${key.id}`);
      assert.deepEqual(new Set((await each()).map(({ status }) => status)), new Set([401]));
    }
  });

  test('a grant, a rule and a gateway act on the next call, on every connection', async () => {
    await api('POST', '/v1/gateways', { name: 'Own', slug: 'own', access: 'granted' });
    open(9);
    const called = async () => (await each(undefined, '/mcp/own')).map((answer) => works(answer));
    const all = (is: boolean) => Array.from({ length: 9 }, () => is);
    for (let round = 0; round < 5; round++) {
      assert.deepEqual(await called(), all(false));
      const grant = { subject: { user: 'alice' }, tools: ['*'], gateway: 'own', effect: 'allow' };
      const { body: granted } = await api('POST', '/v1/grants', grant);
      assert.deepEqual(await called(), all(true));
      const rule = {
        name: 'no',
        tools: ['*'],
        gateway: 'own',
        direction: 'input',
        action: 'block',
        match: { pattern: 'hi' },
      };
      const { body: ruled } = await api('POST', '/v1/rules', rule);
      assert.deepEqual(await called(), all(false), JSON.stringify(ruled));
      await api('DELETE', `/v1/rules/${ruled.id}`);
      assert.deepEqual(await called(), all(true));
      await api('DELETE', `/v1/grants/${granted.id}`);
    }
    await api('POST', '/v1/grants', { subject: { user: 'alice' }, tools: ['*'], effect: 'allow' });
    assert.deepEqual(await called(), all(true));
    const { body: listed } = await api('GET', '/v1/gateways');
    const { id } = listed.items.find(({ slug }: Json) => slug === 'own');
    assert.ok((await api('DELETE', `/v1/gateways/${id}`)).status < 300);
    assert.deepEqual(new Set((await each(undefined, '/mcp/own')).map(({ status }) => status)), new Set([404]));
  });

  test('a limit admits as many as it says, over all connections', async () => {
    const limit = { name: 'ten', tools: ['*'], per: ['gateway'], rate: { limit: 10, per_seconds: 86_400 } };
    const made = await api('POST', '/v1/limits', limit);
    assert.ok(made.status < 300, JSON.stringify(made.body));
    open(20);
    assert.equal((await each()).filter(works).length, 10);
  });
});
