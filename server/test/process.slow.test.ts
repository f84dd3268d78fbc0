import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { temporaryDirectory } from './database.ts';
import { failedStart, startProcess, type TestProcess } from './start-process.ts';

const auth = { authorization: 'Bearer sp_the_key_of_this_test', 'arcade-user-id': 'alice' };

/** A worker whose one tool answers when it is told to. */
async function startPatientWorker() {
  const waiting: ServerResponse[] = [];
  let arrived = () => {};
  let calls = 0;
  let atOnce = false;
  const answerAll = () => {
    const output = { value: 'done' };
    const finished = { execution_id: 'x', finished_at: '2026-01-01T00:00:00', duration: 1 };
    const body = JSON.stringify({ ...finished, success: true, output });
    for (const response of waiting.splice(0)) response.end(body);
  };
  const definition = {
    name: 'Wait',
    toolkit: { name: 'Patient', version: '1.0.0' },
    input: { parameters: [] },
  };
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.setHeader('content-type', 'application/json');
      if (request.url !== '/worker/tools/invoke') {
        response.end(JSON.stringify([definition]));
        return;
      }
      calls++;
      waiting.push(response);
      if (atOnce) answerAll();
      arrived();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: () => calls,
    nextCall: () =>
      new Promise<void>((resolve) => {
        arrived = resolve;
      }),
    answerAll,
    answerAtOnce(on: boolean) {
      atOnce = on;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const config = (uri: string, slug = 'g') =>
  `workers: [{ id: patient, http: { uri: "${uri}", secret: "${'s'.repeat(32)}" } }]\ngateways: [{ name: G, slug: ${slug} }]\n`;

async function callTool(url: string, id: number, slug = 'g'): Promise<Response> {
  return await fetch(`${url}/mcp/${slug}`, {
    method: 'POST',
    headers: { ...auth, 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'Patient_Wait' } }),
  });
}

async function until<T>(ask: () => Promise<T | null>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
  }
}

describe('the process', () => {
  let dir: string;
  let worker: Awaited<ReturnType<typeof startPatientWorker>>;
  const running: TestProcess[] = [];

  before(async () => {
    worker = await startPatientWorker();
  });
  beforeEach(() => {
    dir = temporaryDirectory();
  });
  after(() => {
    worker.close();
    for (const { child } of running) if (child.exitCode === null) child.kill('SIGKILL');
  });

  async function start(env: Record<string, string> = {}): Promise<TestProcess> {
    const started = await startProcess(env, dir);
    running.push(started);
    return started;
  }
  const listedTools = async (url: string) => {
    const answer = await fetch(`${url}/v1/tools`, { headers: auth });
    return ((await answer.json()) as { total_count: number }).total_count;
  };
  const toolsListed = (url: string) => until(async () => ((await listedTools(url)) === 1 ? true : null));

  test('SIGTERM lets the call under way finish, records it, and exits 0', async () => {
    writeFileSync(join(dir, 'sallyport.yaml'), config(worker.uri));
    const server = await start();
    await toolsListed(server.url);
    const arrived = worker.nextCall();
    const answer = callTool(server.url, 1);
    await arrived;
    const stopped = server.stop('SIGTERM');
    await until(async () =>
      fetch(`${server.url}/healthz`).then(
        () => null,
        () => true,
      ),
    );
    worker.answerAll();
    const body = (await (await answer).json()) as { result: { structuredContent: unknown } };
    assert.deepEqual(body.result.structuredContent, { result: 'done' });
    assert.equal(await stopped, 0);
    const again = await start();
    const events = await fetch(`${again.url}/v1/audit_events?kind=tool_call`, { headers: auth });
    assert.equal(((await events.json()) as { total_count: number }).total_count, 1);
    assert.equal(await again.stop('SIGTERM'), 0);
    rmSync(dir, { recursive: true });
  });

  test('two signals of one Ctrl+C, from the terminal and from npm, let the call under way finish', async () => {
    writeFileSync(join(dir, 'sallyport.yaml'), config(worker.uri));
    const server = await start();
    await toolsListed(server.url);
    const arrived = worker.nextCall();
    const answer = callTool(server.url, 1);
    await arrived;
    const stopped = server.stop('SIGINT');
    // Another one, as two of the same may arrive as one.
    server.child.kill('SIGTERM');
    await until(async () => (server.stdout().includes('"msg":"stopping') ? true : setImmediate(null)));
    worker.answerAll();
    assert.equal((await answer).status, 200);
    assert.equal(await stopped, 0);
    rmSync(dir, { recursive: true });
  });

  test('kill -9 loses no answered call and doubles none', async () => {
    writeFileSync(join(dir, 'sallyport.yaml'), config(worker.uri));
    const server = await start();
    await toolsListed(server.url);
    let answered = 0;
    const before = worker.calls();
    worker.answerAtOnce(true);
    const loop = async () => {
      while (server.child.signalCode === null) {
        const body = await callTool(server.url, 1)
          .then((answer) => answer.json())
          .catch(() => null);
        if (body === null) return;
        if (++answered === 200) server.child.kill('SIGKILL');
      }
    };
    await Promise.all(Array.from({ length: 8 }, loop));
    worker.answerAtOnce(false);
    assert.ok(answered >= 200);
    const again = await start();
    const events = await fetch(`${again.url}/v1/audit_events?kind=tool_call&limit=1000`, { headers: auth });
    const { items } = (await events.json()) as { items: { execution_id: string; decision: string }[] };
    assert.equal(
      new Set(items.map(({ execution_id }) => execution_id)).size,
      items.length,
      'none is doubled',
    );
    assert.ok(items.length >= answered, `${items.length} records for ${answered} answers`);
    assert.ok(items.length <= worker.calls() - before, 'no record without a call');
    assert.equal(await again.stop('SIGTERM'), 0);
    rmSync(dir, { recursive: true });
  });

  test('a second process on the same data directory is refused, with words', async () => {
    const server = await start();
    const second = await failedStart({}, dir);
    assert.equal(second.code, 1);
    assert.match(second.stderr, /\.sallyport is in use by process \d+.*SALLYPORT_DATA_DIR/);
    assert.doesNotMatch(second.stderr, /\n\s+at /);
    assert.equal(await server.stop('SIGTERM'), 0);
    rmSync(dir, { recursive: true });
  });

  test('the file is applied again when it changes, and a mistake in it changes nothing', async () => {
    const path = join(dir, 'sallyport.yaml');
    writeFileSync(path, config(worker.uri, 'before'));
    const server = await start();
    const status = async (slug: string) => {
      const answer = await fetch(`${server.url}/mcp/${slug}`, {
        method: 'POST',
        headers: { ...auth, 'content-type': 'application/json' },
        body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
      });
      await answer.body?.cancel();
      return answer.status;
    };
    assert.deepEqual([await status('before'), await status('after')], [200, 404]);
    writeFileSync(path, config(worker.uri, 'after'));
    await until(async () => ((await status('after')) === 200 ? true : null));
    assert.equal(await status('before'), 404);
    writeFileSync(path, 'gateways: [{ name: 7 }]');
    const checks = await until(async () => {
      const { checks } = (await (await fetch(`${server.url}/readyz`)).json()) as {
        checks: { config: { ok: boolean; mistakes: string[] } };
      };
      return checks.config.ok ? null : checks;
    });
    assert.match(checks.config.mistakes[0] ?? '', /gateways\[0\]\.name/);
    assert.equal(await status('after'), 200);
    assert.equal(await server.stop('SIGTERM'), 0);
    rmSync(dir, { recursive: true });
  });

  test('the first start without a file shows the demo, and its key and command work', async () => {
    const server = await start({ SALLYPORT_DEMO: 'on', SALLYPORT_ADMIN_KEY: '' });
    const printed = server.stdout();
    const key = /sp_[A-Za-z0-9_-]{43}/.exec(printed)?.[0] as string;
    const gateway = /gateway +(http:\S+)/.exec(printed)?.[1] as string;
    assert.match(printed, /claude mcp add --transport http demo/);
    const ready = await fetch(`${server.url}/readyz`);
    assert.equal(ready.status, 200);
    const answer = await fetch(gateway, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        'arcade-user-id': 'you@example.com',
        'content-type': 'application/json',
      },
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ArcadeEvalRef_Whoami"}}',
    });
    const { result } = (await answer.json()) as { result: { structuredContent: unknown } };
    assert.deepEqual(result.structuredContent, { result: 'you@example.com' });
    assert.equal(await server.stop('SIGTERM'), 0);
    const again = await start({ SALLYPORT_DEMO: 'on', SALLYPORT_ADMIN_KEY: '' });
    assert.equal(again.stdout().includes(key), false, 'the key is shown once');
    assert.match(again.stdout(), /mcp\/demo/);
    assert.equal(await again.stop('SIGTERM'), 0);
    rmSync(dir, { recursive: true });
  });

  test('a first start that fails makes no key; the next one shows it, and later ones say where it is from', async () => {
    const taken = createServer();
    taken.listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const port = String((taken.address() as AddressInfo).port);
    const failed = await failedStart({ SALLYPORT_ADMIN_KEY: '', SALLYPORT_PORT: port }, dir);
    taken.close();
    assert.equal(failed.code, 1);
    assert.match(failed.stderr, /cannot listen on 127\.0\.0\.1:\d+: another process .* SALLYPORT_PORT/);

    const server = await start({ SALLYPORT_ADMIN_KEY: '' });
    const key = /API key {3}(sp_\S+)/.exec(server.stdout())?.[1];
    const tools = await fetch(`${server.url}/v1/tools`, { headers: { authorization: `Bearer ${key}` } });
    assert.equal(tools.status, 200);
    await server.stop('SIGTERM');

    const again = await start({ SALLYPORT_ADMIN_KEY: '' });
    assert.match(again.stdout(), /API key {3}the one of the first start; SALLYPORT_ADMIN_KEY=/);
    await again.stop('SIGTERM');
    rmSync(dir, { recursive: true });
  });
});
