import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Source, SourceStatus } from '#domain';
import { createEgress, type Egress } from '#egress';
import { manualClock } from '#foundation';
import type { Db } from '#storage';
import { silentLog } from '#telemetry';
import { openVault } from '#vault';
import { changesAlone, openTestDatabase } from '../../test/database.ts';
import type { NewSource, Sources } from './contract.ts';
import { callOf, sourceOf, toolNamed } from './fixtures/dispatched-call.ts';
import { startMcpServer } from './fixtures/mcp-server.ts';
import { definitionOf, startWorker, type WorkerServer } from './fixtures/worker-server.ts';
import { mcpKind } from './mcp/mcp.ts';
import { createSources } from './registry.ts';
import { workerKind } from './worker/worker.ts';

const secret = 'the-secret-of-the-worker-0123456789';

describe('the sources of the process', () => {
  let db: Db;
  let egress: Egress;
  let clock: ReturnType<typeof manualClock>;
  let worker: WorkerServer;
  let sources: Sources;
  let said: string[];
  let waiting: { readonly word: string; readonly resolve: () => void }[];
  let refuseNext = false;

  before(async () => {
    db = await openTestDatabase();
  });
  after(() => db.close());
  beforeEach(async () => {
    await db.query('delete from sources');
    egress = createEgress({ allow: ['127.0.0.0/8'] });
    clock = manualClock();
    said = [];
    waiting = [];
    worker = await startWorker(secret);
    sources = await start();
  });
  afterEach(async () => {
    await sources.close();
    egress.close();
    await worker.stop();
  });

  async function start(begins = true): Promise<Sources> {
    const sources = await createSources({
      kinds: [workerKind, mcpKind],
      db,
      changes: await changesAlone(db),
      vault: await openVault({ db, clock }),
      egress,
      clock,
      log: silentLog,
      onListed: async ({ id }, { tools }) => {
        if (refuseNext) {
          refuseNext = false;
          throw new Error('the database is busy');
        }
        say(`${id} listed ${tools.length}`);
      },
      onUnavailable: async ({ id }) => say(`${id} unavailable`),
      onRemoved: async ({ id }) => say(`${id} removed`),
    });
    if (begins) sources.begin();
    return sources;
  }

  function say(word: string): void {
    said.push(word);
    for (const { resolve } of waiting.filter((one) => one.word === word)) resolve();
  }

  /** When it is said from now on. */
  function hear(word: string): Promise<void> {
    return new Promise((resolve) => waiting.push({ word, resolve }));
  }

  function newSource(given: Partial<NewSource> = {}): NewSource {
    const { createdAt, updatedAt, origin, ...source } = sourceOf({
      kind: 'worker',
      uri: worker.origin,
      secret,
    });
    return { ...source, id: 'w', ...given };
  }

  const fileSource = (given: Partial<Source> = {}): Source => ({
    ...sourceOf({ kind: 'worker', uri: worker.origin, secret, id: 'w' }),
    ...given,
  });

  async function created(given: Partial<NewSource> = {}): Promise<Source> {
    const source = await sources.create(newSource(given));
    assert.ok(source.ok, source.ok ? '' : source.error.message);
    return source.value;
  }

  const status = (id = 'w'): SourceStatus => sources.status('default', id);
  const echo = toolNamed('Echo', { sourceId: 'w' });

  it('are inspected before creating returns, kept, and there again after a restart', async () => {
    const source = await created();
    assert.deepEqual(
      [source.origin, status().state, status().message],
      ['api', 'healthy', 'healthy: it offers 2 tools'],
    );
    assert.deepEqual(said, ['w listed 2']);
    await sources.close();
    const heard = hear('w listed 2');
    sources = await start();
    await heard;
    assert.deepEqual(sources.get('default', 'w'), source);
    assert.deepEqual(sources.list('other'), []);
  });

  it('are looked at by themselves only when that has begun', async () => {
    await sources.close();
    sources = await start(false);
    await sources.applyFile([fileSource()]);
    await created({ id: 'asked' });
    clock.advance(60_000);
    assert.deepEqual(said, ['asked listed 2']);
    const heard = hear('w listed 2');
    sources.begin();
    await heard;
  });

  it('are refused with the field at fault, and nothing changes', async () => {
    await created();
    const fieldOf = async (given: Partial<NewSource>) => {
      const refused = await sources.create(newSource(given));
      return refused.ok ? null : [refused.error.code, refused.error.field];
    };
    assert.deepEqual(await fieldOf({}), ['resource.conflict', 'id']);
    assert.deepEqual(await fieldOf({ id: 'x', uri: 'gopher://x' }), ['request.params_invalid', 'http.uri']);
    const headers = { 'mcp-session-id': 'x' };
    assert.deepEqual(await fieldOf({ id: 'x', kind: 'mcp', headers }), [
      'request.params_invalid',
      'mcp.headers',
    ]);
    const changed = await sources.update('default', 'w', { uri: 'http://u:p@x' });
    assert.equal(changed.ok ? '' : changed.error.field, 'http.uri');
    assert.equal(sources.get('default', 'w')?.uri, worker.origin);
    assert.equal(sources.list('default').length, 1);
  });

  it('say nothing to the catalog while they offer the same', async () => {
    await created();
    const before = worker.listed;
    await sources.refresh('default', 'w');
    worker.tools = JSON.stringify(worker.tools, null, 1);
    await sources.refresh('default', 'w');
    assert.equal(worker.listed, before + 2);
    assert.deepEqual(said, ['w listed 2']);
    worker.tools = [definitionOf('Echo')];
    await sources.refresh('default', 'w');
    assert.deepEqual(said, ['w listed 2', 'w listed 1']);
  });

  it('are not healthy while the catalog could not take their tools, and say them again', async () => {
    refuseNext = true;
    await created();
    assert.deepEqual(said, []);
    assert.deepEqual([status().state, status().failedStep], ['unhealthy', 'tools_valid']);
    await sources.refresh('default', 'w');
    assert.deepEqual(said, ['w listed 2']);
    assert.equal(status().state, 'healthy');
  });

  it('are looked at again and again, go, and heal by themselves', async () => {
    await created();
    worker.tools = [definitionOf('Echo')];
    const changed = hear('w listed 1');
    clock.advance(10_000);
    await changed;

    await worker.stop();
    const gone = hear('w unavailable');
    clock.advance(10_000);
    await gone;
    assert.deepEqual(
      [status().state, status().failedStep, status().toolCount],
      ['unhealthy', 'connected', 0],
    );
    await sources.refresh('default', 'w');
    assert.equal(said.filter((word) => word === 'w unavailable').length, 1);

    worker = await startWorker(secret, { port: worker.port });
    const back = hear('w listed 2');
    clock.advance(60_000);
    await back;
    await sources.refresh('default', 'w');
    assert.equal(status().state, 'healthy');
  });

  it('are looked at early when a call fails to reach them, and when one reaches them after all', async () => {
    await created();
    await worker.stop();
    clock.advance(2000);
    const gone = hear('w unavailable');
    const failed = await sources.call(callOf(echo));
    assert.equal(failed.ok ? '' : failed.error.code, 'source.unreachable');
    await gone;
    worker = await startWorker(secret, { port: worker.port });
    const back = hear('w listed 2');
    assert.equal((await sources.call(callOf(echo))).ok, true);
    clock.advance(2000);
    await back;
  });

  it('say so when they are healthy and offer nothing, and name what was left out', async () => {
    worker.tools = [];
    await created();
    assert.deepEqual([status().state, status().message], ['healthy', 'healthy, but it offers no tools']);
    worker.tools = [definitionOf('Echo'), { name: 'Broken' }];
    await sources.refresh('default', 'w');
    assert.match(status().message, /^healthy: it offers 1 tool; left out: Broken \(toolkit: /);
    assert.match(status().steps.at(-1)?.detail ?? '', /Broken/);
  });

  it('that are disabled refuse calls, offer nothing, and come back', async () => {
    await created();
    await sources.update('default', 'w', { enabled: false });
    assert.deepEqual(said, ['w listed 2', 'w listed 0']);
    assert.equal(status().state, 'disabled');
    const refused = await sources.call(callOf(echo));
    assert.equal(refused.ok ? '' : refused.error.code, 'source.disabled');
    await sources.update('default', 'w', { enabled: true });
    assert.deepEqual(said, ['w listed 2', 'w listed 0', 'w listed 2']);
    assert.equal((await sources.call(callOf(echo))).ok, true);
  });

  it('finish the calls under way when they are changed or removed', async () => {
    const server = await startMcpServer();
    try {
      await created({ id: 'm', kind: 'mcp', uri: server.origin, secret: null });
      const arrived = new Promise<() => void>((resolve) => {
        server.onCall = ({ id }, response) => {
          resolve(() => response.end(JSON.stringify({ jsonrpc: '2.0', id, result: { content: [] } })));
          return true;
        };
      });
      const calling = sources.call(callOf(toolNamed('Echo', { sourceId: 'm' })));
      const finish = await arrived;
      assert.equal((await sources.remove('default', 'm')).ok, true);
      assert.deepEqual(said, ['m listed 2', 'm removed']);
      finish();
      assert.equal((await calling).ok, true);
      const gone = await sources.call(callOf(toolNamed('Echo', { sourceId: 'm' })));
      assert.equal(gone.ok ? '' : gone.error.code, 'catalog.tool_unavailable');
    } finally {
      await server.stop();
    }
  });

  it('of the file are read-only, exactly those of the file, and re-opened only when changed', async () => {
    const listed = hear('w listed 2');
    await sources.applyFile([fileSource()]);
    await listed;
    for (const refused of [
      await sources.update('default', 'w', { enabled: false }),
      await sources.remove('default', 'w'),
    ]) {
      assert.equal(refused.ok ? '' : refused.error.code, 'resource.read_only');
    }
    const taken = await sources.create(newSource());
    assert.equal(taken.ok ? '' : taken.error.code, 'resource.conflict');

    const before = worker.listed;
    await sources.applyFile([fileSource({ createdAt: '2027-01-01T00:00:00.000Z' })]);
    assert.equal(worker.listed, before);
    const gone = hear('w unavailable');
    await sources.applyFile([fileSource({ secret: 'another' })]);
    await gone;
    assert.equal(status().failedStep, 'authenticated');
    await sources.applyFile([]);
    assert.equal(said.at(-1), 'w removed');
    assert.equal(sources.get('default', 'w'), null);
    assert.deepEqual(await db.query('select * from sources'), []);
  });

  it('of the file hide those of the API with the same id, which come back', async () => {
    await created({ timeoutMs: 5000 });
    await sources.applyFile([fileSource()]);
    assert.equal(sources.get('default', 'w')?.origin, 'file');
    await sources.applyFile([]);
    assert.deepEqual(
      [sources.get('default', 'w')?.origin, sources.get('default', 'w')?.timeoutMs],
      ['api', 5000],
    );
  });

  it('of the file that cannot be opened say why, and take nothing else down', async () => {
    const listed = hear('w listed 2');
    const broken = sourceOf({ id: 'b', kind: 'mcp', uri: worker.origin, headers: { 'a b': 'x' } });
    const failed = hear('b unavailable');
    await sources.applyFile([broken, fileSource()]);
    await Promise.all([listed, failed]);
    assert.match(status('b').message, /"a b" is not a valid header name/);
    const refused = await sources.call(callOf(toolNamed('X', { sourceId: 'b' })));
    assert.equal(refused.ok ? '' : refused.error.code, 'credentials.not_configured');
  });

  it('can be tried without being registered', async () => {
    const found = await sources.test(newSource({ id: 'tried' }));
    assert.deepEqual([found.state, found.toolCount], ['healthy', 2]);
    const wrong = await sources.test(newSource({ id: 'tried', secret: 'x' }));
    assert.deepEqual([wrong.state, wrong.failedStep], ['unhealthy', 'authenticated']);
    const malformed = await sources.test(newSource({ id: 'tried', uri: 'nothing' }));
    assert.deepEqual([malformed.state, malformed.failedStep], ['unhealthy', 'address_resolved']);
    assert.deepEqual([sources.list('default'), said], [[], []]);
  });

  it('of the API reach internal addresses only where the allow-list says so', async () => {
    await sources.close();
    egress.close();
    egress = createEgress({ allow: [] });
    sources = await start();
    await created();
    assert.deepEqual([status().state, status().failedStep], ['unhealthy', 'egress_allowed']);
    assert.equal(worker.listed, 0);
  });

  it('never show a secret in what they say', async () => {
    await created({ secret: 'hush-hush-hush' });
    assert.equal(JSON.stringify(status()).includes('hush'), false);
    const failed = await sources.call(callOf(echo));
    assert.equal(JSON.stringify(failed).includes('hush'), false);
  });

  it('are told that their sessions are over before the last connection is closed', async () => {
    const server = await startMcpServer();
    try {
      await created({ id: 'm', kind: 'mcp', uri: server.origin, secret: null });
      const tool = toolNamed('Echo', { sourceId: 'm' });
      assert.ok((await sources.call(callOf(tool, { userId: 'ann' }))).ok);
      await sources.close();
      egress.close();
      assert.equal(server.ended.length, 2, 'the session of the catalogue and that of the user');
    } finally {
      await server.stop();
    }
  });

  it('hear at once that a list changed', async () => {
    const server = await startMcpServer();
    try {
      const streaming = new Promise<void>((resolve) => {
        server.onStream = resolve;
      });
      await created({ id: 'm', kind: 'mcp', uri: server.origin, secret: null });
      await streaming;
      server.pages.first = { tools: [] };
      clock.advance(2000);
      const changed = hear('m listed 0');
      server.stream?.write('data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n');
      await changed;
    } finally {
      await server.stop();
    }
  });
});
