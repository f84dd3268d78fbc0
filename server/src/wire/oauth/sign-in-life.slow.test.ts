import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { UserSource } from '#identity';
import {
  type Answer,
  type Browser,
  claimsOf,
  type OAuthServer,
  startOAuthServer,
  tokensFor,
} from './fixtures/oauth-server.ts';

const redirectUri = 'http://127.0.0.1:7777/callback';
let server: OAuthServer;
let clientId: string;
let made = 0;

before(async () => {
  server = await startOAuthServer();
  const metadata = { redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' };
  clientId = (await server.register(metadata)).body.client_id;
});
after(() => server.close());

const identity = () => server.app.rooms.identity;

interface Connected {
  readonly slug: string;
  readonly source: UserSource;
  readonly browser: Browser;
  readonly signInId: string;
  /** The status of a call with the access token. */
  call(token?: string): Promise<number>;
  renew(): Promise<Answer>;
}

/** Somebody of a source of their own, connected by a client to a gateway of its own. */
async function connected(
  fields: object = {},
  said: { groups?: readonly string[]; claims?: Record<string, unknown> } = {},
): Promise<Connected> {
  const slug = `gw-${++made}`;
  const source = await newSource(`source-${made}`);
  const resource = await server.newGateway(slug, {
    auth_types: ['user_source'],
    user_source_ids: [source.id],
    ...fields,
  });
  const person = {
    organizationId: 'default',
    projectId: 'default',
    sourceId: source.id,
    issuer: source.issuer,
    subject: slug,
    userId: slug,
    email: `${slug}@example.com`,
    name: '',
    groups: [],
    ...said,
    claims: { sub: slug, upn: `${slug}@corp`, ...said.claims },
  };
  const known = await identity().people.signedIn(person);
  assert.ok(known.ok);
  const { signIn, cookie } = await identity().signIns.start(known.value.id, person, '');
  const browser = server.browser();
  browser.cookies.set('sallyport_sign_in', cookie);
  const asked = { clientId, redirectUri, resource, scope: 'openid mcp offline_access' };
  let { body } = await tokensFor(server, browser, asked);
  assert.ok(body.refresh_token, JSON.stringify(body));
  const first = body.access_token;
  return {
    slug,
    source,
    browser,
    signInId: signIn.id,
    async call(token = first) {
      const response = await fetch(resource, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
      });
      await response.arrayBuffer();
      return response.status;
    },
    async renew() {
      const { refresh_token } = body;
      const fields = { grant_type: 'refresh_token', client_id: clientId, refresh_token };
      const renewed = await server.form('/oauth2/token', fields);
      if (renewed.status === 200) body = renewed.body;
      return renewed;
    },
  };
}

async function newSource(id: string, userClaim = 'sub'): Promise<UserSource> {
  const source = await identity().userSources.create({
    id,
    projectId: 'default',
    name: id,
    description: '',
    issuer: 'https://idp.example',
    preset: null,
    clientId: 'sallyport',
    clientAuth: { by: 'none' },
    scopes: ['openid'],
    userClaim,
    groupsClaim: '',
    groupsRequired: false,
    allowedDomains: [],
    newPeople: null,
    assertionClients: [],
    status: 'active',
  });
  assert.ok(source.ok);
  return source.value;
}

async function change(slug: string, fields: object): Promise<void> {
  const { id } = server.app.rooms.catalog.view(slug)?.gateway ?? { id: '' };
  const changed = await server.ask('PATCH', `/v1/gateways/${id}`, { body: fields });
  assert.equal(changed.status, 200, JSON.stringify(changed.body));
}

/** Neither what was given before is worth anything, nor is anything given again. */
async function isOut(who: Connected): Promise<void> {
  assert.equal(await who.call(), 401);
  const { status, body } = await who.renew();
  assert.equal(status, 400, JSON.stringify(body));
  assert.match(body.error, /^invalid_(grant|target)$/);
}

describe('a sign-in that is connected', () => {
  it('of which a browser is not believed any more goes on, and the browser signs in anew', async () => {
    const who = await connected();
    const { db } = server.app.rooms;
    await db.query(`update sign_ins set browser_until = created_at where id = $1`, [who.signInId]);
    assert.equal(await who.call(), 200);
    const renewed = await who.renew();
    assert.equal(renewed.status, 200, JSON.stringify(renewed.body));
    assert.equal(await who.call(renewed.body.access_token), 200);
    const page = await who.browser.get('/oauth2/sessions');
    assert.match(await page.text(), /<h1>Sign in/);
  });

  it('that has expired renews nothing', async () => {
    const who = await connected();
    const { db } = server.app.rooms;
    await db.query(`update sign_ins set expires_at = created_at where id = $1`, [who.signInId]);
    const { status, body } = await who.renew();
    assert.deepEqual([status, body.error], [400, 'invalid_grant']);
  });

  it('of a gateway that sleeps is out, and in again when it wakes', async () => {
    const who = await connected();
    await change(who.slug, { status: 'inactive' });
    assert.equal(await who.call(), 401);
    assert.equal((await who.renew()).status, 400);
    await change(who.slug, { status: 'active' });
    assert.equal(await who.call(), 200);
    assert.equal((await who.renew()).status, 200);
  });

  it('of a gateway that takes other sign-ins from now on is out', async () => {
    const keysOnly = await connected();
    await change(keysOnly.slug, { auth_types: ['arcade_header'], user_source_ids: [] });
    await isOut(keysOnly);
    const membersOnly = await connected();
    await change(membersOnly.slug, { auth_types: ['arcade'], user_source_ids: [] });
    await isOut(membersOnly);
  });

  it('of a gateway that was removed is out at another one of its name, which it may not even renew for', async () => {
    const who = await connected();
    const { id } = server.app.rooms.catalog.view(who.slug)?.gateway ?? { id: '' };
    assert.equal((await server.ask('DELETE', `/v1/gateways/${id}`)).status, 204);
    assert.equal(await who.call(), 401);
    await server.newGateway(who.slug, { auth_types: ['user_source'], user_source_ids: [who.source.id] });
    await isOut(who);
  });

  it('of a source that is switched off is out, and in again when it is on', async () => {
    const who = await connected();
    const switched = (status: 'active' | 'inactive') =>
      identity().userSources.replace('default', who.source.id, { ...who.source, status });
    await switched('inactive');
    assert.equal(await who.call(), 401);
    assert.equal((await who.renew()).status, 400);
    await switched('active');
    assert.equal(await who.call(), 200);
  });

  it('of a source that was removed is out, also where another one gets its name and names people otherwise', async () => {
    const who = await connected();
    await identity().userSources.remove('default', who.source.id);
    assert.equal(await who.call(), 401);
    await newSource(who.source.id, 'upn');
    await isOut(who);
  });

  it('with a thousand groups is as good as any, and its tokens are as small', async () => {
    const groups = Array.from({ length: 1000 }, (_, n) => `a-group-of-the-company-with-a-long-name-${n}`);
    const who = await connected({}, { groups, claims: { groups, roles: groups } });
    assert.equal(await who.call(), 200);
    const { body } = await who.renew();
    assert.equal(await who.call(body.access_token), 200);
    assert.ok(body.access_token.length < 2000 && body.id_token.length < 2000);
    assert.equal(claimsOf(body.access_token).groups, undefined);
    const gateway = server.app.rooms.catalog.view(who.slug)?.gateway;
    assert.ok(gateway !== undefined);
    const entered = await identity().accessTokens.enter(body.access_token, gateway);
    assert.deepEqual(entered.ok && entered.value.groups, groups);
  });
});
