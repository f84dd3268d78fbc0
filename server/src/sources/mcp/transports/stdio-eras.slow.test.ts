import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { CallNotification, Source, StdioCommand } from '#domain';
import { createEgress } from '#egress';
import { manualClock } from '#foundation';
import { silentLog } from '#telemetry';
import type { SourceConnection } from '../../contract.ts';
import { callOf, sourceOf, unheard } from '../../fixtures/dispatched-call.ts';
import { mcpKind } from '../mcp.ts';

const fixture = (name: string) => join(import.meta.dirname, '../../fixtures', name);

describe('a source that is started by us', () => {
  const opened: SourceConnection[] = [];
  let clock: ReturnType<typeof manualClock>;

  beforeEach(() => {
    clock = manualClock();
  });
  afterEach(async () => {
    for (const connection of opened.splice(0)) connection.close();
    // What is to be ended is so one turn later.
    await setTimeout(1);
    clock.advance(10_000);
  });

  function connect(args: readonly string[], given: Partial<Source> = {}, onListChanged = () => {}) {
    const stdio: StdioCommand = {
      command: process.execPath,
      args,
      env: {},
      cwd: null,
      perUser: false,
    };
    const source = sourceOf({ kind: 'mcp', uri: 'stdio:node', stdio, ...given });
    const deps = { egress: createEgress({ allow: [] }), clock, log: silentLog };
    const connection = mcpKind.open(source, deps, { ...unheard, onListChanged });
    assert.ok(connection.ok, connection.ok ? '' : connection.error.message);
    opened.push(connection.value);
    return connection.value;
  }

  async function call(connection: SourceConnection, name: string, given: Parameters<typeof callOf>[1] = {}) {
    const returned = await connection.call(callOf(name, given));
    assert.ok(returned.ok && returned.value.form === 'mcp', returned.ok ? '' : returned.error.message);
    return JSON.parse(returned.value.result.toString()).content[0].text as string;
  }

  for (const [mood, era] of [
    ['modern', '2026-07-28'],
    ['both', '2026-07-28'],
  ] as const) {
    it(`speaks ${era} with a server of the official SDK that is ${mood}`, async () => {
      const connection = connect([fixture('stdio-sdk-server.ts'), mood]);
      const found = await connection.inspect();
      assert.ok(found.ok, found.ok ? '' : found.error.message);
      assert.equal(found.value.protocolVersion, era);
      assert.equal(found.value.serverInfo?.name, 'sdk over stdio');
      assert.equal(await call(connection, 'Echo', { args: { text: 'hé' } }), 'hé');
      const heard: CallNotification[] = [];
      const notify = (notification: CallNotification) => heard.push(notification);
      await call(connection, 'Steps', { meta: { progressToken: 'p' }, notify });
      assert.deepEqual(
        heard.map(({ params }) => [params?.progressToken, params?.progress]),
        [
          ['p', 1],
          ['p', 2],
        ],
      );
    });
  }

  it('is told that a call is cancelled, and goes on', async () => {
    const connection = connect([fixture('stdio-sdk-server.ts'), 'modern']);
    const abort = new AbortController();
    const returned = await connection.call(
      callOf('Wait', { signal: abort.signal, meta: { progressToken: 1 }, notify: () => abort.abort() }),
    );
    assert.equal(returned.ok ? '' : returned.error.code, 'source.cancelled');
    while ((await call(connection, 'Cancelled')) !== '1');
  });

  it('tells of changed lists', async () => {
    const { promise: changed, resolve } = Promise.withResolvers<void>();
    const connection = connect([fixture('stdio-sdk-server.ts'), 'modern'], {}, resolve);
    assert.ok((await connection.inspect()).ok);
    await call(connection, 'More');
    await changed;
  });

  it('comes up though it is of the legacy era and leaves the question for the modern one unanswered', async () => {
    const connection = connect([fixture('stdio-server.ts'), 'waits for initialize']);
    let done = false;
    const inspecting = connection.inspect().finally(() => {
      done = true;
    });
    while (!done) {
      await setTimeout(5);
      clock.advance(100);
    }
    const found = await inspecting;
    assert.ok(found.ok, found.ok ? '' : found.error.message);
    assert.equal(found.value.protocolVersion, '2025-06-18');
  });

  it('answers the first call after it ended', async () => {
    const connection = connect([fixture('stdio-server.ts')]);
    const pid = await call(connection, 'Pids');
    clock.advance(60_000);
    const ended = await connection.call(callOf('Exit'));
    assert.equal(ended.ok ? '' : ended.error.code, 'source.interrupted');
    assert.notEqual(await call(connection, 'Pids'), pid);
  });

  it('has a process for each user where it is to be', async () => {
    const command = { command: process.execPath, args: [fixture('stdio-server.ts')], env: {}, cwd: null };
    const connection = connect([], { stdio: { ...command, perUser: true } });
    const pids = async (userId: string) => call(connection, 'Pids', { userId });
    const [alice, bob, again] = [await pids('alice'), await pids('bob'), await pids('alice')];
    assert.notEqual(alice, bob);
    assert.equal(alice, again);
  });

  for (const perUser of [false, true]) {
    const whose = perUser ? 'a user' : 'all users';
    it(`tells every conversation of ${whose} what it hears of, though another one wants no more`, async () => {
      const command = { command: process.execPath, args: [fixture('stdio-server.ts'), 'watched'] };
      const connection = connect([], { stdio: { ...command, env: {}, cwd: null, perUser } });
      const wish = { projectId: 'default', sourceId: 'x', userId: 'alice', uri: 'a://b' };
      const subscribe = async (conversation: string | null, heard: unknown[]) => {
        const onUpdated = (params: object) => heard.push(params);
        const subscribed = await connection.subscribe?.({ ...wish, conversation, onUpdated });
        assert.ok(subscribed?.ok);
        return subscribed.value;
      };
      const heard: unknown[] = [];
      const leaves = [await subscribe('one', []), await subscribe(null, [])];
      await subscribe('two', heard);
      for (const leave of leaves) leave();
      const touch = { userId: 'alice' };
      assert.equal(await call(connection, 'Touch', touch), 'a://b');
      assert.equal(await call(connection, 'Touch', touch), 'a://b');
      assert.deepEqual(heard[0], { uri: 'a://b' });
      connection.endConversation?.('two');
      while ((await call(connection, 'Touch', touch)) !== '');
    });
  }

  it('is unreachable where its process does not run: callers hear how it ended, operators what it wrote too', async () => {
    const connection = connect([fixture('stdio-server.ts'), 'exits', 'no licence']);
    const returned = await connection.call(callOf('Echo'));
    assert.ok(!returned.ok);
    assert.equal(returned.error.code, 'source.unreachable');
    assert.match(returned.error.message, /ended with exit code 2 before it said anything in JSON-RPC$/);
    const found = await connection.inspect();
    assert.ok(!found.ok);
    assert.deepEqual([found.error.step, found.error.code], ['connected', 'source.unreachable']);
    assert.match(found.error.message, /ended with exit code 2 .*stderr: no licence/);
    assert.equal(found.error.steps.at(-1)?.detail, found.error.message);
  });

  it('is never started where it was not declared in the config file', () => {
    const stdio = { command: process.execPath, args: [], env: {}, cwd: null, perUser: false };
    const source = sourceOf({ kind: 'mcp', uri: 'stdio:node', stdio, origin: 'api' });
    const deps = { egress: createEgress({ allow: [] }), clock, log: silentLog };
    const refused = mcpKind.open(source, deps, unheard);
    assert.match(refused.ok ? '' : refused.error.message, /only for what the config file declares/);
  });
});
