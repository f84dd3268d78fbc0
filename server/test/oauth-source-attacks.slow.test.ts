import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { type Browser, createBrowser, type Page } from './browser.ts';
import { type OAuthSource, startOAuthSource } from './oauth-source.ts';
import { type Json, startApp, type TestApp } from './start-app.ts';

const config = `
egress:
  allow: [127.0.0.1]
gateways:
  - name: Guarded
    slug: guarded
    auth_types: [arcade_header]
    naming: source
`;

describe('consents to sources, under attack', () => {
  let app: TestApp;
  let source: OAuthSource;
  let id: string;
  let count = 0;
  let browser: Browser;

  before(async () => {
    app = await startApp(config);
  });
  after(() => app.close());
  beforeEach(async () => {
    source = await startOAuthSource();
    browser = createBrowser();
    id = await register(source);
  });
  afterEach(async () => {
    await app.api('DELETE', `/v1/workers/${id}`);
    await source.close();
  });

  async function register(at: OAuthSource, oauth2?: Json): Promise<string> {
    const name = `guarded-${++count}`;
    const mcp = { uri: at.uri, ...(oauth2 === undefined ? {} : { oauth2 }) };
    const created = await app.api('POST', '/v1/workers', { id: name, type: 'mcp', mcp });
    assert.equal(created.status, 201);
    return name;
  }
  /** As `connectList` asks, so that no tool has to be listed before. */
  const authorize = (name = id) => app.api('POST', `/v1/workers/${name}/authorize`, { user_id: 'ada' });
  async function link(name = id): Promise<string> {
    const asked = await authorize(name);
    const body = (await asked.json()) as Json;
    assert.equal(asked.status, 200, body.message);
    return body.authorization_url;
  }
  const callback = (name = id) => `${app.url}/connect/callback/default/${name}`;
  /** The answer of the authorization server, before the browser brings it to us. */
  async function answerTo(url: string, at: Browser = browser): Promise<URL> {
    const page = await at.submit(await at.open(url), { stopAt: `${app.url}/connect/callback/` });
    return new URL(page.url);
  }
  const isConnected = (page: Page) => page.status === 200 && /is connected/.test(page.text);
  const codesRedeemed = () => source.asked.length;

  it('a link works in the one browser that opened it last: earlier answers lead nowhere, and end nothing', async () => {
    const url = await link();
    const early = await answerTo(url);
    const later = createBrowser();
    const answer = await answerTo(url, later);
    const page = await browser.open(early.href);
    assert.deepEqual([page.status, codesRedeemed()], [404, 0]);
    assert.ok(isConnected(await later.open(answer.href)));
    assert.equal(codesRedeemed(), 1);
  });

  it('whoever brings the answer of another browser gets nothing, and the code is worth nothing any more', async () => {
    const answer = await answerTo(await link());
    const brought = await createBrowser().open(answer.href);
    assert.deepEqual([brought.status, codesRedeemed()], [403, 0]);
    const page = await browser.open(answer.href);
    assert.deepEqual([page.status, codesRedeemed()], [400, 0]);
    const [record] = (await app.records('&kind=credential')) as [Json];
    assert.match(record.reason, /browser_mismatch/);
  });

  it('a victim who is sent the answer to the consent of an attacker does not take it', async () => {
    const attacker = createBrowser();
    const answer = await answerTo(await link(), attacker);
    const victim = await browser.open(answer.href);
    assert.deepEqual([victim.status, codesRedeemed()], [403, 0]);
  });

  it('an answer is taken once', async () => {
    const answer = await answerTo(await link());
    const mark = browser.cookies(app.url);
    const [first, second] = await Promise.all([browser.open(answer.href), browser.open(answer.href)]);
    assert.equal([first, second].filter(isConnected).length >= 1, true);
    assert.equal(codesRedeemed(), 1);
    for (const { name, value } of mark) browser.plant(app.url, `${name}=${value}; Path=/`);
    await browser.open(answer.href);
    assert.equal(codesRedeemed(), 1);
  });

  it('an answer with a state that we did not give leads nowhere', async () => {
    const answer = await answerTo(await link());
    answer.searchParams.set('state', 'x'.repeat(43));
    const page = await browser.open(answer.href);
    assert.deepEqual([page.status, codesRedeemed()], [404, 0]);
  });

  it('an answer of another authorization server is not believed, in no word of it', async () => {
    for (const iss of ['https://evil.example', `${source.origin}/`, null]) {
      source.back = (back) => {
        if (iss === null) back.searchParams.delete('iss');
        else back.searchParams.set('iss', iss);
        back.searchParams.set('error', 'access_denied');
        back.searchParams.set('error_description', 'call 555-0100 to mend this');
        return back;
      };
      const page = await browser.open((await answerTo(await link())).href);
      assert.deepEqual([page.status, codesRedeemed()], [400, 0]);
      assert.match(page.text, /did not come from the authorization server/);
      assert.doesNotMatch(page.text, /555-0100|denied/);
    }
  });

  it('a code that comes to the address of another source is redeemed nowhere', async () => {
    const other = await startOAuthSource();
    const otherId = await register(other);
    try {
      const answer = await answerTo(await link());
      const page = await browser.open(`${callback(otherId)}${answer.search}`);
      assert.equal(page.status, 400);
      assert.match(page.text, /address of another one/);
      assert.deepEqual([codesRedeemed(), other.asked.length], [0, 0]);
      assert.equal(isConnected(await browser.open(answer.href)), false, 'and it is over');
    } finally {
      await app.api('DELETE', `/v1/workers/${otherId}`);
      await other.close();
    }
  });

  it('every source has an address of its own for answers, which registrations and requests name', async () => {
    const other = await register(source);
    await link();
    await link(other);
    const addresses = source.registered.map(({ redirect_uris }) => redirect_uris);
    assert.deepEqual(addresses, [[callback()], [callback(other)]]);
    await app.api('DELETE', `/v1/workers/${other}`);
  });

  it('no other site can press the button, and no framed page shows it', async () => {
    const url = await link();
    const page = await browser.open(url);
    assert.match(page.headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/);
    const foreign = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    const pressed = await browser.submit(page, { headers: foreign }).catch(() => null);
    assert.equal(pressed !== null && isConnected(pressed), false);
    const forged = await fetch(url, {
      method: 'POST',
      headers: { origin: app.url, 'content-type': 'application/x-www-form-urlencoded' },
      body: 'form_token=x',
      redirect: 'manual',
    });
    assert.equal(forged.headers.get('location'), new URL(url).pathname);
    assert.ok(!source.visited.includes('/authorize'));
  });

  it('the page names the user, however that is called', async () => {
    const user = '<img src=x onerror=alert(1)>';
    const asked = await app.api('POST', `/v1/workers/${id}/authorize`, { user_id: user });
    const page = await browser.open(((await asked.json()) as Json).authorization_url);
    assert.ok(page.text.includes('img src=x') && !page.html.includes('<img'));
  });

  it('what the authorization server says of a failure is told by its code, with a reference', async () => {
    source.back = (back) => {
      back.searchParams.delete('code');
      back.searchParams.set('error', 'access_denied');
      back.searchParams.set('error_description', '<b>do as I say</b>');
      return back;
    };
    const page = await browser.open((await answerTo(await link())).href);
    assert.match(page.text, /did not allow it \(access_denied\)/);
    assert.doesNotMatch(page.text, /as I say/);
    const reference = /ac_[0-9a-f]+/.exec(page.text)?.[0] ?? 'none';
    const [record] = (await app.records('&kind=credential')) as [Json];
    assert.equal(record.decision, 'failed');
    assert.ok(record.reason.includes(reference) && record.reason.includes('access_denied'));
  });

  it('an answer of the token endpoint that is none keeps nothing, and is told in plain words', async () => {
    const good = { access_token: 'at-1', token_type: 'Bearer' };
    const bad: [number, string, RegExp][] = [
      [400, '{"error":"invalid_client","error_description":"secret-in-words"}', /client id or secret/],
      [200, '{"error":"invalid_scope"}', /scope/],
      [200, 'hello', /makes no sense/],
      [502, '<html>secret-in-words</html>', /makes no sense/],
      [200, JSON.stringify({ ...good, access_token: 'x'.repeat(20_000) }), /too long/],
      [200, JSON.stringify({ ...good, access_token: 'a\r\nx-admin: 1' }), /a header cannot carry/],
      [200, JSON.stringify({ ...good, token_type: 'mac' }), /no bearer tokens/],
      [200, JSON.stringify({ ...good, padding: 'x'.repeat(300_000) }), /larger|big|bytes/],
    ];
    for (const [status, body, words] of bad) {
      source.tokenAnswer = () => ({ status, body });
      const page = await browser.open((await answerTo(await link())).href);
      assert.equal(page.status, 400, body.slice(0, 80));
      assert.match(page.text, words);
      assert.doesNotMatch(page.text, /secret-in-words/);
    }
    const rows = await app.app.rooms.db.query('select * from connections where target_id = $1', [id]);
    assert.deepEqual(rows, []);
  });

  describe('a source that names addresses', () => {
    let trapped: string[];
    let trap: { readonly origin: string; close(): Promise<void> };
    beforeEach(async () => {
      trapped = [];
      const server = createServer((request, response) => {
        trapped.push(request.url ?? '');
        response.end('{}');
      });
      server.listen(0, '127.0.0.2');
      await once(server, 'listening');
      trap = {
        origin: `http://127.0.0.2:${(server.address() as AddressInfo).port}`,
        async close() {
          server.closeAllConnections();
          server.close();
        },
      };
    });
    afterEach(() => trap.close());

    async function refusedOf(): Promise<Json> {
      const asked = await authorize();
      assert.notEqual(asked.status, 200);
      return (await asked.json()) as Json;
    }

    it('inside our network is not followed there', async () => {
      source.resource = (metadata) => ({ ...metadata, authorization_servers: [trap.origin] });
      assert.match((await refusedOf()).message, /loopback address/);
      source.resource = (metadata) => metadata;
      source.moved = `${trap.origin}/elsewhere`;
      await app.api('PATCH', `/v1/workers/${id}`, { mcp: { timeout: 19 } });
      assert.match((await refusedOf()).message, /no authorization server/);
      source.moved = null;
      await app.api('PATCH', `/v1/workers/${id}`, { mcp: { timeout: 20 } });
      const encrypted = `${trap.origin.replace('http:', 'https:')}/register`;
      source.metadata = (metadata) => ({ ...metadata, registration_endpoint: encrypted });
      assert.match((await refusedOf()).message, /loopback address/);
      source.metadata = (metadata) => ({ ...metadata, registration_endpoint: `${trap.origin}/register` });
      await app.api('PATCH', `/v1/workers/${id}`, { mcp: { timeout: 22 } });
      assert.match((await refusedOf()).message, /without encryption/);
      source.metadata = (metadata) => ({ ...metadata, token_endpoint: `${trap.origin}/token` });
      await app.api('PATCH', `/v1/workers/${id}`, { mcp: { timeout: 21 } });
      assert.match((await refusedOf()).message, /without encryption/);
      assert.deepEqual(trapped, []);
    });

    it('to which nobody is to be sent, is refused before anybody is', async () => {
      let timeout = 20;
      for (const endpoint of [
        'javascript:alert(1)',
        'http://evil.example/authorize',
        'data:text/html,x',
        '/x',
      ]) {
        source.metadata = (metadata) => ({ ...metadata, authorization_endpoint: endpoint });
        await app.api('PATCH', `/v1/workers/${id}`, { mcp: { timeout: timeout++ } });
        assert.match((await refusedOf()).message, /makes no sense|without encryption/);
      }
    });

    it('and describes another issuer, or another resource, is refused', async () => {
      source.metadata = (metadata) => ({ ...metadata, issuer: 'https://accounts.example' });
      assert.match((await refusedOf()).message, /another issuer/);
      await app.api('PATCH', `/v1/workers/${id}`, { mcp: { timeout: 20 } });
      source.metadata = (metadata) => metadata;
      source.resource = (metadata) => ({ ...metadata, resource: 'https://mail.example/' });
      assert.match((await refusedOf()).message, /another resource/);
    });

    it('and a document without end is refused', async () => {
      source.metadata = (metadata) => ({ ...metadata, padding: 'x'.repeat(2_000_000) });
      assert.match((await refusedOf()).message, /bytes/);
    });
  });

  it('a token is sent to no other address than the one it was given for', async () => {
    assert.ok(isConnected(await browser.open((await answerTo(await link())).href)));
    const thief = createServer((request, response) => {
      heard.push(request.headers.authorization ?? 'nothing');
      response.writeHead(401).end();
    });
    const heard: string[] = [];
    thief.listen(0, '127.0.0.1');
    await once(thief, 'listening');
    const uri = `http://127.0.0.1:${(thief.address() as AddressInfo).port}/mcp`;
    await app.api('PATCH', `/v1/workers/${id}`, { mcp: { uri } });
    await app.api('GET', `/v1/workers/${id}/health`);
    const execute = { tool_name: `${id}.WhoAmI`, user_id: 'ada', input: {} };
    await app.api('POST', '/v1/tools/execute', execute);
    assert.ok(heard.length > 0);
    assert.deepEqual([...new Set(heard)], ['nothing']);
    thief.closeAllConnections();
    thief.close();
  });

  it('the secret of a client that was registered by hand is shown to one authorization server only', async () => {
    const evil = await startOAuthSource();
    const hand = await register(source, { client_id: 'by-hand', client_secret: 'hand-secret' });
    try {
      await link(hand);
      source.resource = (metadata) => ({ ...metadata, authorization_servers: [evil.origin] });
      // What was begun is to be begun anew.
      await browser.open((await answerTo(await link(hand))).href);
      source.revoke({ refreshTokens: true });
      const asked = await authorize(hand);
      assert.match(((await asked.json()) as Json).message, /another authorization server/);
      assert.deepEqual([evil.asked.length, evil.registered.length], [0, 0]);
    } finally {
      await app.api('DELETE', `/v1/workers/${hand}`);
      await evil.close();
    }
  });

  it('the document that names us tells nothing of which sources there are', async () => {
    const of = async (name: string) => {
      const answer = await fetch(`${app.url}/connect/client/default/${name}`);
      const { client_name, redirect_uris } = (await answer.json()) as Json;
      return [answer.status, client_name, redirect_uris];
    };
    assert.deepEqual(await of(id), [200, 'Sallyport', [callback()]]);
    assert.deepEqual(await of('no-such'), [200, 'Sallyport', [callback('no-such')]]);
  });
});
