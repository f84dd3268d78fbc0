import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { DispatchedCall, SourceReturn } from '#domain';
import { createEgress } from '#egress';
import { manualClock, systemClock } from '#foundation';
import { silentLog } from '#telemetry';
import type { SourceConnection } from '../contract.ts';
import { describeSourceKind } from '../contract-suite.ts';
import { callOf, sourceOf, toolNamed, unheard } from '../fixtures/dispatched-call.ts';
import { answerJson, startServer } from '../fixtures/start-server.ts';
import { definitionOf, startWorker, type WorkerServer } from '../fixtures/worker-server.ts';
import { workerKind } from './worker.ts';

const secret = 'a-secret-of-this-worker-0123456789';

for (const dialect of ['python', 'typescript'] as const) {
  describeSourceKind(`a ${dialect} worker as a source`, {
    kind: workerKind,
    async start(port) {
      const worker = await startWorker(secret, {
        dialect,
        prefix: '/at/some/path',
        ...(port ? { port } : {}),
      });
      return Object.assign(worker, {
        source: sourceOf({ kind: 'worker', uri: `${worker.origin}/at/some/path/`, secret }),
        arrived: () => worker.invoked.length,
        listNonsense() {
          worker.tools = [{ name: 'Broken' }, 3];
        },
        breakList() {
          worker.tools = '<html>';
        },
      });
    },
    withWrongCredential: (source) => ({ ...source, secret: 'another' }),
    textOf: (returned) => (returned.form === 'worker' ? returned.output.value : undefined),
  });
}

describe('a call to a worker', () => {
  const egress = createEgress({ allow: [] });
  let worker: WorkerServer;
  let connection: SourceConnection;

  before(async () => {
    worker = await startWorker(secret);
    const source = sourceOf({ kind: 'worker', uri: worker.origin, secret, retry: 2 });
    const opened = workerKind.open(source, { egress, clock: systemClock, log: silentLog }, unheard);
    assert.ok(opened.ok);
    connection = opened.value;
  });
  beforeEach(() => {
    worker.invoked.length = 0;
    worker.scripted.length = 0;
  });
  after(async () => {
    connection.close();
    egress.close();
    await worker.stop();
  });

  const safe = toolNamed('Echo', { metadata: { behavior: { idempotent: true } } });
  const failing = (more: object = {}) => ({
    body: {
      success: false,
      output: { error: { kind: 'UPSTREAM_RUNTIME_SERVER_ERROR', can_retry: true, ...more } },
    },
  });

  async function returned(call: DispatchedCall): Promise<Extract<SourceReturn, { form: 'worker' }>> {
    const result = await connection.call(call);
    assert.ok(result.ok && result.value.form === 'worker');
    return result.value;
  }

  async function failure(call: DispatchedCall) {
    const result = await connection.call(call);
    assert.ok(!result.ok);
    return result.error;
  }

  it('carries the user, the credential and the version that the worker listed', async () => {
    const credential = {
      authorization: { token: 'gho_1', userInfo: { login: 'a' } },
      secrets: [{ key: 'K', value: 'v' }],
    };
    await returned(callOf('Echo', { args: { text: 'x' }, userId: 'alice', credential }));
    const { created_at, ...body } = worker.invoked[0]?.body ?? {};
    assert.match(String(created_at), /^\d{4}-\d\d-\d\dT.*Z$/);
    assert.deepEqual(body, {
      run_id: 'te_1',
      execution_id: 'te_1',
      tool: { name: 'Echo', toolkit: 'Kit', version: '1.2.3' },
      inputs: { text: 'x' },
      context: {
        user_id: 'alice',
        authorization: { token: 'gho_1', user_info: { login: 'a' } },
        secrets: [{ key: 'K', value: 'v' }],
      },
    });
  });

  it('of a tool that may run twice is repeated while the worker says that it can be', async () => {
    worker.scripted.push(failing(), failing());
    assert.equal((await returned(callOf(safe, { args: { text: 'x' } }))).output.value, 'x');
    assert.equal(worker.invoked.length, 3);
    worker.scripted.push(failing(), failing(), failing());
    assert.equal((await returned(callOf(safe))).isError, true);
    assert.equal(worker.invoked.length, 6);
  });

  it('of any other tool is never repeated, nor before the time that the worker asks for', async () => {
    worker.scripted.push(failing());
    assert.equal((await returned(callOf('Echo'))).output.error?.can_retry, true);
    worker.scripted.push(failing({ retry_after_ms: 1500 }));
    assert.equal((await returned(callOf(safe))).output.error?.retry_after_ms, 1500);
    assert.equal(worker.invoked.length, 2);
  });

  it('to a tool that the worker does not know fails, is told so, and is not repeated', async () => {
    for (const body of ['Internal Server Error', { error: "Tool 'Kit.Nope' not found" }]) {
      const python = typeof body === 'string';
      worker.scripted.push({
        status: python ? 500 : 404,
        type: python ? 'text/plain' : 'application/json',
        body,
      });
      const { code, message } = await failure(callOf(toolNamed('Nope', { metadata: safe.metadata })));
      assert.equal(code, 'source.tool_failed');
      assert.match(message, /does not know the tool Kit\.Nope@1\.2\.3/);
    }
    assert.equal(worker.invoked.length, 2);
  });

  it('answered by something between us and the worker is an invalid answer', async () => {
    const odd = [
      { status: 500, type: 'text/html', body: '<html>' },
      { status: 404, type: 'text/html', body: '<html>' },
      { status: 503, body: 'x' },
      { status: 302, body: '' },
      { status: 200, body: '{"success":' },
    ];
    for (const answer of odd) {
      worker.scripted.push(answer);
      assert.equal((await failure(callOf('Echo'))).code, 'source.answer_invalid', JSON.stringify(answer));
    }
  });

  it('of a worker whose secret differs says what to compare', async () => {
    worker.scripted.push({ status: 403, body: { detail: 'Not authenticated' } });
    assert.match((await failure(callOf('Echo'))).message, /secret .*differ/);
  });

  it('of a tool with a time-out of its own may take that long', async () => {
    const clock = manualClock();
    const slow = createEgress({ allow: [], clock });
    const given = { timeoutMs: 10_000, toolTimeoutsMs: { Echo: 60_000 } };
    const source = sourceOf({ kind: 'worker', uri: worker.origin, secret, ...given });
    const opened = workerKind.open(source, { egress: slow, clock, log: silentLog }, unheard);
    assert.ok(opened.ok);
    worker.mood = 'hang';
    let done = false;
    const calling = opened.value.call(callOf('Echo')).finally(() => {
      done = true;
    });
    while (worker.invoked.length === 0) await setImmediate();
    clock.advance(59_000);
    await setImmediate();
    assert.equal(done, false);
    clock.advance(2000);
    const result = await calling;
    assert.equal(result.ok ? '' : result.error.code, 'source.timeout');
    worker.mood = 'well';
    opened.value.close();
    slow.close();
  });
});

describe('the token of a request', () => {
  const given = { success: true, output: { value: 'x', logs: null, error: null } };

  it('is good for that request alone, below whatever path the worker lives, and made anew to send it again', async () => {
    const arrived: { claims: Record<string, unknown>; digest: string }[] = [];
    let cuts = 1;
    const server = await startServer((request, response, body) => {
      const [, claims = ''] = request.headers.authorization?.split('.') ?? [];
      const path = request.url?.replace('/at/some/path', '');
      const digest = createHash('sha256').update(`${request.method} ${path}\n${body}`).digest('base64url');
      arrived.push({ claims: JSON.parse(Buffer.from(claims, 'base64url').toString()), digest });
      if (cuts-- > 0) response.destroy();
      else answerJson(response, 200, request.method === 'GET' ? [definitionOf('Echo')] : given);
    });
    const egress = createEgress({ allow: [] });
    const uri = `${server.origin}/at/some/path/?zone=a`;
    const opened = workerKind.open(
      sourceOf({ kind: 'worker', uri, secret }),
      { egress, clock: systemClock, log: silentLog },
      unheard,
    );
    assert.ok(opened.ok);
    assert.ok((await opened.value.inspect()).ok);
    for (const text of ['hé', 'hé'])
      assert.ok((await opened.value.call(callOf('Echo', { args: { text } }))).ok);
    egress.close();
    await server.stop();
    assert.equal(arrived.length, 4);
    for (const { claims, digest } of arrived) assert.equal(claims.digest, `sha-256=${digest}`);
    assert.equal(new Set(arrived.map(({ claims }) => claims.jti)).size, 4);
  });
});

describe('the list of a worker', () => {
  it('says where a worker is missing, as one without a secret does not serve its routes', async () => {
    const egress = createEgress({ allow: [] });
    const worker = await startWorker(secret);
    worker.tools = [definitionOf('Echo')];
    const source = sourceOf({ kind: 'worker', uri: `${worker.origin}/elsewhere`, secret });
    const opened = workerKind.open(source, { egress, clock: systemClock, log: silentLog }, unheard);
    assert.ok(opened.ok);
    const found = await opened.value.inspect();
    assert.match(found.ok ? '' : found.error.message, /ARCADE_WORKER_SECRET/);
    egress.close();
    await worker.stop();
  });
});
