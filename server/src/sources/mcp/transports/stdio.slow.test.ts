import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setImmediate, setTimeout } from 'node:timers/promises';
import type { StdioCommand } from '#domain';
import type { EgressFailure } from '#egress';
import { type Clock, manualClock, type Result } from '#foundation';
import type { Log } from '#telemetry';
import { sourceOf } from '../../fixtures/dispatched-call.ts';
import { nextId, type Reply } from './exchange.ts';
import { createStdio } from './stdio.ts';
import type { Line, Transport } from './transport.ts';

const script = join(import.meta.dirname, '../../fixtures/stdio-server.ts');
const secret = 'the-key-of-this-server';

/** Whether the process runs; one that ended and waits for its parent to hear of it does not. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await setTimeout(5);
}

describe('an MCP server in a process of ours', () => {
  const transports: Transport[] = [];
  let logged: { level: string; text: string; source: unknown }[] = [];
  let clock: ReturnType<typeof manualClock>;

  /** What is said late, by processes of an earlier test, stays with that test. */
  function logInto(all: typeof logged): Log {
    const write = (level: string) => (fields: object, text: string) =>
      all.push({ level, text, source: (fields as { source?: unknown }).source });
    const log: Log = {
      debug: write('debug'),
      info: write('info'),
      each: write('info'),
      warn: write('warn'),
      error: write('error'),
      child: () => log,
    };
    return log;
  }

  beforeEach(() => {
    logged = [];
    clock = manualClock();
  });
  afterEach(() => {
    for (const transport of transports.splice(0)) transport.close();
    clock.advance(10_000);
  });

  function transportTo(
    mood: string | Partial<StdioCommand>,
    given: Partial<StdioCommand> = {},
    by: Clock = clock,
  ) {
    const started = {
      command: process.execPath,
      args: [script, ...(typeof mood === 'string' ? [mood] : [])],
    };
    const plain = { env: { KEY: secret }, cwd: null, perUser: false };
    const command = { ...started, ...plain, ...(typeof mood === 'string' ? {} : mood), ...given };
    const source = sourceOf({ kind: 'mcp', uri: 'stdio:test', stdio: command });
    const env = { PATH: process.env.PATH ?? '' };
    const transport = createStdio({
      source,
      command,
      env,
      maxMessageBytes: 200_000,
      clock: by,
      log: logInto(logged),
    });
    transports.push(transport);
    return transport;
  }

  async function opened(transport: Transport, owner = ''): Promise<Line> {
    const line = await transport.open(owner);
    assert.ok(line.ok, line.ok ? '' : line.error.message);
    return line.value;
  }

  async function refused(transport: Transport, owner = ''): Promise<EgressFailure> {
    const line = await transport.open(owner);
    assert.ok(!line.ok);
    return line.error;
  }

  function ask(line: Line, method: string, params: object = {}): Promise<Result<Reply, EgressFailure>> {
    const id = nextId();
    const body = JSON.stringify({ jsonrpc: '2.0', id, method, params }, null, 1);
    const limits = { timeoutMs: 30_000, signal: null, harmless: false, onMessage: null };
    return line.request({ id, body, headers: '', ...limits }, null);
  }

  async function call(line: Line, name: string, args: object = {}): Promise<string> {
    const reply = await ask(line, 'tools/call', { name, arguments: args });
    assert.ok(reply.ok && reply.value.kind === 'result', JSON.stringify(reply));
    return (JSON.parse(reply.value.bytes.toString()) as { content: [{ text: string }] }).content[0].text;
  }

  async function failed(line: Line, name = 'Echo'): Promise<EgressFailure> {
    const reply = await ask(line, 'tools/call', { name });
    assert.ok(!reply.ok, JSON.stringify(reply));
    return reply.error;
  }

  it('is started once for all owners, and answers', async () => {
    const transport = transportTo('well');
    const [one, other] = await Promise.all([opened(transport, 'alice'), opened(transport, 'bob')]);
    assert.equal(one, other);
    assert.equal(await call(one, 'Echo', { text: 'hé\n' }), 'hé\n');
  });

  it('is started for each owner where it is to be', async () => {
    const transport = transportTo('well', { perUser: true });
    const pids = async (owner: string) => call(await opened(transport, owner), 'Pids');
    const [alice, bob, again] = [await pids('alice'), await pids('bob'), await pids('alice')];
    assert.notEqual(alice, bob);
    assert.equal(alice, again);
  });

  it('runs where it is told to, with what it was given of the environment and nothing of ours', async () => {
    const line = await opened(transportTo('well', { cwd: tmpdir() }));
    const env = JSON.parse(await call(line, 'Environment')) as Record<string, string>;
    assert.deepEqual(env, { PATH: process.env.PATH, KEY: secret });
    assert.equal(await call(line, 'Directory'), tmpdir());
  });

  it('is told of in words where it cannot be started', async () => {
    const cases: [Partial<StdioCommand>, RegExp][] = [
      [{ command: 'no-such-command-here' }, /its command no-such-command-here was not found in PATH \(/],
      [{ command: '/no/such/file' }, /its command \/no\/such\/file was not found$/],
      [{ command: script }, /its command .*stdio-server\.ts is not executable/],
      [{ cwd: '/no/such/directory' }, /its cwd \/no\/such\/directory is no directory/],
    ];
    for (const [command, words] of cases) {
      const failure = await refused(transportTo(command));
      assert.equal(failure.kind, 'unreachable');
      assert.match(failure.message, words);
    }
  });

  it('that ends is started again at the next need, after once ever more rarely, and meanwhile told of', async () => {
    const transport = transportTo({ args: [script, 'exits', `no licence for ${secret}`] });
    const words = /^its process ended with exit code 2 before it said anything in JSON-RPC/;
    const aside = '; the last it wrote to stderr: no licence for [redacted]';
    assert.match((await failed(await opened(transport))).message, words);
    for (const pause of [1, 2, 4, 8, 16, 32, 60, 60]) {
      const failure = await failed(await opened(transport));
      assert.equal(failure.kind, 'unreachable');
      assert.match(failure.message, words);
      assert.equal(failure.aside, aside);
      clock.advance(pause * 1000 - 1);
      const told = await refused(transport);
      assert.match(told.message, words);
      assert.match(told.message, /; it is started again in 1 s$/);
      assert.deepEqual([told.aside, told.sent], [aside, false]);
      clock.advance(1);
    }
  });

  it('that is killed soon after its start serves the first call after it', async () => {
    const transport = transportTo('well');
    const line = await opened(transport);
    const [pid] = JSON.parse(await call(line, 'Pids'));
    const waiting = failed(line, 'Unknown');
    process.kill(pid, 'SIGKILL');
    await waiting;
    assert.equal(await call(await opened(transport), 'Echo', { text: 'again' }), 'again');
  });

  it('that was well for a minute is started again at once', async () => {
    const transport = transportTo('well');
    for (let time = 0; time < 3; time++) {
      const line = await opened(transport);
      await call(line, 'Echo');
      clock.advance(60_000);
      const failure = await failed(line, 'Exit');
      assert.deepEqual([failure.kind, failure.sent], ['interrupted', true]);
      assert.match(failure.message, /its process ended with exit code 3/);
    }
  });

  it('fails calls under way when it is killed, and says by what', async () => {
    const line = await opened(transportTo('well'));
    const [pid] = JSON.parse(await call(line, 'Pids'));
    const waiting = failed(line, 'Unknown');
    let ended = 0;
    line.listen({ id: null, version: '' }, { onMessage() {}, onEnd: () => ended++ });
    process.kill(pid, 'SIGKILL');
    assert.match((await waiting).message, /its process was ended by SIGKILL/);
    await setImmediate();
    assert.equal(ended, 1);
  });

  it('may say what is no JSON-RPC: it is logged, passed over, and told of when an answer is missing', async () => {
    const line = await opened(transportTo('garbage'));
    const waiting = failed(line);
    await until(() => logged.length > 3);
    clock.advance(31_000);
    const { kind, aside = '' } = await waiting;
    assert.equal(kind, 'timeout');
    assert.match(aside, /^; \d+ lines on its stdout were no JSON-RPC, the last: Listening on port 8080$/);
    assert.deepEqual(logged[0], {
      level: 'debug',
      text: 'no JSON-RPC on stdout of a source: Listening on port 8080',
      source: 'under-test',
    });
  });

  it('may flood its output: it still answers, and the log gets the beginning, short and without secrets', async () => {
    const transport = transportTo({ args: [script, 'floods', `KEY=${secret}`] });
    const line = await opened(transport);
    assert.equal(await call(line, 'Echo', { text: 'still here' }), 'still here');
    await until(() => logged.filter(({ level }) => level === 'info').length >= 100);
    const [first] = logged.filter(({ level }) => level === 'info');
    assert.equal(first?.text, 'stderr of a source: KEY=[redacted]');
    assert.ok(logged.every(({ text }) => text.length < 1100));
    for (const level of ['debug', 'info']) {
      assert.equal(logged.filter((entry) => entry.level === level).length, 100);
    }
  });

  it('may answer too much: the call fails, and the next one runs', async () => {
    const line = await opened(transportTo('well'));
    const failure = await failed(line, 'Huge');
    assert.deepEqual(
      [failure.kind, failure.message],
      ['too_large', "the server's message is larger than 200000 bytes"],
    );
    assert.equal(await call(line, 'Echo', { text: 'next' }), 'next');
  });

  it('that never ends its line is ended itself', async () => {
    const transport = transportTo('endless');
    for (const ends of [1, 2]) {
      const line = await opened(transport);
      assert.equal((await failed(line)).kind, 'too_large', `process ${ends}`);
      let ended = 0;
      line.listen({ id: null, version: '' }, { onMessage() {}, onEnd: () => ended++ });
      await until(() => {
        clock.advance(100);
        return ended > 0;
      });
      clock.advance(0);
    }
    assert.match(
      (await refused(transport)).message,
      /wrote more than 400000 bytes in one line and was ended/,
    );
  });

  it('that ignores every request to end is killed, with whatever it started', async () => {
    const line = await opened(transportTo('stubborn'));
    const pids = JSON.parse(await call(line, 'Pids')) as number[];
    await line.end(null);
    clock.advance(2000);
    assert.deepEqual(pids.map(runs), [true, true]);
    clock.advance(3000);
    await until(() => !pids.some(runs));
  });

  it('that ends by itself takes whatever it started with it', async () => {
    const line = await opened(transportTo('stubborn'));
    const pids = JSON.parse(await call(line, 'Pids')) as number[];
    await failed(line, 'Exit');
    await until(() => !pids.some(runs));
  });

  it('ends with us, even if we are killed', async () => {
    for (const mood of ['well', 'stubborn']) {
      const parent = spawn(
        process.execPath,
        [join(import.meta.dirname, '../../fixtures/stdio-parent.ts'), mood],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      const [said] = (await once(parent.stdout, 'data')) as [Buffer];
      const pids = JSON.parse(said.toString()) as number[];
      assert.ok(pids.every(runs));
      parent.kill('SIGKILL');
      await until(() => !pids.some(runs));
    }
  });

  it('for one user is ended when that user has not asked for ten minutes, and started again when needed', async () => {
    const transport = transportTo('well', { perUser: true });
    const pidOf = async (owner: string) =>
      JSON.parse(await call(await opened(transport, owner), 'Pids'))[0] as number;
    const [alice, bob] = [await pidOf('alice'), await pidOf('bob')];
    clock.advance(9 * 60_000);
    assert.equal(await pidOf('bob'), bob);
    clock.advance(2 * 60_000);
    await until(() => !runs(alice));
    assert.equal(await pidOf('bob'), bob);
    assert.notEqual(await pidOf('alice'), alice);
  });

  it('is refused to more users than there may be processes', async () => {
    const transport = transportTo('exits', { perUser: true, command: 'sleep', args: ['100'] });
    for (let user = 0; user < 50; user++) await opened(transport, `user ${user}`);
    assert.match((await refused(transport, 'one more')).message, /it has 50 processes for its users already/);
    await opened(transport, 'user 7');
  });

  it('is started by nobody once its source was closed', async () => {
    const transport = transportTo('well');
    const opening = transport.open('');
    transport.close();
    const line = await opening;
    assert.ok(line.ok);
    assert.equal((await failed(line.value)).sent, false);
    assert.equal((await refused(transport)).kind, 'stopped');
  });
});
