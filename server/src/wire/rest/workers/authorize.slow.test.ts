import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import Arcade from '@arcadeai/arcadejs';
import { createBrowser } from '../../../../test/browser.ts';
import { type OAuthSource, startOAuthSource } from '../../../../test/oauth-source.ts';
import { type RestServer, startRestServer } from '../fixtures/rest-server.ts';

/** An MCP server with an authorization server of its own, registered over the API. */
let server: RestServer;
let source: OAuthSource;
let key: string;

before(async () => {
  source = await startOAuthSource();
  server = await startRestServer();
  key = await server.newKey({ name: 'calls', scopes: ['read', 'call'] });
  const body = { id: 'guarded', type: 'mcp', mcp: { uri: source.uri } };
  assert.equal((await server.ask('POST', '/v1/workers', { body })).status, 201);
});
after(async () => {
  await server?.close();
  await source?.close();
});

const look = async () => (await server.ask('GET', '/v1/workers/guarded/authorize')).body;
const status = (id: string, as?: string) =>
  server.ask('GET', `/v1/auth/status?id=${id}`, as === undefined ? {} : { key: as });

async function consent(url: string, as: string): Promise<void> {
  source.signedInAs = as;
  const browser = createBrowser();
  const page = await browser.open(url);
  const done = page.forms.length === 0 ? page : await browser.submit(page);
  assert.match(done.text, /is connected/);
}

describe('an MCP server that wants OAuth', () => {
  it('says in the shape of Arcade whether its tools can be listed, and where to consent', async () => {
    const pending = await look();
    const { url, ...rest } = pending;
    assert.deepEqual(rest, { worker_id: 'guarded', user_id: '', status: 'pending', scopes: ['read'] });
    assert.equal((await look()).url, url);
    const { body: ours } = await server.ask('POST', '/v1/workers/guarded/authorize', { body: {} });
    assert.equal(ours.authorization_url, url);

    assert.equal((await status(ours.authorization_id)).body.status, 'pending');
    assert.equal((await status(ours.authorization_id, key)).status, 404);
    await consent(url, 'the list');
    const { body: followed } = await status(ours.authorization_id);
    assert.deepEqual([followed.status, followed.user_id, 'context' in followed], ['completed', '', false]);
    const completed = { worker_id: 'guarded', user_id: '', status: 'completed', scopes: [] };
    assert.deepEqual(await look(), completed);
  });

  it('asks each user, as arcadejs drives it, and gives its token to nobody else', async () => {
    const client = new Arcade({ baseURL: server.url, apiKey: key });
    const asked = { tool_name: 'guarded.WhoAmI', user_id: 'ada' };
    let told: { authorization_id?: string; authorization_url?: string } = {};
    await assert.rejects(client.tools.execute(asked), (error) => {
      assert.ok(error instanceof Arcade.PermissionDeniedError);
      told = error.error as typeof told;
      return true;
    });
    const auth = await client.tools.authorize(asked);
    assert.deepEqual([auth.id, auth.url], [told.authorization_id, told.authorization_url]);
    assert.deepEqual([auth.status, auth.provider_id], ['pending', 'guarded']);
    const waiting = client.auth.waitForCompletion(auth);
    await consent(auth.url ?? '', 'ada at the source');
    const done = await waiting;
    assert.equal('context' in done, false);
    assert.equal((await client.tools.execute(asked)).output?.value, 'ada at the source');
    assert.equal((await client.tools.authorize(asked)).status, 'completed');
    const { items } = await new Arcade({
      baseURL: server.url,
      apiKey: await server.newKey({ name: 'a', scopes: ['admin'] }),
    }).admin.userConnections.list({ user_id: 'ada' });
    assert.deepEqual(
      items.map(({ provider_id, provider_type }) => [provider_id, provider_type]),
      [['guarded', 'mcp_server']],
    );
  });

  it('that is not there is unknown', async () => {
    const { status: code, body } = await server.ask('GET', '/v1/workers/nope/authorize');
    assert.deepEqual([code, body.name], [404, 'resource.unknown']);
  });
});
