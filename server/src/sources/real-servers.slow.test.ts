import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { CallNotification, ClientSide, Source } from '#domain';
import { createEgress } from '#egress';
import { systemClock } from '#foundation';
import { silentLog } from '#telemetry';
import { freePort } from '../../test/free-port.ts';
import type { SourceConnection, SourceKind } from './contract.ts';
import { answerTo, legacyClient, modernClient } from './fixtures/asked-client.ts';
import { callOf, sourceOf, toolNamed, unheard } from './fixtures/dispatched-call.ts';
import { type SpawnedServer, spawnServer } from './fixtures/spawn-server.ts';
import { mcpKind } from './mcp/mcp.ts';
import { workerKind } from './worker/worker.ts';

const secret = 'the-secret-of-the-reference-server-0123456789';
const referenceMain = join(import.meta.dirname, '../../../examples/reference-server/src/main.ts');

async function withSource(
  server: SpawnedServer,
  kind: SourceKind,
  given: Partial<Source>,
  use: (connection: SourceConnection) => Promise<void>,
): Promise<void> {
  const egress = createEgress({ allow: [] });
  const source = sourceOf({ kind: kind.kind, uri: server.origin, ...given });
  const opened = kind.open(source, { egress, clock: systemClock, log: silentLog }, unheard);
  try {
    assert.ok(opened.ok);
    await use(opened.value);
  } finally {
    if (opened.ok) opened.value.close();
    egress.close();
    await server.stop();
  }
}

const startReference = () =>
  spawnServer(
    referenceMain,
    [],
    {
      SALLYPORT_SERVER_TRANSPORT: 'http',
      SALLYPORT_SERVER_PORT: '0',
      PORT: '0',
      SALLYPORT_WORKER_SECRET: secret,
    },
    (output) => /"listening":"(http:[^"]+)"/.exec(output)?.[1] ?? null,
  );

describe('the reference server', () => {
  it('is a worker whose three tools run', async () => {
    await withSource(await startReference(), workerKind, { secret }, async (connection) => {
      const found = await connection.inspect();
      assert.ok(found.ok, found.ok ? '' : found.error.message);
      assert.deepEqual(found.value.offer.tools.map(({ name }) => name).sort(), ['Add', 'Echo', 'Whoami']);
      const value = async (name: string, args: object, userId: string | null = null) => {
        const listing = found.value.offer.tools.find((tool) => tool.name === name);
        const call = callOf(toolNamed(name, listing), { args: { ...args }, userId });
        const returned = await connection.call(call);
        assert.ok(returned.ok && returned.value.form === 'worker');
        return returned.value.isError ? returned.value.output.error?.kind : returned.value.output.value;
      };
      assert.equal(await value('Echo', { text: 'é' }), 'é');
      assert.equal(await value('Add', { a: 1, b: 2 }), 3);
      assert.deepEqual([await value('Whoami', {}, 'a'), await value('Whoami', {}, 'b')], ['a', 'b']);
      assert.equal(await value('Whoami', {}), 'TOOL_RUNTIME_CONTEXT_REQUIRED');
    });
  });
});

describe('the everything server of the MCP project', () => {
  const everything = '@modelcontextprotocol/server-everything/dist/index.js';
  const start = async (mode: string, path: string) => {
    const port = await freePort();
    const listens = /(listening|is running) on port/i;
    const ready = (output: string) => (listens.test(output) ? `http://127.0.0.1:${port}${path}` : null);
    return spawnServer(everything, [mode], { PORT: String(port) }, ready);
  };

  it('lists everything, echoes and reports progress', async () =>
    withSource(await start('streamableHttp', '/mcp'), mcpKind, {}, doesItAll));

  it('does the same over HTTP+SSE', async () =>
    withSource(await start('sse', '/sse'), mcpKind, {}, doesItAll));

  it('does the same over stdio', () => {
    const args = [fileURLToPath(import.meta.resolve(everything)), 'stdio'];
    const stdio = { command: process.execPath, args, env: {}, cwd: null, perUser: false };
    return withSource({ origin: 'stdio:node', stop: async () => {} }, mcpKind, { stdio }, doesItAll);
  });

  it('asks clients of either generation, and tells them of its resources', async () =>
    withSource(await start('streamableHttp', '/mcp'), mcpKind, {}, asksAndTells));

  async function asksAndTells(connection: SourceConnection): Promise<void> {
    const found = await connection.inspect();
    assert.ok(found.ok);
    const names = found.value.offer.tools.map(({ name }) => name);
    for (const name of ['trigger-sampling-request', 'trigger-elicitation-request', 'get-roots-list']) {
      assert.ok(names.includes(name), names.join());
    }
    const textOf = async (name: string, args: object, client: ClientSide) => {
      const returned = await connection.call(
        callOf(toolNamed(name), { args: { ...args }, client, userId: 'a' }),
      );
      assert.ok(returned.ok, returned.ok ? '' : returned.error.message);
      return returned.value.form === 'mcp' ? returned.value.result.toString('utf8') : returned.value;
    };
    const client = legacyClient();
    assert.match(`${await textOf('trigger-sampling-request', { prompt: 'France?' }, client)}`, /Paris/);
    assert.match(`${await textOf('trigger-elicitation-request', {}, client)}`, /accept|provided|Ann/i);
    assert.match(`${await textOf('get-roots-list', {}, client)}`, /file:\/\/\/home/);

    const parked = await textOf('trigger-sampling-request', { prompt: 'France?' }, modernClient());
    assert.ok(typeof parked !== 'string' && parked.form === 'input_required');
    const responses = Object.fromEntries(
      Object.entries(parked.requests).map(([key, request]) => {
        const answer = answerTo(request);
        return [key, 'result' in answer ? answer.result : {}];
      }),
    );
    const back = modernClient({ resume: { responses, state: parked.state } });
    assert.match(`${await textOf('trigger-sampling-request', { prompt: 'France?' }, back)}`, /Paris/);

    const uri = found.value.offer.resources[0]?.uri ?? '';
    const { promise: updated, resolve: onUpdated } = Promise.withResolvers<unknown>();
    const { conversation } = client;
    const wish = { projectId: 'default', sourceId: 'under-test', userId: 'a', conversation, uri };
    const subscribed = await connection.subscribe?.({ ...wish, onUpdated });
    assert.ok(subscribed?.ok);
    await textOf('toggle-subscriber-updates', {}, client);
    assert.deepEqual(await updated, { uri });
  }

  async function doesItAll(connection: SourceConnection): Promise<void> {
    const found = await connection.inspect();
    assert.ok(found.ok, found.ok ? '' : found.error.message);
    assert.deepEqual([found.value.protocolVersion, found.value.rejected], ['2025-11-25', []]);
    const names = found.value.offer.tools.map(({ name }) => name);
    assert.ok(names.includes('echo'), names.join());
    const { prompts, resources, templates, capabilities } = found.value.offer;
    assert.ok(
      prompts.some(({ name }) => name === 'simple-prompt'),
      JSON.stringify(prompts),
    );
    assert.deepEqual([resources.length > 0, templates.length > 0], [true, true]);
    assert.ok(['tools', 'prompts', 'resources', 'logging'].every((one) => one in capabilities));
    const heard: CallNotification[] = [];
    const call = async (name: string, args: object, more: object = {}) => {
      const returned = await connection.call(callOf(toolNamed(name), { args: { ...args }, ...more }));
      assert.ok(returned.ok && returned.value.form === 'mcp', returned.ok ? '' : returned.error.message);
      return returned.value.result.toString('utf8');
    };
    assert.match(await call('echo', { message: 'hello' }), /Echo: hello/);
    const slow = names.find((name) => /long.?running/i.test(name)) ?? '';
    const notify = (notification: CallNotification) => heard.push(notification);
    await call(slow, { duration: 0.2, steps: 2 }, { meta: { progressToken: 'p' }, notify });
    const progress = heard.filter(({ method }) => method === 'notifications/progress');
    assert.equal(progress.length, 2);
    assert.equal(progress[0]?.params?.progressToken, 'p');
  }
});
