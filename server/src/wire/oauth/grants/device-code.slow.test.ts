import assert from 'node:assert/strict';
import { after, before, describe, it, mock } from 'node:test';
import { type Answer, type Browser, claimsOf } from '../fixtures/oauth-server.ts';
import { type ServerWithTools, startServerWithTools } from './fixtures/programs.ts';

let server: ServerWithTools;
before(async () => {
  server = await startServerWithTools();
});
after(() => server?.close());

const grant_type = 'urn:ietf:params:oauth:grant-type:device_code';

/** A headless machine: no browser, no redirect. */
async function newDevice(): Promise<string> {
  const { status, body } = await server.register({
    client_name: 'A headless machine',
    grant_types: [grant_type, 'refresh_token'],
    token_endpoint_auth_method: 'none',
  });
  assert.equal(status, 201, JSON.stringify(body));
  return body.client_id;
}

async function begin(client_id: string, fields: Record<string, string> = {}) {
  const { status, body } = await server.form('/oauth2/device_authorization', { client_id, ...fields });
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

const poll = (client_id: string, device_code: string): Promise<Answer> =>
  server.form('/oauth2/token', { grant_type, client_id, device_code });

/** Goes on from page to page as a person does who agrees to all of it; the words of the last page. */
async function agree(browser: Browser, url: string, answers: Record<string, string> = {}): Promise<string> {
  let response = await browser.get(url);
  for (let hop = 0; hop < 12; hop++) {
    const location = response.headers.get('location');
    if (location !== null) {
      response = await browser.get(new URL(location, response.url).href);
      continue;
    }
    const page = await response.text();
    const refresh = /http-equiv="refresh" content="0;url=([^"]+)"/.exec(page)?.[1];
    const action = /<form[^>]* action="([^"]+)"/.exec(page)?.[1];
    if (refresh !== undefined)
      response = await browser.get(new URL(refresh.replaceAll('&amp;', '&'), response.url).href);
    else if (action === undefined || page.includes('role="alert"')) return page;
    else {
      const hidden = [...page.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)];
      const fields = Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, value]));
      response = await browser.post(action, { ...fields, answer: 'allow', ...answers });
    }
  }
  throw new Error('sent around in a circle');
}

describe('a device without a browser', () => {
  it('our own command line gets tokens for the API once somebody agrees elsewhere', async () => {
    const begun = await begin('sallyport-cli');
    assert.match(begun.user_code, /^[A-Z]{4}-[A-Z]{4}$/);
    assert.equal(begun.verification_uri, `${server.url}/oauth2/device`);
    assert.ok(begun.expires_in > 0 && begun.expires_in <= 600);
    const waiting = await poll('sallyport-cli', begun.device_code);
    assert.deepEqual([waiting.status, waiting.body.error], [400, 'authorization_pending']);
    const hasty = await poll('sallyport-cli', begun.device_code);
    assert.deepEqual([hasty.status, hasty.body.error], [400, 'slow_down']);

    const browser = await server.signedIn('ada@example.com');
    const page = await agree(browser, begun.verification_uri_complete);
    assert.match(page, /is connected/);

    const { status, body } = await poll('sallyport-cli', begun.device_code);
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(claimsOf(body.access_token).aud, `${server.url}/v1`);
    assert.equal(claimsOf(body.access_token).sid, browser.signInId);
    const used = await server.ask('GET', '/v1/tools?user_id=ada@example.com', {
      key: `Bearer ${body.access_token}`,
    });
    assert.equal(used.status, 200, JSON.stringify(used.body));
    const again = await poll('sallyport-cli', begun.device_code);
    assert.deepEqual([again.status, again.body.error], [400, 'invalid_grant']);
  });

  it('that registered itself gets tokens for the gateway it asked for, and renews them', async () => {
    const client_id = await newDevice();
    const { device_code, verification_uri_complete } = await begin(client_id, { resource: server.gateway });
    await agree(await server.signedIn('ada@example.com'), verification_uri_complete);
    const { status, body } = await poll(client_id, device_code);
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual(
      [claimsOf(body.access_token).aud, claimsOf(body.access_token).sub],
      [server.gateway, 'ada@example.com'],
    );
    const renewed = await server.form('/oauth2/token', {
      grant_type: 'refresh_token',
      client_id,
      refresh_token: body.refresh_token,
    });
    assert.equal(renewed.status, 200, JSON.stringify(renewed.body));
    assert.equal(claimsOf(renewed.body.access_token).aud, server.gateway);
  });

  it('shows a code that is worth nothing a second time, to nobody else, and without a form of ours', async () => {
    const client_id = await newDevice();
    const { device_code, user_code, verification_uri_complete } = await begin(client_id, {
      resource: server.gateway,
    });
    const browser = await server.signedIn('ada@example.com');
    const forged = await browser.post('/oauth2/device', { user_code, step: 'confirm', confirm: 'yes' });
    assert.match(await forged.text(), /too old/);
    assert.equal((await poll(client_id, device_code)).body.error, 'authorization_pending');
    const other = await newDevice();
    assert.equal((await poll(other, device_code)).body.error, 'invalid_grant');
    await agree(browser, verification_uri_complete);
    assert.match(await agree(browser, verification_uri_complete), /There is no such code/);
    const bob = await server.signedIn('bob@example.com');
    assert.match(await agree(bob, verification_uri_complete), /There is no such code/);
    const { body } = await poll(client_id, device_code);
    assert.equal(claimsOf(body.access_token).sub, 'ada@example.com');
  });

  it('whom the person turns away is told so', async () => {
    const client_id = await newDevice();
    const { device_code, verification_uri_complete } = await begin(client_id, { resource: server.gateway });
    await agree(await server.signedIn('ada@example.com'), verification_uri_complete, { abort: 'yes' });
    const { status, body } = await poll(client_id, device_code);
    assert.deepEqual([status, body.error], [400, 'access_denied']);
  });

  it('of whose person nobody may come in gets nothing', async () => {
    const client_id = await newDevice();
    const { device_code, verification_uri_complete } = await begin(client_id, { resource: server.gateway });
    const stranger = await server.signedIn('stranger@example.com', null);
    assert.doesNotMatch(await agree(stranger, verification_uri_complete), /is connected/);
    assert.equal((await poll(client_id, device_code)).body.error, 'authorization_pending');
  });

  it('waits ten minutes, and no longer', async () => {
    const client_id = await newDevice();
    const begun = await begin(client_id, { resource: server.gateway });
    mock.timers.enable({ apis: ['Date'], now: Date.now() + 601_000 });
    try {
      const { status, body } = await poll(client_id, begun.device_code);
      assert.deepEqual([status, body.error], [400, 'expired_token']);
      const browser = await server.signedIn('ada@example.com');
      assert.match(
        await agree(browser, begun.verification_uri_complete),
        /There is no such code|too old|expired/i,
      );
    } finally {
      mock.timers.reset();
    }
  });

  it('is told nothing of a gateway that is not there', async () => {
    const client_id = await newDevice();
    const { status, body } = await server.form('/oauth2/device_authorization', {
      client_id,
      resource: `${server.url}/mcp/no-such-gateway`,
    });
    assert.deepEqual([status, body.error], [400, 'invalid_target']);
  });
});

describe('whoever tries codes that nobody has', () => {
  it('waits after ten of them, and others go on', async () => {
    const guesser = await server.signedIn('guesser@example.com');
    const statuses = [];
    for (let count = 0; count < 12; count++) {
      const response = await guesser.get(`/oauth2/device?user_code=BCDF-GHJ${'BCDFGHJKLMNP'[count]}`);
      statuses.push(response.status);
      await response.text();
    }
    assert.deepEqual(statuses, [...Array(10).fill(200), 429, 429]);
    const client_id = await newDevice();
    const { device_code, verification_uri_complete } = await begin(client_id, { resource: server.gateway });
    const held = await guesser.get(verification_uri_complete);
    assert.deepEqual([held.status, /Too many codes/.test(await held.text())], [429, true]);
    await agree(await server.signedIn('ada@example.com'), verification_uri_complete);
    assert.equal((await poll(client_id, device_code)).status, 200);
  });
});
