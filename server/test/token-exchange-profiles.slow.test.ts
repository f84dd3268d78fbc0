import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createRemoteJWKSet, decodeJwt, jwtVerify, SignJWT } from 'jose';
import type { Caller } from '#domain';
import { createBrowser } from './browser.ts';
import { discoveryOf, type Exchanging, startExchanging } from './exchanging.ts';
import { type OAuthSource, startOAuthSource } from './oauth-source.ts';
import { type Json, messageOf, startApp, type TestApp, toolCall } from './start-app.ts';

const userIn = (result: Json): string =>
  result.structuredContent?.user ?? assert.fail(JSON.stringify(result));
const audience = 'https://internal.example';

describe('on-behalf-of at Entra', () => {
  let e: Exchanging;
  before(async () => {
    e = await startExchanging({
      idp: { preset: 'entra' },
      settings: ({ clientId, clientSecret }) => ({
        ...{ profile: 'entra_obo', scopes: [`${audience}/.default`], audience: undefined },
        ...{ auth_method: 'client_secret_post', client_id: clientId, client_secret: clientSecret },
      }),
      source: { preset: 'entra', scopes: ['openid', 'profile', 'email', 'offline_access'] },
    });
  });
  after(() => e.close());

  it('gives each of two users a token of their own for the API', async () => {
    const [alice, bob] = [await e.signIn('alice'), await e.signIn('bob')];
    const users = await Promise.all([alice, bob].map(async ({ token }) => userIn(await e.call(token))));
    assert.deepEqual(users, ['00u1alice', '00u2bob']);
    const [form] = e.idp.exchange.requests;
    assert.equal(form?.get('requested_token_use'), 'on_behalf_of');
    assert.equal(form?.get('scope'), `${audience}/.default`);
    assert.equal(form?.has('audience'), false);
  });

  it('tells whoever runs the server that people sign in for another API', async () => {
    const { token } = await e.signIn('bob');
    const description =
      'AADSTS500131: Assertion audience does not match the Client app presenting the assertion.';
    e.idp.exchange.error = { status: 400, error: 'invalid_grant', error_description: description };
    const told = JSON.stringify(await e.call(token));
    e.idp.exchange.error = null;
    assert.match(told, /credentials\.not_configured/);
    assert.match(told, /scope of our own app/);
  });

  it('tells whoever runs the server that an administrator has to consent, and nobody to sign in again', async () => {
    const { token } = await e.signIn('alice');
    const description = 'AADSTS65001: The user or administrator has not consented to use the application.';
    e.idp.exchange.error = { status: 400, error: 'invalid_grant', error_description: description };
    const told = JSON.stringify(await e.call(token));
    e.idp.exchange.error = null;
    assert.match(told, /credentials\.not_configured/);
    assert.match(told, /administers the directory consents/);
  });
});

describe('an identity assertion at a gateway of ours', () => {
  let e: Exchanging;
  let upstream: TestApp;
  let gatewayUrl: string;

  before(async () => {
    upstream = await startApp('egress: { allow: [127.0.0.1] }');
    const made = await upstream.api('POST', '/v1/service_accounts', { name: 'Another gateway' });
    const client = (await made.json()) as Json;
    gatewayUrl = `${upstream.url}/mcp/company`;
    e = await startExchanging({
      settings: () => ({
        ...{ profile: 'id_jag', token_endpoint: `${upstream.url}/oauth2/token`, audience: upstream.url },
        ...{ resource: gatewayUrl, client_id: client.id, client_secret: client.client_secret },
      }),
    });
    e.idp.exchange.assertionsFor.set(upstream.url, client.id);
    const source = await upstream.api('POST', '/v1/user_sources', {
      ...{ name: 'Company', issuer: e.idp.issuer },
      ...{ client_id: e.idp.clientId, client_secret: e.idp.clientSecret },
      ...{ user_claim: 'email', assertion_client_ids: [client.id] },
    });
    const { id, ...other } = (await source.json()) as Json;
    assert.equal(source.status, 201, JSON.stringify(other));
    const gateway = { name: 'Company', slug: 'company', auth_types: ['user_source'], user_source_ids: [id] };
    assert.equal((await upstream.api('POST', '/v1/gateways', gateway)).status, 201);
  });
  after(async () => {
    await e?.close();
    await upstream?.close();
  });

  it('lets each of two users in there as themselves', async () => {
    for (const login of ['alice', 'bob']) {
      const { token } = await e.signIn(login);
      const carried = await carriedBy(e, await e.enter(token));
      const claims = decodeJwt(carried);
      assert.equal(claims.aud, gatewayUrl);
      assert.equal(claims.sub, `${login}@example.com`);
      const listed = await upstream.rpc(
        'company',
        { id: 1, method: 'tools/list' },
        { authorization: `Bearer ${carried}`, 'arcade-user-id': '' },
      );
      assert.equal(listed.status, 200);
    }
    const form = e.idp.exchange.requests.at(-1);
    assert.equal(form?.get('subject_token_type'), 'urn:ietf:params:oauth:token-type:id_token');
    assert.equal(form?.get('audience'), upstream.url);
  });

  it('is not had where the issuer does not give it for that server', async () => {
    const { token } = await e.signIn('alice');
    e.idp.exchange.assertionsFor.clear();
    const told = JSON.stringify(await e.call(token));
    assert.match(told, /credentials\.not_configured/);
    assert.match(told, /invalid_target/);
  });
});

async function carriedBy({ app }: Exchanging, caller: Caller): Promise<string> {
  const { catalog, credentials } = app.app.rooms;
  const tool = catalog.tools('default').find(({ qualifiedName }) => qualifiedName === 'Acting.Read');
  assert.ok(tool !== undefined);
  const given = await credentials.attach({ caller, tool, gateway: 'main', given: [] });
  return given.ok && given.value?.authorization
    ? given.value.authorization.token
    : assert.fail(JSON.stringify(given));
}

describe('an endpoint for assertions that is not of the issuer', () => {
  it('is not told who we are to the issuer, nor given a token', async () => {
    const other = await startOAuthSource();
    const e = await startExchanging({
      settings: () => ({ profile: 'id_jag', assertion_endpoint: `${other.origin}/token` }),
    });
    try {
      const { token } = await e.signIn('alice');
      const told = JSON.stringify(await e.call(token));
      assert.match(
        told,
        /credentials\.not_configured.*assertion_endpoint|assertion_endpoint.*credentials\.not_configured/,
      );
      assert.deepEqual(other.visited, []);
    } finally {
      await e.close();
      await other.close();
    }
  });
});

for (const how of ['offered there', 'demanded here'] as const) {
  describe(`an MCP server whose authorization server takes identity assertions, as it is ${how}`, () => {
    let e: Exchanging;
    let source: OAuthSource;

    before(async () => {
      const isOffered = how === 'offered there';
      e = await startExchanging(isOffered ? {} : { config: () => ({ auth_providers: [], workers: [] }) });
      source = await startOAuthSource();
      const profile = 'urn:ietf:params:oauth:grant-profile:id-jag';
      if (isOffered)
        source.metadata = (metadata) => ({ ...metadata, authorization_grant_profiles_supported: [profile] });
      const keys = createRemoteJWKSet(new URL((await discoveryOf(e.idp)).jwks_uri));
      source.tokenAnswer = async (form) => {
        if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') return null;
        const expected = { issuer: e.idp.issuer, audience: source.origin, typ: 'oauth-id-jag+jwt' };
        const { payload } = await jwtVerify(form.get('assertion') ?? '', keys, expected);
        assert.equal(payload.resource, source.uri);
        assert.equal(payload.client_id, 'client-1');
        const access_token = source.admit(String(payload.sub), String(payload.scope).split(' '));
        const body = { access_token, token_type: 'Bearer', expires_in: 3600, scope: payload.scope };
        return { status: 200, body: JSON.stringify(body) };
      };
      await e.app.api('POST', '/v1/workers', {
        id: 'guarded',
        type: 'mcp',
        mcp: { uri: source.uri, ...(isOffered ? {} : { oauth2: { identity_assertion: true } }) },
      });
      const asked = (await (await e.app.api('POST', '/v1/workers/guarded/authorize', {})).json()) as Json;
      const browser = createBrowser();
      const page = await browser.open(asked.authorization_url);
      await browser.submit(page);
      const health = (await (await e.app.api('GET', '/v1/workers/guarded/health')).json()) as Json;
      assert.equal(health.healthy, true, health.message);
      e.idp.exchange.assertionsFor.set(source.origin, 'client-1');
    });
    after(async () => {
      await e?.close();
      await source?.close();
    });

    const whoAmI = async (token: string) => await e.call(token, 'guarded_WhoAmI');
    const bearerGrants = () =>
      source.asked.filter((form) => form.get('grant_type')?.endsWith('jwt-bearer')).length;

    it('is called for each of two users without asking either to consent', async () => {
      for (const [login, sub] of [
        ['alice', '00u1alice'],
        ['bob', '00u2bob'],
      ] as const) {
        const { token } = await e.signIn(login);
        const before = bearerGrants();
        for (let calls = 0; calls < 3; calls++) {
          const result = await whoAmI(token);
          assert.equal(result.content?.[0]?.text, sub, JSON.stringify(result));
        }
        assert.equal(bearerGrants() - before, 1);
      }
    });

    it('is given a token with more scopes where it wants more', async () => {
      const { token } = await e.signIn('alice');
      await whoAmI(token);
      const result = await e.call(token, 'guarded_Write');
      assert.equal(result.content?.[0]?.text, '00u1alice', JSON.stringify(result));
      const before = bearerGrants();
      assert.equal((await whoAmI(token)).content?.[0]?.text, '00u1alice');
      assert.equal((await e.call(token, 'guarded_Write')).content?.[0]?.text, '00u1alice');
      assert.equal(bearerGrants(), before, 'it has them all');
    });

    it('is not called without an assertion: users consent, unless it is demanded', async () => {
      e.idp.exchange.assertionsFor.clear();
      const { token } = await e.signIn('bob');
      const result = await whoAmI(token);
      e.idp.exchange.assertionsFor.set(source.origin, 'client-1');
      if (how === 'offered there') assert.match(result._meta.authorization_url, /\/connect\//);
      else assert.match(JSON.stringify(result), /credentials\.not_configured/);
    });

    it('asks a user of an API key to consent, unless it is demanded', async () => {
      const asked = await e.app.rpc('main', toolCall('guarded_WhoAmI'), { 'arcade-user-id': 'carol' });
      const { result } = await messageOf(asked);
      if (how === 'offered there') assert.match(result._meta.authorization_url, /\/connect\//);
      else assert.match(JSON.stringify(result), /own sign-in/);
    });
  });
}

describe('a signed word for the user', () => {
  const secret = 'a-secret-that-the-issuer-has-too-0123456789';
  let e: Exchanging;
  before(async () => {
    e = await startExchanging({
      config: () => ({
        gateways: [
          { slug: 'asserted', user_assertion: { issuer: 'https://portal.example', secret } },
          { slug: 'main', auth_types: ['arcade_header'] },
        ],
      }),
    });
  });
  after(() => e.close());

  it('is what is exchanged where a gateway demands it, and an issuer that does not believe it is told of', async () => {
    const assertion = await new SignJWT({ iss: 'https://portal.example', sub: 'alice' })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(Buffer.from(secret));
    const headers = { 'arcade-user-id': assertion };
    const { result } = await messageOf(await e.app.rpc('asserted', toolCall('Acting_Read'), headers));
    const form = e.idp.exchange.requests.at(-1);
    assert.equal(form?.get('subject_token'), assertion);
    assert.equal(form?.get('subject_token_type'), 'urn:ietf:params:oauth:token-type:jwt');
    assert.match(JSON.stringify(result), /credentials\.not_configured/);
  });
});
