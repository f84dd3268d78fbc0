import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Browser, claimsOf, type OAuthServer, startOAuthServer } from './fixtures/oauth-server.ts';

const grant = 'urn:ietf:params:oauth:grant-type:device_code';
let server: OAuthServer;
let gateway: string;
let clientId: string;

before(async () => {
  server = await startOAuthServer();
  gateway = await server.newGateway('demo');
  const metadata = {
    client_name: 'A television',
    grant_types: [grant, 'refresh_token'],
    token_endpoint_auth_method: 'none',
  };
  const registered = await server.register(metadata);
  assert.equal(registered.status, 201, JSON.stringify(registered.body));
  clientId = registered.body.client_id;
});
after(() => server.close());

async function begun(more: Record<string, string> = {}) {
  const answer = await server.form('/oauth2/device_authorization', {
    client_id: clientId,
    resource: gateway,
    ...more,
  });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body as {
    device_code: string;
    user_code: string;
    verification_uri: string;
    verification_uri_complete: string;
  };
}

const poll = (device_code: string, id = clientId) =>
  server.form('/oauth2/token', { grant_type: grant, device_code, client_id: id });

/** The fields of the only form on a page. */
function fieldsOf(page: string): Record<string, string> {
  const fields = [...page.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)];
  return Object.fromEntries(fields.map(([, name = '', value = '']) => [name, value]));
}

/** Enters the code, and says that it is the same; the answer to that. */
async function confirmed(
  browser: Browser,
  userCode: string,
  more: Record<string, string> = {},
): Promise<Response> {
  const asked = await (await browser.get('/oauth2/device')).text();
  const shown = await (
    await browser.post('/oauth2/device', { ...fieldsOf(asked), user_code: userCode })
  ).text();
  assert.match(shown, /A television/);
  return await browser.post('/oauth2/device', { ...fieldsOf(shown), ...more });
}

async function followed(browser: Browser, response: Response): Promise<string> {
  let current = response;
  for (let hop = 0; hop < 10; hop++) {
    const location = current.headers.get('location');
    const page = location === null ? await current.text() : '';
    const refresh = /content="0;url=([^"]+)"/.exec(page)?.[1]?.replaceAll('&amp;', '&');
    if (location !== null || refresh !== undefined) {
      current = await browser.get(location ?? refresh ?? '');
      continue;
    }
    if (!page.includes('value="allow"')) return page;
    const action = /<form method="post" action="([^"]+)"/.exec(page)?.[1] ?? '';
    current = await browser.post(action, { ...fieldsOf(page), answer: 'allow' });
  }
  throw new Error('sent around in a circle');
}

describe('a device without a browser', () => {
  it('gets a token once a person has entered its code, signed in and allowed it', async () => {
    const { device_code, user_code, verification_uri } = await begun({ scope: 'openid offline_access mcp' });
    assert.equal(verification_uri, `${server.url}/oauth2/device`);
    assert.match(user_code, /^[A-Z]{4}-[A-Z]{4}$/);
    assert.equal((await poll(device_code)).body.error, 'authorization_pending');
    const browser = await server.signedIn('ada@example.com');
    const page = await followed(browser, await confirmed(browser, user_code.toLowerCase()));
    assert.match(page, /The device is connected/);
    const given = await poll(device_code);
    assert.equal(given.status, 200, JSON.stringify(given.body));
    const claims = claimsOf(given.body.access_token);
    assert.equal(claims.aud, gateway);
    assert.equal(claims.sub, 'ada@example.com');
    assert.ok(given.body.refresh_token);
    assert.equal((await poll(device_code)).body.error, 'invalid_grant', 'once');
  });

  it('may give the person a link, which asks before anything else', async () => {
    const { device_code, verification_uri_complete, user_code } = await begun();
    const browser = await server.signedIn('ada@example.com');
    const shown = await (await browser.get(verification_uri_complete)).text();
    assert.ok(shown.includes(user_code));
    assert.equal((await poll(device_code)).body.error, 'authorization_pending');
    await followed(browser, await browser.post('/oauth2/device', fieldsOf(shown)));
    assert.equal((await poll(device_code)).status, 200);
  });

  it('is told where the person says no', async () => {
    const { device_code, user_code } = await begun();
    const browser = await server.signedIn('ada@example.com');
    const page = await followed(browser, await confirmed(browser, user_code, { abort: 'yes' }));
    assert.match(page, /It was not allowed/);
    assert.equal((await poll(device_code)).body.error, 'access_denied');
  });

  it("is not connected by another site's form, or without one", async () => {
    const { device_code, user_code } = await begun();
    const browser = await server.signedIn('ada@example.com');
    const shown = await (await browser.get(`/oauth2/device?user_code=${user_code}`)).text();
    const fields = fieldsOf(shown);
    await browser.post('/oauth2/device', fields, { origin: 'https://evil.example' });
    await browser.post('/oauth2/device', fields, { 'sec-fetch-site': 'cross-site' });
    await browser.post('/oauth2/device', { ...fields, form_token: '' });
    await browser.post('/oauth2/device', { xsrf: 'checked before', user_code, confirm: 'yes' });
    const thief = await server.signedIn('thief@example.com');
    await thief.post('/oauth2/device', fields);
    assert.equal((await poll(device_code)).body.error, 'authorization_pending');
  });

  it('is known by its own code alone, and to its own client', async () => {
    const { device_code, user_code } = await begun();
    const [row] = await server.app.rooms.db.query<{ id: string }>(
      `select id from oauth_records where model = 'DeviceCode' and user_code = $1`,
      [user_code.replace('-', '')],
    );
    for (const wrong of [user_code, `#${row?.id}`, row?.id ?? '', `${device_code}x`]) {
      const { status, body } = await poll(wrong);
      assert.equal(status, 400);
      assert.match(body.error, /^invalid_(grant|request)$/);
    }
    const other = await server.register({ grant_types: [grant], token_endpoint_auth_method: 'none' });
    assert.equal((await poll(device_code, other.body.client_id)).body.error, 'invalid_grant');
  });

  it('that waited too long is told so', async () => {
    const { device_code } = await begun();
    await server.app.rooms.db.query(
      `update oauth_records set payload = jsonb_set(payload::jsonb, '{exp}', '1')::json where model = 'DeviceCode'`,
    );
    assert.equal((await poll(device_code)).body.error, 'expired_token');
  });

  it('has a code that nobody finds by trying', async () => {
    const browser = await server.signedIn('mallory@example.com');
    let response = await browser.get('/oauth2/device?user_code=BBBB-BBBB');
    for (let count = 0; count < 60; count++) {
      await response.text();
      response = await browser.get(`/oauth2/device?user_code=BBBB-BBB${count}`);
    }
    assert.equal(response.status, 429);
    assert.match(await response.text(), /Too many/);
  });
});
