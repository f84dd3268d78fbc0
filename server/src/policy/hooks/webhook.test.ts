import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { after, afterEach, before, describe, it } from 'node:test';
import { createCertificate } from '../../../test/certificate.ts';
import { type HookServer, startHookServer } from '../../../test/hook-server.ts';
import { callOf, startHooked, toolOf, webhook } from './fixtures/hooked.ts';

let hooked: Awaited<ReturnType<typeof startHooked>>;
const servers: HookServer[] = [];
before(async () => {
  hooked = await startHooked();
});
afterEach(async () => {
  await hooked.clear();
  for (const server of servers.splice(0)) await server.close();
});
after(() => hooked?.close());

async function newServer(options: Parameters<typeof startHookServer>[0] = {}): Promise<HookServer> {
  const server = await startHookServer(options);
  servers.push(server);
  return server;
}

const tool = toolOf('A.One');
const ask = () => hooked.asking.pre(callOf(tool));
async function refusalOf() {
  const answer = await ask();
  assert.ok(!answer.ok, 'it passed');
  return answer.error;
}

type Misbehaviour = (request: IncomingMessage, response: ServerResponse) => void;
const json = { 'content-type': 'application/json' };
const misbehaviours: readonly [string, Misbehaviour, RegExp][] = [
  ['hangs', () => {}, /in time \(100 ms\)/],
  [
    'drips',
    (_, response) => {
      response.writeHead(200, json).write('{"code":');
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    },
    /in time \(100 ms\)/,
  ],
  ['hangs up', (request) => request.socket.destroy(), /./],
  [
    'answers 2 MB',
    (_, response) => response.writeHead(200, json).end(`{"code":"OK","x":"${'x'.repeat(2_000_000)}"}`),
    /large|1048576/,
  ],
  ['redirects', (_, response) => response.writeHead(307, { location: '/elsewhere' }).end(), /HTTP 307/],
  [
    'answers with a web page',
    (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('{"code":"OK"}'),
    /not called JSON/,
  ],
  ['answers with no JSON', (_, response) => response.writeHead(200, json).end('{"code":'), /no JSON/],
  [
    'answers with bytes that are no text',
    (_, response) => response.writeHead(200, json).end(Buffer.from([0x22, 0xff, 0x22])),
    /no JSON/,
  ],
  ['answers with nothing', (_, response) => response.writeHead(204).end(), /no JSON/],
  [
    'lies about the shape',
    (_, response) => response.writeHead(200, json).end('{"code":"OK","override":{"inputs":[1]}}'),
    /contract, in override\.inputs/,
  ],
  [
    'makes up a code',
    (_, response) => response.writeHead(200, json).end('{"code":"YES"}'),
    /contract, in code/,
  ],
  [
    'nests deep',
    (_, response) =>
      response
        .writeHead(200, json)
        .end(`{"code":"OK","override":{"inputs":{"a":${'['.repeat(9000)}${']'.repeat(9000)}}}}`),
    /nested too deep/,
  ],
  [
    'is not allowed to speak',
    (_, response) => response.writeHead(401, json).end('{"error":"no"}'),
    /HTTP 401/,
  ],
];

describe('a hook server that misbehaves', () => {
  for (const [what, misbehave, reason] of misbehaviours) {
    it(`is contained where it ${what}: the failure mode decides`, async () => {
      const server = await newServer();
      server.misbehave = misbehave;
      const timeout_ms = what === 'hangs' || what === 'drips' ? 100 : 30_000;
      const id = await hooked.add(webhook(server.url, { pre: { timeout_ms } }));
      const refused = await refusalOf();
      assert.equal(refused.code, 'policy.hook_failed');
      assert.match(refused.reason ?? '', reason);
      assert.doesNotMatch(refused.message, /127\.0\.0\.1/);
      assert.equal(refused.traces[0]?.code, 'failed');
      await hooked.plugins.update({ projectId: 'p', by: 'key_1' }, id, {
        webhook_config: { endpoints: { pre: { failure_mode: 'fail_open' } } },
      });
      const answer = await ask();
      assert.ok(answer.ok);
      assert.equal(answer.value.args, null);
      assert.equal(
        server.asked.some(({ path }) => path !== '/pre'),
        false,
      );
    });
  }

  it('is asked for no longer than the hook says, whatever its endpoint says', async () => {
    const server = await newServer();
    server.misbehave = () => {};
    await hooked.add(webhook(server.url, { pre: { timeout_ms: 60_000 } }));
    const [hook] = hooked.hooks.list('p');
    await hooked.hooks.update('p', hook?.id ?? '', { timeout_ms: 100 });
    assert.match((await refusalOf()).reason ?? '', /100 ms/);
  });

  it('is let go where the call is cancelled, which passes nowhere', async () => {
    const server = await newServer();
    await hooked.add(webhook(server.url, { pre: { failure_mode: 'fail_open' } }));
    const cancel = new AbortController();
    server.misbehave = () => cancel.abort();
    const answer = await hooked.asking.pre(callOf(tool, {}, { signal: cancel.signal }));
    assert.equal(answer.ok, false);
  });

  it('that is not there, or inside where it may not be, is a failure', async () => {
    await hooked.add(webhook('http://127.0.0.1:1', { pre: {} }));
    assert.match((await refusalOf()).reason ?? '', /could not be reached/);
    await hooked.clear();
    await hooked.add(webhook('http://10.0.0.1:1', { pre: {} }));
    assert.match((await refusalOf()).reason ?? '', /10\.0\.0\.1/);
  });
});

describe('asking again', () => {
  const failing = (status: number, times: number): Misbehaviour => {
    let left = times;
    return (_, response) =>
      left-- > 0 ? response.writeHead(status).end() : response.writeHead(200, json).end('{"code":"OK"}');
  };

  it('is not done unless it is laid down', async () => {
    const server = await newServer();
    server.misbehave = failing(500, 1);
    await hooked.add(webhook(server.url, { pre: {} }));
    assert.equal((await ask()).ok, false);
    assert.equal(server.asked.length, 1);
  });

  it('waits longer each time where the backoff is exponential, and as long where it is fixed', async () => {
    for (const [backoff, waits] of [
      ['exponential', [10, 20, 40]],
      ['fixed', [10, 10, 10]],
    ] as const) {
      const server = await newServer();
      server.misbehave = failing(503, 3);
      await hooked.add(
        webhook(server.url, { pre: {} }, { retry: { max_attempts: 4, base_delay_ms: 10, backoff } }),
      );
      assert.equal((await ask()).ok, true);
      assert.deepEqual(hooked.waits, waits);
      await hooked.clear();
    }
  });

  it('ends after as many attempts as there may be', async () => {
    const server = await newServer();
    server.misbehave = failing(500, 9);
    await hooked.add(webhook(server.url, { pre: {} }, { retry: { max_attempts: 2 } }));
    assert.equal((await ask()).ok, false);
    assert.equal(server.asked.length, 2);
  });

  it('is never done after a 4xx or an answer against the contract, nor for what is not named', async () => {
    for (const [retry_on, misbehave] of [
      [undefined, failing(429, 1)],
      [undefined, ((_, response) => response.writeHead(200, json).end('{}')) as Misbehaviour],
      [['timeout'], failing(500, 1)],
      [['502'], failing(500, 1)],
    ] as const) {
      const server = await newServer();
      server.misbehave = misbehave;
      const retry = { max_attempts: 3, ...(retry_on === undefined ? {} : { retry_on: [...retry_on] }) };
      await hooked.add(webhook(server.url, { pre: {} }, { retry }));
      assert.equal((await ask()).ok, false);
      assert.equal(server.asked.length, 1);
      await hooked.clear();
    }
  });
});

describe('who we are', () => {
  it('is said by a bearer token', async () => {
    const server = await newServer({ token: 't0ken' });
    await hooked.add(webhook(server.url, { pre: {} }));
    assert.match((await refusalOf()).reason ?? '', /HTTP 401/);
    await hooked.clear();
    const request = webhook(server.url, { pre: {} });
    const config = {
      ...request.webhook_config,
      endpoints: request.webhook_config?.endpoints ?? {},
      auth: { token: 't0ken' },
    };
    await hooked.add({ ...request, webhook_config: config });
    assert.equal((await ask()).ok, true);
  });

  it('is shown by a certificate, to a server that shows the one expected of it', async () => {
    const [ours, theirs] = [createCertificate('gateway.test'), createCertificate('127.0.0.1')];
    const server = await newServer({
      tls: { ...theirs, ca: ours.cert, requestCert: true, rejectUnauthorized: true },
    });
    const request = webhook(server.url, { pre: {} });
    const endpoints = request.webhook_config?.endpoints ?? {};
    const auth = { client_cert: ours.cert, client_key: ours.key, ca_cert: theirs.cert };
    await hooked.add({ ...request, webhook_config: { endpoints, auth } });
    const answer = await ask();
    assert.ok(answer.ok, answer.ok ? '' : answer.error.reason);
    await hooked.clear();
    await hooked.add({ ...request, webhook_config: { endpoints, auth: { ca_cert: theirs.cert } } });
    assert.equal((await ask()).ok, false);
  });
});

describe('health', () => {
  const health = (id: string) => hooked.plugins.health(id);
  async function settled(id: string, expected: string): Promise<void> {
    while (health(id) !== expected) await new Promise((resolve) => setImmediate(resolve));
  }

  it('is asked for at once and every minute, and decides nothing', async () => {
    const server = await newServer();
    const id = await hooked.add(webhook(server.url, { pre: {} }));
    await settled(id, 'healthy');
    for (const [status, body, expected] of [
      [503, { status: 'degraded' }, 'degraded'],
      [503, {}, 'unhealthy'],
      [200, {}, 'healthy'],
      [500, { status: 'healthy' }, 'unhealthy'],
      [200, { status: 'degraded' }, 'degraded'],
      [200, { status: 'splendid' }, 'unhealthy'],
    ] as const) {
      server.health = { status, body };
      hooked.clock.advance(60_000);
      await settled(id, expected);
      assert.equal((await ask()).ok, true);
    }
  });

  it('of an inactive plugin is unknown, and it is not asked', async () => {
    const server = await newServer();
    const id = await hooked.add(webhook(server.url, { pre: {} }, { status: 'inactive' }));
    hooked.clock.advance(60_000);
    assert.equal(health(id), 'unknown');
    assert.equal(server.healthChecks, 0);
  });
});
