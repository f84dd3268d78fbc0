import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import {
  allow,
  type Browser,
  newVerifier,
  type OAuthServer,
  startOAuthServer,
} from '../../oauth/fixtures/oauth-server.ts';

/** What Arcade's command line does, request for request. It names no resource, and asks for these scopes. */
const scope = 'openid offline_access';
const redirectUri = 'http://127.0.0.1:9905/callback';

let server: OAuthServer;
before(async () => {
  server = await startOAuthServer();
});
after(() => server.close());

async function get(path: string, authorization?: string) {
  const headers = authorization === undefined ? {} : { authorization };
  const response = await fetch(server.url + path, { headers });
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}

/** `arcade login`. */
async function login(browser: Browser) {
  const { body: config } = await get('/api/v1/auth/cli_config');
  assert.deepEqual(Object.keys(config).sort(), ['authorization_endpoint', 'client_id', 'token_endpoint']);
  const { verifier, challenge } = newVerifier();
  const state = randomBytes(16).toString('hex');
  const url = new URL(config.authorization_endpoint);
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: config.client_id,
    redirect_uri: redirectUri,
    scope,
    state,
    code_challenge: challenge,
    code_challenge_method: 'S256',
  }).toString();
  const back = await allow(browser, url.href);
  assert.equal(back.origin + back.pathname, redirectUri);
  assert.equal(back.searchParams.get('state'), state);
  const token = await server.form(new URL(config.token_endpoint).pathname, {
    grant_type: 'authorization_code',
    code: back.searchParams.get('code') ?? '',
    redirect_uri: redirectUri,
    code_verifier: verifier,
    client_id: config.client_id,
  });
  assert.equal(token.status, 200, JSON.stringify(token.body));
  const { access_token, refresh_token, expires_in, token_type } = token.body;
  assert.deepEqual([typeof refresh_token, typeof expires_in, token_type], ['string', 'number', 'Bearer']);
  return { bearer: `Bearer ${access_token}`, refreshToken: refresh_token as string, config };
}

async function refresh(refreshToken: string) {
  const { body: config } = await get('/api/v1/auth/cli_config');
  const fields = { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: config.client_id };
  return await server.form(new URL(config.token_endpoint).pathname, fields);
}

describe("Arcade's command line", () => {
  it('signs in, learns who and where it is, works there, and renews its token', async () => {
    const { bearer, refreshToken } = await login(await server.signedIn('ada@example.com', 'admin'));

    const { body: whoami } = await get('/api/v1/auth/whoami', bearer);
    const { account_id, email, organizations, projects } = whoami.data;
    assert.match(account_id, /^usr_/);
    assert.equal(email, 'ada@example.com');
    assert.deepEqual(organizations, [
      { organization_id: 'default', org_id: 'default', name: 'Default', is_default: true },
    ]);
    assert.deepEqual(projects, [
      { project_id: 'default', organization_id: 'default', name: 'Default', is_default: true },
    ]);
    assert.deepEqual((await get('/api/v1/orgs', bearer)).body.data, { items: organizations });
    assert.deepEqual((await get('/api/v1/orgs/default/projects', bearer)).body.data, { items: projects });

    const engine = '/v1/orgs/default/projects/default';
    assert.equal((await get(`${engine}/workers`, bearer)).status, 200);
    const made = await server.ask('POST', `${engine}/gateways`, {
      key: bearer,
      body: {
        name: 'G',
        auth_type: 'arcade',
        tool_filter: { allowed_tools: ['Github.CreateIssue'] },
        slug: 'g',
      },
    });
    assert.equal(made.status, 201, JSON.stringify(made.body));

    const renewed = await refresh(refreshToken);
    assert.equal(renewed.status, 200, JSON.stringify(renewed.body));
    assert.equal((await get('/api/v1/auth/whoami', `Bearer ${renewed.body.access_token}`)).status, 200);
    assert.equal((await refresh(refreshToken)).body.error, 'invalid_grant');
  });

  it('works without a browser of its own, by a code', async () => {
    const { body: config } = await get('/api/v1/auth/cli_config');
    const asked = await server.form('/oauth2/device_authorization', { client_id: config.client_id, scope });
    assert.equal(asked.status, 200, JSON.stringify(asked.body));
    const poll = () =>
      server.form('/oauth2/token', {
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
        device_code: asked.body.device_code,
        client_id: config.client_id,
      });
    assert.equal((await poll()).body.error, 'authorization_pending');
    await confirmDevice(await server.signedIn('dan@example.com'), asked.body.verification_uri_complete);
    const token = await poll();
    assert.equal(token.status, 200, JSON.stringify(token.body));
    const { body } = await get('/api/v1/auth/whoami', `Bearer ${token.body.access_token}`);
    assert.equal(body.data.email, 'dan@example.com');
  });

  it('sees only the organisation and the projects that its person has a role in', async () => {
    const { people } = server.app.rooms.identity;
    const second = await people.createProject('default', 'Second');
    const { bearer } = await login(await server.signedIn('eve@example.com', 'member'));
    const { body } = await get('/api/v1/orgs/default/projects', bearer);
    assert.deepEqual(
      body.data.items.map(({ project_id }: { project_id: string }) => project_id),
      ['default'],
    );
    assert.equal((await get(`/v1/orgs/default/projects/${second.id}/tools`, bearer)).status, 404);
    const there = await people.createOrganization('There');
    for (const org of [there.id, 'no.such']) {
      const { status, body } = await get(`/api/v1/orgs/${org}/projects`, bearer);
      assert.deepEqual(
        [status, body],
        [404, { code: 404, msg: 'there is no such organization', error: 'resource.unknown' }],
      );
    }
  });

  it('is out at once when its person is deactivated', async () => {
    const { bearer, refreshToken } = await login(await server.signedIn('bob@example.com'));
    const { body: whoami } = await get('/api/v1/auth/whoami', bearer);
    const path = `/v1/people/${whoami.data.account_id}`;
    const changed = await server.ask('PATCH', path, { body: { active: false } });
    assert.equal(changed.status, 200, JSON.stringify(changed.body));
    const refused = await get('/api/v1/auth/whoami', bearer);
    assert.equal(refused.status, 401);
    assert.equal(refused.body.code, 401);
    assert.match(
      refused.headers.get('www-authenticate') ?? '',
      /oauth-protected-resource\/v1".*invalid_token/,
    );
    assert.equal((await refresh(refreshToken)).body.error, 'invalid_grant');
  });
});

describe('what it asks', () => {
  it('takes the token of a person, and no key', async () => {
    for (const path of ['/api/v1/auth/whoami', '/api/v1/orgs', '/api/v1/orgs/default/projects']) {
      for (const authorization of [undefined, 'Bearer sp_test_admin_key_0123456789', 'Bearer e.y.J']) {
        const { status, body } = await get(path, authorization);
        assert.equal(status, 401, path);
        assert.deepEqual(Object.keys(body).sort(), ['code', 'error', 'msg']);
      }
    }
  });

  it('is told in its own words that there is nothing else', async () => {
    const told = await get('/api/v1/billing');
    assert.deepEqual([told.status, told.body.code, told.body.error], [404, 404, 'resource.unknown']);
    const posted = await server.ask('POST', '/api/v1/orgs', { body: {} });
    assert.deepEqual([posted.status, posted.body.code, posted.headers.get('allow')], [405, 405, 'GET']);
  });

  it('is told by /v1/config where to sign in', async () => {
    const { body } = await get('/v1/config');
    assert.equal(body.issuer, server.url);
    assert.deepEqual(body.dashboard, { authority: server.url, coordinatorUri: server.url });
    assert.equal(body.servers.timeout_max_seconds, 3600);
  });
});

/** Says yes to everything at the pages of a device code. */
async function confirmDevice(browser: Browser, url: string): Promise<void> {
  let response = await browser.get(url);
  for (let hop = 0; hop < 12; hop++) {
    const location = response.headers.get('location');
    const page = location === null ? await response.text() : '';
    if (page.includes('The device is connected')) return;
    const onward = location ?? /http-equiv="refresh" content="0;url=([^"]+)"/.exec(page)?.[1];
    if (onward !== undefined) {
      response = await browser.get(new URL(onward.replaceAll('&amp;', '&'), response.url).href);
      continue;
    }
    const action = /<form [^>]*action="([^"]+)"/.exec(page)?.[1];
    assert.ok(action !== undefined, `stuck at ${response.status}: ${page}`);
    const fields = [...page.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)];
    response = await browser.post(action, {
      ...Object.fromEntries(fields.map(([, name, value]) => [name, value])),
      answer: 'allow',
    });
  }
  assert.fail('sent around in a circle');
}
