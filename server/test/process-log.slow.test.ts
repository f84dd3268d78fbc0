import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from './database.ts';
import { type Json, startReferenceServer, type TestWorker, toolCall } from './start-app.ts';
import { failedStart, startProcess, type TestProcess } from './start-process.ts';

const secret = 's'.repeat(32);
const key = 'sp_the_key_of_this_test';
const user = 'ann.of.accounting@example.com';

let worker: TestWorker;
let directory: string;
let server: TestProcess | null = null;

before(async () => {
  worker = await startReferenceServer(secret);
});
after(() => worker?.stop());
beforeEach(() => {
  directory = temporaryDirectory();
  writeFileSync(
    join(directory, 'sallyport.yaml'),
    `workers: [{ id: reference, http: { uri: "${worker.uri}", secret: "${secret}" } }]\ngateways: [{ slug: g }]\n`,
  );
});
afterEach(async () => {
  if (server?.child.exitCode === null && server.child.signalCode === null) await server.stop('SIGKILL');
  server = null;
  rmSync(directory, { recursive: true, force: true });
});

async function start(env: Record<string, string> = {}): Promise<TestProcess> {
  server = await startProcess(env, directory);
  await toolsAreThere(server.url);
  return server;
}

async function toolsAreThere(url: string): Promise<void> {
  for (;;) {
    const answer = await fetch(`${url}/v1/tools`, { headers: { authorization: `Bearer ${key}` } });
    if (((await answer.json()) as Json).total_count > 0) return;
  }
}

async function call(
  url: string,
  name: string,
  args: object = {},
  headers: Record<string, string> = {},
): Promise<Json> {
  const answer = await fetch(`${url}/mcp/g`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'arcade-user-id': user,
      'content-type': 'application/json',
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', ...toolCall(name, args) }),
  });
  return answer.json();
}

describe('the log of the server', () => {
  it('has one line for each call, of what its record says, and nothing that a user wrote', async () => {
    const { url, logged, stdout, stop } = await start();
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const echoed = await call(url, 'ArcadeEvalRef_Echo', { text: 'PAYLOAD' }, { traceparent });
    assert.match(JSON.stringify(echoed), /PAYLOAD/);
    await call(url, 'Ann_Wants\u001b[2J"This"\n', { text: 'PAYLOAD' });
    const events = await fetch(`${url}/v1/audit_events?kind=tool_call`, {
      headers: { authorization: `Bearer ${key}` },
    });
    const [refused, allowed] = ((await events.json()) as Json).items;
    assert.equal(await stop('SIGTERM'), 0);
    const lines = logged().filter(({ msg }) => msg === 'tool call');
    const common = {
      level: 30,
      kind: 'tool_call',
      project: 'default',
      gateway: 'g',
      principal: allowed.principal,
      msg: 'tool call',
    };
    assert.deepEqual(
      lines.map(({ time, ...line }) => line),
      [
        {
          ...common,
          decision: 'allowed',
          source: 'reference',
          tool: 'ArcadeEvalRef.Echo',
          execution_id: allowed.execution_id,
          trace_id: allowed.trace_id,
          duration_ms: allowed.duration_ms,
        },
        {
          ...common,
          decision: 'refused',
          code: 'catalog.tool_unknown',
          execution_id: refused.execution_id,
          trace_id: refused.trace_id,
          duration_ms: refused.duration_ms,
        },
      ],
    );
    for (const unsaid of ['PAYLOAD', user, 'Ann_Wants', key]) assert.ok(!stdout().includes(unsaid), unsaid);
  });

  it('says nothing of calls above info, and all that it says is there when it ends', async () => {
    const quiet = await start({ SALLYPORT_LOG_LEVEL: 'warn' });
    await call(quiet.url, 'ArcadeEvalRef_Whoami');
    assert.equal(await quiet.stop('SIGTERM'), 0);
    assert.deepEqual(quiet.logged(), []);
    const { url, logged, stop } = await start();
    for (let n = 0; n < 500; n++) await call(url, 'No_Such');
    const stopped = stop('SIGTERM');
    assert.equal(await stopped, 0);
    assert.equal(logged().filter(({ code }) => code === 'catalog.tool_unknown').length, 500);
    assert.equal(logged().at(-1)?.msg, 'stopping: calls under way are finished first');
  });

  it('has every line whole, and each once, where several processes write it', async () => {
    const { url, logged, stdout, stop } = await start({ SALLYPORT_PROCESSES: '2' });
    while (!stdout().includes('a lane serves')) await new Promise(setImmediate);
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        for (let n = 0; n < 40; n++) await call(url, 'ArcadeEvalRef_Whoami');
      }),
    );
    const status = await fetch(`${url}/v1/status`, { headers: { authorization: `Bearer ${key}` } });
    const { traffic, installation } = (await status.json()) as Json;
    assert.deepEqual([traffic.allowed, installation.processes], [640, { wanted: 2, serving: 2 }]);
    assert.equal(await stop('SIGTERM'), 0);
    const calls = logged().filter(({ msg }) => msg === 'tool call');
    assert.equal(new Set(calls.map(({ execution_id }) => execution_id)).size, 640);
    assert.equal(calls.length, 640);
    assert.deepEqual([...new Set(calls.map((line) => line.process))].sort(), ['lane-1', undefined]);
  });

  it('is for people where that is asked for', async () => {
    const { url, stdout, stop } = await start({ SALLYPORT_LOG_FORMAT: 'pretty' });
    await call(url, 'No_Such');
    await stop('SIGTERM');
    assert.match(stdout(), /\[\d\d:\d\d:\d\d\.\d{3}\] .*INFO.*tool call.*"code":"catalog\.tool_unknown"/);
    assert.match(stdout(), /^Sallyport \S+ is ready on http/m);
  });

  it('has the mistake that ended the server, and everything before it', async () => {
    const onSignal = 'process.on(%22SIGUSR2%22,()=>{throw%20new%20Error(%22boom%22)})';
    const { url, logged, stderr, stop } = await start({
      NODE_OPTIONS: `--import=data:text/javascript,${onSignal}`,
    });
    for (let n = 0; n < 100; n++) await call(url, 'No_Such');
    assert.equal(await stop('SIGUSR2'), 1);
    assert.equal(logged().filter(({ code }) => code === 'catalog.tool_unknown').length, 100);
    const last = logged().at(-1);
    assert.deepEqual([last?.level, last?.msg], [50, 'a mistake of our own ends the server']);
    assert.match(JSON.stringify(last?.err), /"message":"boom"/);
    assert.match(stderr(), /Error: boom/);
  });

  it('a start that fails says why on stderr', async () => {
    writeFileSync(join(directory, 'sallyport.yaml'), 'gateways: 7');
    const { code, stderr } = await failedStart({}, directory);
    assert.equal(code, 1);
    assert.match(stderr, /^sallyport: the config file has a mistake/);
  });
});

describe('a stdout that is no good', () => {
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

  /** With a stdout of which as much is read as it takes to know the address. */
  async function startUnread(after: 'closed' | 'full') {
    const env = {
      SALLYPORT_PORT: '0',
      SALLYPORT_ADMIN_KEY: key,
      SALLYPORT_DATA_DIR: join(directory, 'data'),
    };
    const child = spawn(process.execPath, [main], { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'], env });
    let said = '';
    let complaints = '';
    child.stderr.on('data', (chunk: Buffer) => {
      complaints += chunk.toString();
    });
    const url = await new Promise<string>((resolve) => {
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        const found = /is ready on (http\S+)/.exec(said)?.[1];
        if (found !== undefined) resolve(found);
      });
    });
    if (after === 'closed') child.stdout.destroy();
    else child.stdout.pause();
    return { child, url, complaints: () => complaints };
  }

  for (const state of ['closed', 'full'] as const) {
    it(`stops nothing where it is ${state}: calls are served, and it ends when it is told to`, async () => {
      const { child, url, complaints } = await startUnread(state);
      try {
        await toolsAreThere(url);
        // No pipe holds what is said of these.
        const before = Array.from({ length: 8 }, async () => {
          for (let n = 0; n < 250; n++) await call(url, 'No_Such');
        });
        await Promise.all(before);
        const answer = await call(url, 'ArcadeEvalRef_Whoami');
        assert.match(JSON.stringify(answer.result), /ann\.of\.accounting/);
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        assert.deepEqual(await ended, [0, null]);
        assert.equal(complaints(), '');
      } finally {
        if (child.exitCode === null && child.signalCode === null) {
          child.kill('SIGKILL');
          await once(child, 'exit');
        }
      }
    });
  }
});
