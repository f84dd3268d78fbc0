import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Source } from '#domain';
import { createEgress, type Egress } from '#egress';
import { manualClock } from '#foundation';
import { silentLog } from '#telemetry';
import type { SourceConnection } from '../contract.ts';
import { callOf, sourceOf, unheard } from '../fixtures/dispatched-call.ts';
import { type McpServer, startMcpServer } from '../fixtures/mcp-server.ts';
import { startModernServer } from '../fixtures/modern-server.ts';
import { startServer } from '../fixtures/start-server.ts';
import { mcpKind } from './mcp.ts';

describe('whether calls of an MCP server stand alone', () => {
  const stops: (() => unknown)[] = [];
  let egress: Egress;
  let clock: ReturnType<typeof manualClock>;

  beforeEach(() => {
    egress = createEgress({ allow: [] });
    clock = manualClock();
    stops.push(() => egress.close());
  });
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  async function serve<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
    const server = await starting;
    stops.push(() => server.stop());
    return server;
  }

  function connect({ origin }: { readonly origin: string }, given: Partial<Source> = {}): SourceConnection {
    const source = sourceOf({ kind: 'mcp', uri: `${origin}/mcp`, ...given });
    const opened = mcpKind.open(source, { egress, clock, log: silentLog }, unheard);
    assert.ok(opened.ok);
    stops.push(() => opened.value.close());
    return opened.value;
  }

  /** Asks until that is the answer. */
  async function becomes(wanted: boolean | null, connection: SourceConnection): Promise<void> {
    while (connection.standsAlone?.(false) !== wanted) await setImmediate();
  }

  const begun = ({ received }: Pick<McpServer, 'received'>) =>
    received.filter(({ message: { method } }) => method === 'initialize').length;

  it('is not known at first; of the modern era they do, whatever its client can be asked', async () => {
    const connection = connect(await serve(startModernServer()));
    assert.equal(connection.standsAlone?.(false), null);
    await becomes(true, connection);
    assert.equal(connection.standsAlone?.(true), true);
  });

  it('they do at an older one without sessions, but for clients that answer with another request', async () => {
    const server = await serve(startMcpServer());
    server.stateful = false;
    const connection = connect(server);
    await becomes(true, connection);
    assert.equal(connection.standsAlone?.(true), false);
    assert.ok((await connection.call(callOf('Echo'))).ok);
    assert.equal(begun(server), 1);
  });

  it('they do not where it tells of resources in whichever answer', async () => {
    const server = await serve(startMcpServer());
    server.stateful = false;
    server.capabilities = { tools: {}, resources: { subscribe: true } };
    await becomes(false, connect(server));
  });

  it('they do not at one that keeps sessions: the one that told so is ended, and another tells later', async () => {
    const server = await serve(startMcpServer());
    const connection = connect(server);
    await becomes(false, connection);
    while (server.ended.length === 0) await setImmediate();
    assert.deepEqual([begun(server), connection.standsAlone?.(false)], [1, false]);
    server.stateful = false;
    clock.advance(5 * 60_000);
    await becomes(true, connection);
    assert.equal(begun(server), 2);
  });

  it('is not known any more once a server that kept nothing gives out a session', async () => {
    const server = await serve(startMcpServer());
    server.stateful = false;
    const connection = connect(server);
    await becomes(true, connection);
    server.stateful = true;
    assert.ok((await connection.call(callOf('Echo'))).ok);
    assert.equal(connection.standsAlone?.(false), null);
    await becomes(false, connection);
  });

  it('stays unknown where it lets nobody in, and is asked for that now and then', async () => {
    let asked = 0;
    const server = await serve(
      startServer((_, response) => {
        asked++;
        response.writeHead(401).end();
      }),
    );
    const connection = connect(server);
    for (const round of [1, 2]) {
      while (asked < round) {
        assert.equal(connection.standsAlone?.(false), null);
        await setImmediate();
      }
      // Whatever it was answered has come by then.
      assert.equal((await connection.call(callOf('Echo'))).ok, false);
      const before = asked;
      for (let turn = 0; turn < 20; turn++) {
        assert.equal(connection.standsAlone?.(false), null);
        await setImmediate();
      }
      assert.equal(asked, before);
      asked = round;
      clock.advance(10_000);
    }
  });

  it('they never do in a process of ours, or with a token of the user', async () => {
    const server = await serve(startModernServer());
    const authProvider = { id: 'github', scopes: [] };
    assert.equal(connect(server, { authProvider }).standsAlone, undefined);
    const stdio = { command: 'true', args: [], env: {}, cwd: null, perUser: false };
    assert.equal(connect(server, { uri: 'stdio:true', stdio, origin: 'file' }).standsAlone, undefined);
  });
});
