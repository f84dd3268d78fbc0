import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { DispatchedCall } from '#domain';
import { createEgress, type Egress } from '#egress';
import { manualClock } from '#foundation';
import type { Db } from '#storage';
import { silentLog } from '#telemetry';
import { openVault } from '#vault';
import { changesAlone, openTestDatabase } from '../../test/database.ts';
import type { NewSource, Sources } from './contract.ts';
import { callOf, sourceOf, toolNamed } from './fixtures/dispatched-call.ts';
import { type McpServer, startMcpServer } from './fixtures/mcp-server.ts';
import { mcpKind } from './mcp/mcp.ts';
import { createSources } from './registry.ts';

const echo = toolNamed('Echo', { sourceId: 'm' });

describe('headers with secrets of the project', () => {
  let db: Db;
  let egress: Egress;
  let clock: ReturnType<typeof manualClock>;
  let server: McpServer;
  let sources: Sources;
  let secrets: Map<string, string>;
  let listed: (id: string) => void;

  before(async () => {
    db = await openTestDatabase();
    egress = createEgress({ allow: ['127.0.0.0/8'] });
  });
  after(async () => {
    egress.close();
    await db.close();
  });
  beforeEach(async (context) => {
    await db.query('delete from sources');
    clock = manualClock();
    secrets = new Map();
    listed = () => undefined;
    server = await startMcpServer();
    sources = await createSources({
      kinds: [mcpKind],
      db,
      changes: await changesAlone(db),
      vault: await openVault({ db, clock }),
      egress,
      clock,
      log: silentLog,
      secretOf: (projectId, name) => secrets.get(`${projectId}/${name}`) ?? null,
      onListed: async ({ id }) => listed(id),
      onUnavailable: async () => undefined,
      onRemoved: async () => undefined,
    });
    sources.begin();
    if ('after' in context)
      context.after(async () => {
        await sources.close();
        await server.stop();
      });
  });

  async function create(given: Partial<NewSource> = {}): Promise<void> {
    const { createdAt, updatedAt, origin, ...source } = sourceOf({
      kind: 'mcp',
      uri: server.origin,
      id: 'm',
    });
    const headers = { Authorization: `Bearer \${secret:TOKEN}` };
    const made = await sources.create({ ...source, headers, ...given });
    assert.ok(made.ok, made.ok ? '' : made.error.message);
  }

  const status = () => sources.status('default', 'm');
  const call = (given: Partial<DispatchedCall> = {}) => sources.call(callOf(echo, given));

  it('one that nobody has set is what the status says, nothing is sent, and it heals when it is set', async () => {
    server.token = 'Bearer hush-one';
    await create();
    assert.deepEqual([status().state, status().failedStep], ['unhealthy', 'authenticated']);
    assert.match(status().message, /header Authorization refers to the secret TOKEN, which is neither/);
    const refused = await call();
    assert.equal(!refused.ok && refused.error.code, 'credentials.not_configured');
    assert.deepEqual(server.received, []);
    secrets.set('other/TOKEN', 'hush-one');
    sources.secretsChanged('other');
    assert.equal((await sources.refresh('default', 'm')).state, 'unhealthy');
    secrets.set('default/TOKEN', 'hush-one');
    assert.equal((await sources.refresh('default', 'm')).state, 'healthy');
  });

  it('a source that uses one is looked at soon after it was set, and no other is', async () => {
    await create();
    await create({ id: 'plain', headers: {} });
    const before = server.received.length;
    secrets.set('default/TOKEN', 'hush-one');
    sources.secretsChanged('default');
    const heard = new Promise<void>((resolve) => {
      listed = (id) => id === 'm' && resolve();
    });
    // A hint is followed half a second later at the latest, long before the next round.
    clock.advance(500);
    await heard;
    assert.deepEqual(
      [...new Set(server.received.slice(before).map((one) => one.headers.authorization))],
      ['Bearer hush-one'],
    );
  });

  it('another value acts on the next call', async () => {
    secrets.set('default/TOKEN', 'hush-one');
    server.token = 'Bearer hush-one';
    await create();
    assert.equal((await call()).ok, true);
    server.token = 'Bearer hush-two';
    const refused = await call();
    assert.equal(!refused.ok && refused.error.code, 'source.secret_refused');
    secrets.set('default/TOKEN', 'hush-two');
    assert.equal((await call()).ok, true);
  });

  it('what a server repeats of one is in no status and no failure', async () => {
    secrets.set('default/TOKEN', 'hush-one');
    server.pages.first = { tools: 'Bearer hush-one' };
    server.onCall = (message, response) => {
      const error = { code: -32000, message: 'hush-one is not welcome' };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, error }));
      return true;
    };
    await create();
    const failed = await call();
    assert.match(JSON.stringify(failed), /\[redacted\] is not welcome/);
    assert.doesNotMatch(JSON.stringify([status(), failed]), /hush/);
  });

  it("a user's credential goes in the header that its provider wants, else as a bearer token", async () => {
    await create({ headers: {}, authProvider: { id: 'p', scopes: [] } });
    const last = () => server.received.at(-1)?.headers;
    const authorization = { token: 'hush-user', userInfo: {} };
    await call({ credential: { authorization, secrets: [] } });
    assert.equal(last()?.authorization, 'Bearer hush-user');
    const header = { name: 'x-api-key', value: 'hush-user' };
    await call({ credential: { authorization: { ...authorization, header }, secrets: [] } });
    assert.deepEqual([last()?.['x-api-key'], last()?.authorization], ['hush-user', undefined]);
  });

  it('an own authorization does not go with the token of a user', async () => {
    const { createdAt, updatedAt, origin, ...source } = sourceOf({
      kind: 'mcp',
      uri: server.origin,
      id: 'm',
    });
    const headers = { Authorization: 'x' };
    const made = await sources.create({ ...source, headers, authProvider: { id: 'p', scopes: [] } });
    assert.equal(!made.ok && made.error.field, 'mcp.headers');
  });
});
