import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { temporaryDirectory } from './database.ts';
import { type Json, messageOf, startApp, type TestApp, toolCall } from './start-app.ts';
import { startProcess, type TestProcess } from './start-process.ts';

const script = join(import.meta.dirname, '../src/sources/fixtures/stdio-server.ts');
const secret = 'the-key-that-the-process-gets';
const adminKey = 'sp_the_key_of_this_test';

const configOf = (mood: string, remark: string) =>
  JSON.stringify({
    workers: [
      {
        id: 'files',
        mcp: {
          stdio: {
            command: process.execPath,
            args: [script, mood, remark],
            env: { KEY: { fromEnv: 'FILES_KEY' } },
          },
          timeout: 20,
        },
      },
    ],
    gateways: [{ slug: 'all', naming: 'source' }],
  });

/** Whether the process runs; one that ended and waits for its parent to hear of it does not. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await setTimeout(10);
}

describe('a gateway before a server that it starts itself', () => {
  const stops: (() => unknown)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  async function start(mood: string): Promise<TestProcess & { call(name: string): Promise<string> }> {
    const dataDir = temporaryDirectory();
    stops.push(() => rmSync(dataDir, { recursive: true, force: true }));
    writeFileSync(join(dataDir, 'sallyport.yaml'), configOf(mood, `I have ${secret}`));
    const env = {
      SALLYPORT_DATA_DIR: dataDir,
      FILES_KEY: secret,
      SALLYPORT_LOG_LEVEL: 'debug',
      HOME: dataDir,
    };
    const started = await startProcess(env, dataDir);
    stops.push(async () => {
      const { child, stop } = started;
      if (child.exitCode === null && child.signalCode === null) await stop('SIGKILL');
    });
    const ask = (message: object) =>
      fetch(`${started.url}/mcp/all`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${adminKey}`,
          'arcade-user-id': 'alice',
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
        },
        body: JSON.stringify({ jsonrpc: '2.0', ...message }),
      });
    const listed = async () => {
      const { result } = await messageOf(await ask({ id: 1, method: 'tools/list' }));
      return (result?.tools ?? []).some(({ name }: Json) => name === 'Pids');
    };
    await until(listed);
    return {
      ...started,
      async call(name) {
        const { result, error } = await messageOf(await ask(toolCall(name)));
        assert.equal(error, undefined);
        return result.content[0].text;
      },
    };
  }

  it('calls its tools, and gives it what is declared for it and nothing else', async () => {
    const { call, stdout } = await start('well');
    const given = JSON.parse(await call('Environment'));
    assert.equal(given.KEY, secret);
    assert.deepEqual(Object.keys(given).sort(), ['HOME', 'KEY']);
    await until(() => stdout().includes('stderr of a source: I have [redacted]'));
    assert.ok(!stdout().includes(secret));
  });

  for (const [signal, how] of [
    ['SIGKILL', 'killed'],
    ['SIGTERM', 'stopped'],
  ] as const) {
    it(`takes it, and what that started, with it when it is ${how}`, async () => {
      const { call, stop } = await start('stubborn');
      const pids = JSON.parse(await call('Pids')) as number[];
      assert.equal(pids.length, 2);
      assert.ok(pids.every(runs));
      await stop(signal);
      await until(() => !pids.some(runs));
    });
  }
});

describe('the API, of a server that the gateway starts itself', () => {
  let app: TestApp;
  const stdio = { command: process.execPath, args: [script] };

  it('shows it without what its environment holds, and starts none itself', async () => {
    const config = { workers: [{ id: 'files', mcp: { stdio: { ...stdio, env: { KEY: secret } } } }] };
    app = await startApp(JSON.stringify(config));
    try {
      const shown = await (await app.api('GET', '/v1/workers/files')).text();
      assert.equal((JSON.parse(shown) as Json).mcp.uri, `stdio:${process.execPath}`);
      assert.ok(!shown.includes(secret));
      for (const [method, path, body] of [
        ['POST', '/v1/workers', { id: 'mine', mcp: { stdio } }],
        ['POST', '/v1/workers', { id: 'mine', mcp: { uri: 'http://example.com', stdio } }],
        ['POST', '/v1/workers/test', { mcp: { uri: 'http://example.com', stdio } }],
        ['PATCH', '/v1/workers/files', { mcp: { stdio } }],
      ] as const) {
        const refused = await app.api(method, path, body);
        assert.equal(refused.status, 400);
        assert.match(await refused.text(), /"message":"mcp\.stdio: belongs in the config file/);
      }
    } finally {
      await app.close();
    }
  });
});
