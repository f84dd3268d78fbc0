import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { after, before, beforeEach, describe, it } from 'node:test';
import Arcade from '@arcadeai/arcadejs';
import { saidByLink, signIn, tokenFor } from '../../../../test/access-token.ts';
import { adminKey, type RestServer, startRestServer } from '../fixtures/rest-server.ts';

let server: RestServer;
before(async () => {
  server = await startRestServer();
});
after(() => server.close());

const list = async (path = '/v1/admin/secrets') => (await server.ask('GET', path)).body.items;
const organization = '?binding_type=tenant';

beforeEach(async () => {
  for (const { id } of await list()) await server.ask('DELETE', `/v1/admin/secrets/${id}`);
});

describe('secrets over the API', () => {
  it('arcadejs sets, lists and removes them, and no answer holds a value', async () => {
    const client = new Arcade({ baseURL: server.url, apiKey: adminKey });
    const made = await client.admin.secrets.create('API_TOKEN', { value: 'hush-1', description: 'of CI' });
    assert.deepEqual([made.key, made.description, made.binding?.type], ['API_TOKEN', 'of CI', 'project']);
    const again = await client.admin.secrets.create('API_TOKEN', { value: 'hush-2' });
    assert.deepEqual([again.id, again.description], [made.id, 'of CI']);
    const { items = [], total_count } = await client.admin.secrets.list();
    assert.deepEqual([items.map(({ key }) => key), total_count], [['API_TOKEN'], 1]);
    assert.doesNotMatch(JSON.stringify([made, again, items]), /hush/);
    await client.admin.secrets.delete(made.id as string);
    assert.deepEqual(await list(), []);
  });

  it("Arcade's command line sets, lists and removes them", async () => {
    const own = '/v1/orgs/default/projects/default/secrets';
    const body = { description: 'Secret set via CLI', value: 'hush-1' };
    assert.equal((await server.ask('PUT', `${own}/API_TOKEN`, { body })).status, 200);
    const [secret] = await list(own);
    const { id, key, binding, description, hint, last_accessed_at, created_at } = secret;
    assert.deepEqual(
      [key, binding, description, hint, last_accessed_at],
      ['API_TOKEN', { type: 'project', id: 'default' }, 'Secret set via CLI', null, null],
    );
    assert.equal(typeof created_at, 'string');
    assert.equal((await server.ask('DELETE', `${own}/${id}`)).status, 204);
    assert.deepEqual(await list(own), []);
  });

  it('bad input is told by its field, and the value is not repeated', async () => {
    for (const [path, body, field] of [
      ['API_TOKEN', { value: 'hush'.repeat(1251) }, 'value'],
      ['API_TOKEN', { value: '' }, 'value'],
      ['API_TOKEN', {}, 'value'],
      ['API_TOKEN', { value: 'hush\0' }, 'value'],
      ['API_TOKEN', { value: 'hush', description: 'd'.repeat(1001) }, 'description'],
      ['API%20TOKEN', { value: 'hush' }, 'secret_key'],
      ['K'.repeat(101), { value: 'hush' }, 'secret_key'],
    ] as const) {
      const refused = await server.ask('POST', `/v1/admin/secrets/${path}`, { body });
      assert.deepEqual([refused.status, refused.body.field], [400, field]);
      assert.doesNotMatch(JSON.stringify(refused.body), /hush/);
    }
    assert.deepEqual(await list(), []);
  });

  it('a value of many lines is kept', async () => {
    const value = '-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----\n';
    assert.equal((await server.ask('POST', '/v1/admin/secrets/PEM', { body: { value } })).status, 200);
    const { secrets } = server.app.rooms.credentials;
    assert.equal(await secrets.open('default', 'PEM'), value);
  });

  it('those of the organisation are changed by its owners only, and told apart', async () => {
    const key = await server.newKey({ name: 'admin', scopes: ['admin'] });
    const path = `/v1/admin/secrets/SHARED${organization}`;
    const body = { value: 'hush' };
    const refused = await server.ask('POST', path, { key, body });
    assert.deepEqual([refused.status, refused.body.name], [403, 'identity.scope_missing']);
    const made = await server.ask('POST', path, { body });
    assert.deepEqual([made.status, made.body.binding], [200, { type: 'tenant', id: 'default' }]);
    assert.equal((await server.ask('DELETE', `/v1/admin/secrets/${made.body.id}`, { key })).status, 403);
    await server.ask('POST', '/v1/admin/secrets/OWN', { key, body });
    const keysAt = async (query: string) =>
      (await list(`/v1/admin/secrets${query}`)).map((one: { key: string }) => one.key);
    assert.deepEqual(await keysAt(''), ['OWN', 'SHARED']);
    assert.deepEqual(await keysAt(organization), ['SHARED']);
    assert.deepEqual(await keysAt('?binding_type=project'), ['OWN']);
    const wrong = `/v1/admin/secrets/${made.body.id}?binding_type=project`;
    assert.equal((await server.ask('DELETE', wrong)).status, 404);
    assert.equal((await server.ask('DELETE', `/v1/admin/secrets/${made.body.id}`)).status, 204);
  });

  it('a change is recorded by its key, without the value', async () => {
    const path = '/v1/admin/secrets/RECORDED';
    const { body } = await server.ask('POST', path, { body: { value: 'hush-1', description: 'of CI' } });
    await server.ask('DELETE', `/v1/admin/secrets/${body.id}`);
    const { items } = (await server.ask('GET', '/v1/audit_events?limit=2')).body;
    const [removed, made] = items;
    assert.deepEqual([made.tool, made.changes.after.name], ['secrets.upsert', 'RECORDED']);
    assert.deepEqual([removed.tool, removed.changes.before.name], ['secrets.delete', 'RECORDED']);
    assert.doesNotMatch(JSON.stringify(items), /hush/);
  });

  it('at an address that is tried out, only who sets them sends them, and no answer repeats one', async (context) => {
    const heard: (string | undefined)[] = [];
    const echo = createServer(async (request, response) => {
      const { id = null } = (await json(request)) as { id?: unknown };
      const key = String(request.headers['x-key']);
      heard.push(key);
      const error = { code: -32000, message: `the key ${key} is unknown here` };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ jsonrpc: '2.0', id, error }));
    });
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    context.after(() => echo.close());
    const uri = `http://127.0.0.1:${(echo.address() as AddressInfo).port}/mcp`;
    await server.ask('POST', '/v1/admin/secrets/TRIED', { body: { value: 'hush-tried' } });
    const { identity } = server.app.rooms;
    const who = await signIn(identity, saidByLink('editor@example.com'), 'editor');
    const key = `Bearer ${await tokenFor(identity, who, null, { issuer: server.url })}`;
    const body = { type: 'mcp', mcp: { uri, headers: { 'x-key': `\${secret:TRIED}` } } };
    const refused = await server.ask('POST', '/v1/workers/test', { key, body });
    assert.deepEqual([refused.status, refused.body.name], [403, 'identity.scope_missing']);
    assert.deepEqual(heard, []);
    const plain = { type: 'mcp', mcp: { uri, headers: { 'x-key': 'plain' } } };
    assert.equal((await server.ask('POST', '/v1/workers/test', { key, body: plain })).status, 200);
    const tried = await server.ask('POST', '/v1/workers/test', { body });
    assert.equal(heard.at(-1), 'hush-tried');
    assert.equal(tried.body.success, false);
    assert.match(tried.body.message, /is unknown here/);
    assert.doesNotMatch(JSON.stringify(tried.body), /hush/);
  });
});
