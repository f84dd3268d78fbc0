import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type AskFor,
  allow,
  type Browser,
  begin,
  claimsOf,
  type OAuthServer,
  startOAuthServer,
  tokensFor,
} from './fixtures/oauth-server.ts';

const redirectUri = 'https://client.example/callback';
let server: OAuthServer;
let gateway: string;
let other: string;
let browser: Browser;
let clientId: string;

before(async () => {
  server = await startOAuthServer();
  gateway = await server.newGateway('demo', { tool_scopes: [{ scope: 'tools:admin', tools: ['Admin.*'] }] });
  other = await server.newGateway('other');
  browser = await server.signedIn('ada@example.com');
  clientId = await newClient();
});
after(() => server.close());

async function newClient(redirects: readonly string[] = [redirectUri]): Promise<string> {
  const metadata = { client_name: 'A client', redirect_uris: redirects, token_endpoint_auth_method: 'none' };
  return (await server.register(metadata)).body.client_id;
}

const asking = (more: Partial<AskFor> = {}) =>
  begin(server.url, { clientId, redirectUri, resource: gateway, ...more });

/** The URL of an authorization, with these parameters instead; `null` takes one away. */
function changed(url: string, parameters: Readonly<Record<string, string | null>>): string {
  const made = new URL(url);
  for (const [name, value] of Object.entries(parameters)) {
    if (value === null) made.searchParams.delete(name);
    else made.searchParams.set(name, value);
  }
  return made.href;
}

/** Where a page that tells of an error leads, if the person goes there. */
function wayBackOn(page: string): string | null {
  return /<a class="button" href="([^"]+)"/.exec(page)?.[1]?.replaceAll('&amp;', '&') ?? null;
}

/** Where the browser is sent at once, or the person may go after an error. */
async function sentTo(url: string, by: Browser = browser): Promise<URL> {
  const response = await by.get(url);
  const text = await response.text();
  const location = response.headers.get('location') ?? wayBackOn(text);
  assert.ok(location !== null, `${response.status} ${text}`);
  return new URL(location, server.url);
}

describe('an answer goes only where the client said before', () => {
  it('so an unknown redirect gets a page, and no redirect', async () => {
    const native = await newClient(['http://localhost/callback']);
    for (const [id, uri] of [
      [clientId, 'https://evil.example/callback'],
      [clientId, `${redirectUri}/../evil`],
      [clientId, `${redirectUri}?more=1`],
      [clientId, 'https://client.example:444/callback'],
      [clientId, 'https://client.example@evil.example/callback'],
      [clientId, 'javascript:alert(1)'],
      [native, 'http://localhost:1/other'],
      [native, 'http://127.0.0.1:1/callback'],
      [native, 'http://localhost.evil.example:1/callback'],
      [native, 'http://localhost:1@evil.example/callback'],
      [native, 'https://localhost:1/callback'],
      ['unknown-client', redirectUri],
    ] as const) {
      for (const broken of [{}, { response_type: 'token' }, { code_challenge: null }]) {
        const response = await browser.get(changed(asking({ clientId: id, redirectUri: uri }).url, broken));
        assert.equal(response.status, 400, uri);
        assert.equal(response.headers.get('location'), null, uri);
        const page = await response.text();
        assert.match(page, /Reference: <code>ref_[0-9a-f]{12}/);
        assert.ok(!page.includes('javascript:'), 'what was sent is not shown as a link');
      }
    }
  });

  it('and errors go there with the issuer and the state', async () => {
    for (const [parameters, error] of [
      [{ resource: `${server.url}/mcp/none` }, 'invalid_target'],
      [{ scope: 'mcp', prompt: 'none login' }, 'invalid_request'],
      [{ prompt: 'none', scope: 'openid profile mcp' }, 'consent_required'],
      [{ request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_not_supported'],
      [{ request_uri: 'https://evil.example/request' }, 'request_uri_not_supported'],
    ] as const) {
      const begun = asking();
      const back = await sentTo(changed(begun.url, parameters));
      assert.equal(back.origin + back.pathname, redirectUri);
      assert.equal(back.searchParams.get('error'), error);
      assert.equal(back.searchParams.get('iss'), server.url);
      assert.equal(back.searchParams.get('state'), begun.state);
    }
  });

  it('and no error takes anybody to another host by itself, but to their own computer', async () => {
    const native = 'http://127.0.0.1:7777/callback';
    const loopback = await newClient([native, 'evil://callback']);
    for (const broken of [
      { resource: `${server.url}/mcp/none` },
      { prompt: 'none', scope: 'openid email mcp' },
      { response_type: 'token' },
      { response_mode: 'form_post' },
      { response_mode: 'fragment' },
      { response_mode: 'web_message' },
      { code_challenge: null },
    ]) {
      for (const [id, uri] of [
        [clientId, redirectUri],
        [loopback, 'evil://callback'],
      ] as const) {
        const { url } = asking({ clientId: id, redirectUri: uri });
        const response = await browser.get(changed(url, broken));
        const page = await response.text();
        assert.equal(response.status, 400, page);
        assert.equal(response.headers.get('location'), null);
        assert.match(page, /Reference: <code>ref_/);
        assert.doesNotMatch(page, /http-equiv|<script|<form/);
        assert.ok(wayBackOn(page)?.startsWith(uri));
      }
      const own = await browser.get(changed(asking({ clientId: loopback, redirectUri: native }).url, broken));
      assert.match(own.headers.get('location') ?? '', /^http:\/\/127\.0\.0\.1:7777\/callback[?#]error=/);
    }
  });

  it('and never a token: only codes are given there', async () => {
    for (const response_type of ['token', 'id_token', 'code token', 'code id_token', 'none']) {
      const back = await sentTo(changed(asking().url, { response_type, nonce: 'n' }));
      assert.match(back.href, /error=unsupported_response_type/);
      assert.match(back.href, /iss=/);
    }
  });
});

describe('PKCE', () => {
  it('is asked of everybody, and only with S256', async () => {
    for (const parameters of [
      { code_challenge: null, code_challenge_method: null },
      { code_challenge_method: 'plain' },
      { code_challenge_method: null },
      { code_challenge: 'short' },
    ]) {
      const back = await sentTo(changed(asking().url, parameters));
      assert.equal(back.searchParams.get('error'), 'invalid_request', JSON.stringify(parameters));
      assert.equal(back.searchParams.get('code'), null);
    }
  });
});

describe('a resource', () => {
  it('may be written in any of our names, and tokens have one', async () => {
    const { port } = new URL(server.url);
    for (const resource of [
      gateway,
      `${gateway}/`,
      `http://localhost:${port}/mcp/demo`,
      `http://[::1]:${port}/mcp/demo/`,
    ]) {
      const given = await tokensFor(server, browser, { clientId, redirectUri, resource });
      assert.equal(given.status, 200, JSON.stringify(given.body));
      assert.equal(claimsOf(given.body.access_token).aud, gateway);
    }
  });

  it('that is not ours is refused', async () => {
    const { port } = new URL(server.url);
    for (const resource of [
      'https://other.example/mcp/demo',
      `https://localhost:${port}/mcp/demo`,
      `http://localhost:${Number(port) + 1}/mcp/demo`,
      `${gateway}?x=1`,
      `${gateway}/more`,
      `${server.url}/mcp/none`,
      server.url,
      `${server.url}/v1/more`,
    ]) {
      const back = await sentTo(asking({ resource }).url);
      assert.equal(back.searchParams.get('error'), 'invalid_target', resource);
    }
  });

  it('that nobody named is refused with words that help, where there are several gateways', async () => {
    const { url } = begin(server.url, { clientId, redirectUri });
    const back = await sentTo(url);
    assert.equal(back.searchParams.get('error'), 'invalid_target');
    assert.match(back.searchParams.get('error_description') ?? '', /resource must be its URL/);
  });

  it('is one at a time', async () => {
    const url = new URL(asking().url);
    url.searchParams.append('resource', other);
    assert.equal((await sentTo(url.href)).searchParams.get('error'), 'invalid_target');
  });

  it('that is another one in the token request is refused', async () => {
    const begun = asking();
    const back = await allow(browser, begun.url);
    const answer = await server.form('/oauth2/token', {
      grant_type: 'authorization_code',
      code: back.searchParams.get('code') ?? '',
      client_id: clientId,
      redirect_uri: redirectUri,
      code_verifier: begun.verifier,
      resource: other,
    });
    assert.equal(answer.body.error, 'invalid_target');
  });
});

describe('scopes', () => {
  const scopeOf = async (scope: string | undefined) => {
    const given = await tokensFor(server, browser, {
      clientId,
      redirectUri,
      resource: gateway,
      ...(scope === undefined ? {} : { scope }),
    });
    assert.equal(given.status, 200, JSON.stringify(given.body));
    return { scope: claimsOf(given.body.access_token).scope, hasIdToken: 'id_token' in given.body };
  };

  it('are openid and mcp where none is asked', async () => {
    assert.deepEqual(await scopeOf(undefined), { scope: 'mcp', hasIdToken: true });
  });

  it('that do not exist are left out', async () => {
    assert.equal((await scopeOf('openid mcp files:read mcp:tools')).scope, 'mcp');
    assert.equal((await scopeOf('files:read')).scope, 'mcp');
  });

  it("of the gateway's own are given where they are asked", async () => {
    assert.equal((await scopeOf('openid mcp tools:admin')).scope, 'mcp tools:admin');
    assert.equal((await scopeOf('openid mcp')).scope, 'mcp', 'and only there');
  });
});

describe('who may come in', () => {
  it('is decided by our own sign-in, which must be there', async () => {
    const nobody = server.browser();
    const waiting = await sentTo(asking().url, nobody);
    assert.match(waiting.pathname, /^\/oauth2\/interaction\//);
    assert.equal(await pendingAt(waiting, nobody), 'sign_in');
  });

  it('nobody whose sign-in has ended', async () => {
    const eve = await server.signedIn('eve@example.com');
    await allow(eve, asking().url);
    assert.equal((await sentTo(asking().url, eve)).origin, 'https://client.example', 'it was allowed before');
    await server.app.rooms.identity.signIns.end(eve.signInId);
    assert.match((await sentTo(asking().url, eve)).pathname, /^\/oauth2\/interaction\//);
  });

  it('at a gateway of one user source, nobody of another', async () => {
    const { userSources, people, signIns } = server.app.rooms.identity;
    for (const id of ['ours', 'theirs']) {
      const made = await userSources.create({
        id,
        projectId: 'default',
        name: id,
        description: '',
        issuer: `https://${id}.example`,
        preset: null,
        clientId: 'sallyport',
        clientAuth: { by: 'none' },
        scopes: ['openid'],
        userClaim: 'sub',
        groupsClaim: '',
        groupsRequired: false,
        allowedDomains: [],
        newPeople: 'member',
        assertionClients: [],
        status: 'active',
      });
      assert.ok(made.ok);
    }
    const resource = await server.newGateway('company', {
      auth_types: ['user_source'],
      user_source_ids: ['ours'],
    });
    const comesFrom = async (sourceId: string) => {
      const said = {
        organizationId: 'default',
        projectId: 'default',
        sourceId,
        issuer: `https://${sourceId}.example`,
        subject: 'employee',
        userId: 'employee',
        email: `employee@${sourceId}.example`,
        name: '',
        groups: [],
        claims: { sub: 'employee' },
      };
      const person = await people.signedIn(said);
      assert.ok(person.ok);
      const place = { organizationId: 'default', projectId: 'default' };
      await people.setRole(person.value.id, place, 'member');
      const { cookie } = await signIns.start(person.value.id, said, '');
      const employee = server.browser();
      employee.cookies.set('sallyport_sign_in', cookie);
      return await pendingAt(await sentTo(asking({ resource }).url, employee), employee);
    };
    assert.equal(await comesFrom('ours'), 'consent');
    assert.notEqual(await comesFrom('theirs'), 'consent');
  });

  it('nobody without a role in the project', async () => {
    const guest = await server.signedIn('guest@example.com', null);
    const waiting = await sentTo(asking().url, guest);
    assert.equal(await pendingAt(waiting, guest), 'sign_in');
  });

  it('nobody who is not active any more', async () => {
    const former = await server.signedIn('former@example.com');
    await allow(former, asking().url);
    const [{ id } = { id: '' }] = await server.app.rooms.db.query<{ id: string }>(
      `select id from people where email = 'former@example.com'`,
    );
    await server.app.rooms.identity.people.setActive('default', id, false);
    assert.match((await sentTo(asking().url, former)).pathname, /^\/oauth2\/interaction\//);
  });

  it('somebody who must sign in again is not let in by the sign-in of before', async () => {
    const bob = await server.signedIn('bob@example.com');
    await allow(bob, asking().url);
    const waiting = await sentTo(asking({ prompt: 'login' }).url, bob);
    assert.equal(await pendingAt(waiting, bob), 'sign_in');
    const page = await bob.get(waiting.href);
    assert.equal(page.headers.get('location'), null, 'it asks, and does not go on by itself');
  });
});

/** What an authorization waits for, as the pages see it. */
async function pendingAt({ pathname }: URL, by: Browser): Promise<string | null> {
  const page = await (await by.get(pathname)).text();
  if (page.includes('answer" value="allow"')) return 'consent';
  return /This sign-in is over/.test(page) ? null : 'sign_in';
}

describe('consent', () => {
  it('is asked once for a client at a gateway, and again for more', async () => {
    const id = await newClient();
    const carol = await server.signedIn('carol@example.com');
    const ask = (more: Partial<AskFor>) => sentTo(asking({ clientId: id, ...more }).url, carol);
    assert.match((await ask({})).pathname, /interaction/);
    await allow(carol, asking({ clientId: id }).url);
    assert.equal((await ask({})).hostname, 'client.example');
    assert.match((await ask({ scope: 'mcp tools:admin' })).pathname, /interaction/, 'another scope');
    assert.match((await ask({ resource: other })).pathname, /interaction/, 'another gateway');
    assert.match((await ask({ prompt: 'consent' })).pathname, /interaction/, 'the client wants it');
    assert.match((await ask({ clientId: await newClient() })).pathname, /interaction/, 'another client');
    const dave = await server.signedIn('dave@example.com');
    assert.match(
      (await sentTo(asking({ clientId: id }).url, dave)).pathname,
      /interaction/,
      'another person',
    );
  });

  it('that is denied is told to the client, with the issuer', async () => {
    const id = await newClient();
    const begun = asking({ clientId: id });
    const { pathname } = await sentTo(begun.url);
    const page = await (await browser.get(pathname)).text();
    const token = /name="form_token" value="([^"]+)"/.exec(page)?.[1] ?? '';
    const answered = await (await browser.post(pathname, { form_token: token, answer: 'deny' })).text();
    const onward = /content="0;url=([^"]+)"/.exec(answered)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const back = await sentTo(onward);
    assert.equal(back.searchParams.get('error'), 'access_denied');
    assert.equal(back.searchParams.get('iss'), server.url);
    assert.equal(back.searchParams.get('state'), begun.state);
  });

  it('that was withdrawn ends what came of it, and is asked again', async () => {
    const id = await newClient();
    const given = await tokensFor(server, browser, { clientId: id, redirectUri, resource: gateway });
    const { people, consents } = server.app.rooms.identity;
    const personId = people.standingOf('default', 'ada@example.com')?.personId ?? '';
    const gatewayId = String(claimsOf(given.body.access_token).gateway);
    assert.equal(await consents.withdraw(personId, id, gatewayId), true);
    const renewed = await server.form('/oauth2/token', {
      grant_type: 'refresh_token',
      refresh_token: given.body.refresh_token,
      client_id: id,
    });
    assert.equal(renewed.body.error, 'invalid_grant');
    assert.match((await sentTo(asking({ clientId: id }).url)).pathname, /interaction/);
  });
});

describe('an authorization that waits', () => {
  it('belongs to the browser that began it', async () => {
    const id = await newClient();
    const { pathname } = await sentTo(asking({ clientId: id }).url);
    const thief = await server.signedIn('thief@example.com');
    assert.equal(await pendingAt(new URL(pathname, server.url), thief), null);
    const resumed = await thief.get(pathname.replace('/interaction/', '/authorize/'));
    assert.equal(resumed.status, 400);
    assert.equal(resumed.headers.get('location'), null);
  });

  it('is not gone on with by a browser that forges the cookie', async () => {
    const { pathname } = await sentTo(asking({ clientId: await newClient() }).url);
    const uid = pathname.split('/').at(-1) ?? '';
    const thief = await server.signedIn('thief@example.com');
    for (const [name, value] of [
      ['_interaction', uid],
      ['_interaction_resume', uid],
      [`sallyport_authorization_${uid}`, uid],
      [
        `sallyport_authorization_${uid}`,
        browser.cookies.get(`sallyport_authorization_${uid}`)?.slice(0, -2) ?? '',
      ],
    ] as const) {
      thief.cookies.set(name, value);
      assert.equal(await pendingAt(new URL(pathname, server.url), thief), null, name);
      assert.equal((await thief.get(`/oauth2/authorize/${uid}`)).status, 400, name);
    }
  });

  it('does not mix with another in the same browser', async () => {
    const one = await newClient();
    const two = await newClient();
    const begunOne = asking({ clientId: one });
    const begunTwo = asking({ clientId: two });
    const first = await sentTo(begunOne.url);
    const second = await sentTo(begunTwo.url);
    assert.equal(await pendingAt(first, browser), 'consent');
    assert.equal(await pendingAt(second, browser), 'consent');
    const back = await allow(browser, first.href);
    assert.equal(back.searchParams.get('state'), begunOne.state);
    assert.equal((await allow(browser, second.href)).searchParams.get('state'), begunTwo.state);
  });

  it('is over once it was answered', async () => {
    const { href, pathname } = await sentTo(asking({ clientId: await newClient() }).url);
    await allow(browser, href);
    assert.equal(await pendingAt(new URL(pathname, server.url), browser), null);
    assert.equal((await browser.get(pathname.replace('/interaction/', '/authorize/'))).status, 400);
  });

  it('of one person is never allowed by the next at the same browser', async () => {
    const shared = await server.signedIn('first@example.com');
    const id = await newClient();
    const waiting = await sentTo(asking({ clientId: id }).url, shared);
    assert.equal(await pendingAt(waiting, shared), 'consent');
    const next = await server.signedIn('second@example.com');
    shared.cookies.set('sallyport_sign_in', next.cookies.get('sallyport_sign_in') ?? '');
    const begun = asking({ clientId: id });
    const back = await allow(shared, waiting.href);
    assert.ok(back.searchParams.get('code') !== null);
    const { people, consents } = server.app.rooms.identity;
    const allowedBy = async (email: string) =>
      await consents.list(people.standingOf('default', email)?.personId ?? '');
    assert.equal((await allowedBy('first@example.com')).length, 0);
    assert.equal((await allowedBy('second@example.com')).length, 1);
    assert.notEqual(begun.state, '');
  });

  it('is not gone on with by somebody who came in after another had signed in for it', async () => {
    const first = await server.signedIn('third@example.com');
    const { pathname } = await sentTo(asking({ clientId: await newClient(), prompt: 'login' }).url, first);
    const again = await server.signedIn('third@example.com');
    first.cookies.set('sallyport_sign_in', again.cookies.get('sallyport_sign_in') ?? '');
    const signedIn = await first.get(pathname);
    const onward = signedIn.headers.get('location') ?? '';
    assert.match(onward, /\/oauth2\/authorize\//);
    const next = await server.signedIn('fourth@example.com');
    first.cookies.set('sallyport_sign_in', next.cookies.get('sallyport_sign_in') ?? '');
    const resumed = await first.get(onward);
    assert.equal(resumed.status, 400);
    assert.equal(resumed.headers.get('location'), null);
  });

  it('is not begun with more than is worth keeping', async () => {
    const response = await browser.get(changed(asking().url, { state: 'x'.repeat(9000) }));
    assert.equal(response.status, 414);
  });

  it('leaves no cookie but ours, that no script reads', async () => {
    const response = await browser.get(asking({ clientId: await newClient() }).url);
    const set = response.headers.getSetCookie();
    assert.equal(set.length, 1);
    assert.match(
      set[0] ?? '',
      /^sallyport_authorization_[\w-]+=[\w-]+; Path=\/; Max-Age=1800; HttpOnly; SameSite=Lax$/,
    );
  });
});
