import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Scope } from '#domain';
import { type RestServer, startRestServer, startTestWorker, workerSecret } from '../fixtures/rest-server.ts';

let server: RestServer;
let worker: Awaited<ReturnType<typeof startTestWorker>>;

before(async () => {
  worker = await startTestWorker();
  server = await startRestServer();
});
after(async () => {
  await server?.close();
  await worker?.stop();
});

async function status(key?: string) {
  const { status, body } = await server.ask('GET', '/v1/status', key === undefined ? {} : { key });
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}
const codes = ({ problems }: { problems: { code: string }[] }) => problems.map(({ code }) => code);

async function keyOfProject(projectId: string, scopes: Scope[]): Promise<string> {
  const open = { users: null, gateways: null, tools: null, serviceAccountId: null, expiresAt: null };
  const { identity } = server.app.rooms;
  return (await identity.createKey({ projectId, name: 'k', scopes, ...open })).plaintext;
}

describe('the status', () => {
  it('is ok where nothing is wrong, and tells the facts', async () => {
    const body = await status();
    assert.equal(body.status, 'ok');
    // The root key of a test lies in its data directory.
    assert.deepEqual(codes(body), ['vault.root_key_beside_data']);
    assert.equal(body.project_id, 'default');
    assert.deepEqual(body.sources, {
      count: 0,
      healthy_count: 0,
      disabled_count: 0,
      unknown_count: 0,
      unhealthy: [],
    });
    assert.deepEqual(body.hooks, { count: 0, failing: [] });
    assert.deepEqual(body.approvals, { pending_count: 0 });
    const { installation } = body;
    assert.ok(Date.parse(installation.started_at) <= Date.parse(body.checked_at));
    assert.deepEqual(installation.processes, { wanted: 1, serving: 1 });
    assert.equal(installation.database.ok, true);
    assert.deepEqual([installation.audit.writable, installation.audit.durability], [true, 'relaxed']);
    assert.deepEqual([installation.redis, installation.config], [null, { mistakes: [] }]);
    assert.deepEqual(installation.telemetry, { exporters: [] });
  });

  it('names each source that cannot be called: the step, since when, and what to do', async () => {
    const http = { uri: worker.url, secret: workerSecret };
    assert.equal((await server.ask('POST', '/v1/workers', { body: { id: 'well', http } })).status, 201);
    const wrong = { uri: worker.url, secret: 'another-secret-of-thirty-two-chars!' };
    assert.equal((await server.ask('POST', '/v1/workers', { body: { id: 'ill', http: wrong } })).status, 201);
    const off = { id: 'off', enabled: false, http };
    assert.equal((await server.ask('POST', '/v1/workers', { body: off })).status, 201);
    const body = await status();
    assert.equal(body.status, 'degraded');
    assert.deepEqual(codes(body), ['source.unhealthy', 'vault.root_key_beside_data']);
    const { unhealthy, ...counts } = body.sources;
    assert.deepEqual(counts, { count: 3, healthy_count: 1, disabled_count: 1, unknown_count: 0 });
    const [ill] = unhealthy;
    assert.deepEqual([ill.id, ill.failed_step], ['ill', 'authenticated']);
    assert.match(body.problems[0].what, /^the source ill cannot be called: /);
    assert.match(body.problems[0].advice, /secret/);
    assert.equal(body.problems[0].since, ill.since);
    await server.ask('GET', '/v1/workers/ill/health');
    const [again] = (await status()).sources.unhealthy;
    assert.equal(again.since, ill.since, 'it was found so before');
    assert.ok(!JSON.stringify(body).includes('another-secret'));
  });

  it('counts what was allowed, refused and failed a moment ago', async () => {
    const call = (tool_name: string, input: object = {}) =>
      server.ask('POST', '/v1/tools/execute', { body: { tool_name, user_id: 'ann', input } });
    await call('Test.Join', { words: ['a'] });
    await call('Test.Fail');
    await call('No.Such');
    await call('No.Such');
    const { traffic } = await status();
    assert.deepEqual([traffic.allowed, traffic.refused, traffic.failed], [1, 2, 1]);
    assert.deepEqual(traffic.refusals, [
      { code: 'catalog.tool_unknown', count: 2 },
      { code: 'source.tool_failed', count: 1 },
    ]);
  });

  it('tells another project of its own alone, and who only reads of nothing that takes more', async () => {
    const { people } = server.app.rooms.identity;
    const beside = await people.createProject('default', 'Beside');
    const elsewhere = await people.createOrganization('Elsewhere');
    const foreign = await people.createProject(elsewhere.id, 'Foreign');
    for (const { id } of [beside, foreign]) {
      const body = await status(await keyOfProject(id, ['admin']));
      assert.deepEqual([body.status, codes(body), body.project_id], ['ok', [], id]);
      assert.deepEqual([body.sources.count, body.traffic.allowed], [0, 0]);
      assert.equal(body.installation, undefined);
    }
    const read = await status(await keyOfProject('default', ['read']));
    assert.deepEqual([read.status, codes(read)], ['degraded', ['source.unhealthy']]);
    assert.deepEqual([read.installation, read.hooks, read.approvals], [undefined, undefined, undefined]);
  });

  it('is down without its database, which everybody is told, and why, who administers it', async () => {
    const reader = await keyOfProject('default', ['read']);
    await server.app.rooms.db.close();
    const body = await status();
    assert.equal(body.status, 'down');
    assert.equal(codes(body)[0], 'database.unreachable');
    assert.equal(body.installation.database.ok, false);
    const why = body.installation.database.error;
    assert.ok(why.length > 0 && body.problems[0].what.includes(why));
    assert.deepEqual(body.approvals, { pending_count: null });
    const told = await status(reader);
    assert.equal(told.status, 'down');
    assert.ok(!JSON.stringify(told).includes(why));
  });
});
