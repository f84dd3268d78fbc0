import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newGatewayFromRequest } from '#domain';
import { createBrowser, type Page } from './browser.ts';
import { clientCallback, type SigningIn, signInAt, startSigningIn, toConsent } from './signing-in.ts';

let signing: SigningIn;

before(async () => {
  signing = await startSigningIn(`
gateways:
  - slug: members
    auth_types: [arcade]
    tool_filter: { allowed_tools: ['*'] }
  - slug: guests
    auth_types: [user_source]
    user_source_ids: [corp]
    tool_filter: { allowed_tools: ['*'] }
`);
});
after(() => signing.close());

const identity = () => signing.server.app.rooms.identity;
const signInCookie = (browser: ReturnType<typeof createBrowser>) =>
  browser.cookies(signing.server.url).find(({ name }) => name === 'sallyport_sign_in')?.value ?? null;

/** One POST with a browser's cookies, as a page of somebody else could make a browser send it. */
async function forged(
  browser: ReturnType<typeof createBrowser>,
  path: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Response> {
  const cookie = browser
    .cookies(signing.server.url)
    .map(({ name, value }) => `${name}=${value}`)
    .join('; ');
  return await fetch(new URL(path, signing.server.url), {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie, ...headers },
    body: new URLSearchParams(fields),
  });
}

const crossSite: readonly Record<string, string>[] = [
  { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
  { origin: 'null', 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
  {},
];

test('a source of another project makes nobody the owner of the organisation', async () => {
  const { people } = identity();
  const project = await people.createProject('default', 'Another');
  await signing.addSource('theirs', { projectId: project.id });
  const request = newGatewayFromRequest(
    { name: 'Theirs', slug: 'theirs', auth_types: ['arcade'] },
    { projectId: project.id },
  );
  await signing.server.app.rooms.catalog.createGateway(request);
  const { page } = await toConsent((await signing.authorization('theirs')).url);
  assert.match(page.text, /Allow Test client/);
  assert.equal(await people.hasOwner('default'), false);
  const standing = people.standingOf('default', 'alice@example.com');
  assert.equal(standing?.roleIn(project.id), 'member');
  assert.equal(standing?.roleIn('default'), null);
});

test('no other site answers the question of consent, even with the form of its own visit', async () => {
  const asked = await signing.authorization('members');
  const { browser, page } = await toConsent(asked.url);
  const mallory = await toConsent((await signing.authorization('members')).url, 'bob');
  const stolen = mallory.page.forms[0]?.fields.form_token ?? '';
  const own = page.forms[0]?.fields.form_token ?? '';
  for (const headers of crossSite) {
    for (const form_token of [stolen, own, '']) {
      for (const answer of ['allow', 'deny']) {
        const response = await forged(browser, page.url, { form_token, answer }, headers);
        assert.ok(response.status === 400 || response.status === 403, `${response.status}`);
        await response.body?.cancel();
      }
    }
  }
  const origin = { origin: signing.server.url, 'sec-fetch-site': 'same-origin' };
  const withStolen = await forged(browser, page.url, { form_token: stolen, answer: 'allow' }, origin);
  assert.equal(withStolen.status, 400);
  const person = identity().people.standingOf('default', 'alice@example.com')?.personId ?? '';
  assert.ok(!(await identity().consents.list(person)).some(({ clientId }) => clientId === asked.clientId));
  assert.match((await browser.open(page.url)).text, /Allow Test client/);
});

test('consent is given by no GET', async () => {
  const { browser, page } = await toConsent((await signing.authorization('members')).url);
  const token = page.forms[0]?.fields.form_token ?? '';
  const again = await browser.open(`${page.url}?form_token=${token}&answer=allow`, {
    stopAt: clientCallback,
  });
  assert.match(again.text, /Allow Test client/);
});

test('a form for one authorization answers no other, and no other browser', async () => {
  const one = await toConsent((await signing.authorization('members', { client_name: 'Good' })).url);
  const bad = await signing.authorization('members', { client_name: 'Bad' });
  const other = await one.browser.open(bad.url);
  const headers = { origin: signing.server.url, 'sec-fetch-site': 'same-origin' };
  const fields = { form_token: one.page.forms[0]?.fields.form_token ?? '', answer: 'allow' };
  assert.equal((await forged(one.browser, other.url, fields, headers)).status, 400);
  assert.equal((await forged(createBrowser(), one.page.url, fields, headers)).status, 400);
});

test('no other site signs somebody out, ends sessions, withdraws consent or uses a link', async () => {
  const { browser } = await toConsent((await signing.authorization('members')).url);
  const page = await browser.open(`${signing.server.url}/oauth2/sessions`);
  const form_token = page.forms[0]?.fields.form_token ?? '';
  const paths = ['sign_out', 'sessions/end', 'sessions/end_all', 'sessions/withdraw', 'link'];
  for (const path of paths) {
    for (const headers of crossSite) {
      const response = await forged(browser, `/oauth2/${path}`, { form_token, link: 'x' }, headers);
      assert.ok(response.status === 400 || response.status === 403, `${path}: ${response.status}`);
      await response.body?.cancel();
    }
    const read = await browser.open(`${signing.server.url}/oauth2/${path}?form_token=${form_token}`);
    assert.ok([200, 404].includes(read.status));
  }
  assert.match((await browser.open(`${signing.server.url}/oauth2/sessions`)).text, /alice@example\.com/);
});

test('every sign-in is by a new cookie: one that was put there before is worth nothing', async () => {
  const asked = await signing.authorization('members');
  const fixed = 'A'.repeat(43);
  const browser = createBrowser();
  browser.plant(signing.server.url, `sallyport_sign_in=${fixed}; Path=/`);
  const page = await signInAt(browser, await browser.open(asked.url), 'alice');
  assert.match(page.text, /You are alice/);
  const first = signInCookie(browser);
  assert.notEqual(first, fixed);
  assert.equal(await identity().signIns.ofBrowser(fixed), null);
  const start = `${signing.server.url}/oauth2/sign_in/default/corp`;
  await signInAt(browser, await browser.open(start), 'alice');
  assert.notEqual(signInCookie(browser), first);
});

test('an answer of the issuer is taken only in the browser that asked, once', async () => {
  const asked = await signing.authorization('members');
  const victim = createBrowser();
  const attacker = createBrowser();
  const page = await attacker.open(asked.url);
  const answer = await attacker.submit(page, {
    button: 'bob',
    stopAt: `${signing.server.url}/oauth2/callback/`,
  });
  const injected = await victim.open(answer.url);
  assert.match(injected.text, /This sign-in is over/);
  assert.equal(signInCookie(victim), null);
  const first = await attacker.open(answer.url);
  assert.match(first.text, /Allow Test client/);
  assert.match((await attacker.open(answer.url)).text, /This sign-in is over/);
});

test('an answer for one source is not taken at another', async () => {
  await signing.addSource('second');
  const browser = createBrowser();
  const start = await browser.open(`${signing.server.url}/oauth2/sign_in/default/corp`);
  const answer = await browser.submit(start, {
    button: 'alice',
    stopAt: `${signing.server.url}/oauth2/callback/`,
  });
  const mixedUp = await browser.open(answer.url.replace('/callback/corp', '/callback/second'));
  assert.match(mixedUp.text, /This sign-in is over/);
  assert.equal(signInCookie(browser), null);
  await identity().userSources.remove('default', 'second');
});

test('nobody is sent anywhere that we did not write ourselves', async () => {
  const browser = createBrowser();
  for (const to of ['https://evil.example', '//evil.example', '/oauth2/sessions', 'javascript:alert(1)']) {
    const page = await browser.open(
      `${signing.server.url}/oauth2/sign_in/default/corp?to=${encodeURIComponent(to)}&goOnAt=${to}&return_to=${to}`,
    );
    assert.equal(page.status, 400);
    assert.ok(!page.html.includes('evil.example'));
  }
  for (const path of ['//evil.example/', '/\\evil.example', '/oauth2/interaction/%2f%2fevil.example']) {
    const response = await fetch(signing.server.url + path, { redirect: 'manual' });
    assert.equal(response.headers.get('location'), null, path);
    await response.body?.cancel();
  }
});

test('Host and X-Forwarded-* choose no address that a person is sent to', async () => {
  const headers = {
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'https',
    forwarded: 'host=evil.example',
  };
  const page = await createBrowser().open(`${signing.server.url}/oauth2/sign_in/default/corp`, { headers });
  const sentTo = new URL(signing.idp.lastAuthorization.get('redirect_uri') ?? '');
  assert.equal(sentTo.origin, signing.server.url);
  assert.ok(!page.html.includes('evil.example'));
});

test('every page forbids frames, caches, scripts that are not ours, and telling others where one came from', async () => {
  const asked = await signing.authorization('members');
  const { browser, page } = await toConsent(asked.url);
  const at = (path: string) => browser.open(signing.server.url + path);
  const pages: Page[] = [
    page,
    await at('/oauth2/sessions'),
    await at('/oauth2/link'),
    await at('/oauth2/device'),
    await at('/oauth2/interaction/none'),
    await at('/oauth2/callback/corp?code=x&state=y'),
    await at('/oauth2/sessions/none'),
    await at('/mcp/members'),
    await at('/mcp/none'),
  ];
  for (const { url, headers, html } of pages) {
    const policy = headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'/, url);
    assert.match(policy, /frame-ancestors 'none'/, url);
    assert.match(policy, /form-action 'self'/, url);
    assert.doesNotMatch(policy, /unsafe|\*/, url);
    assert.equal(headers.get('x-frame-options'), 'DENY', url);
    assert.equal(headers.get('cache-control'), 'no-store', url);
    assert.equal(headers.get('referrer-policy'), 'same-origin', url);
    assert.doesNotMatch(html, /<script(?! src="\/oauth2\/assets\/)/, url);
  }
});

test('what a client calls itself stays text, wherever it is shown', async () => {
  const name = `</title><script>alert(1)</script>"><img src=x onerror=alert(1)>`;
  const asked = await signing.authorization('members', {
    client_name: name,
    redirect_uris: ['http://127.0.0.1:7777/callback?x="><script>alert(2)</script>'],
  });
  const { browser, page } = await toConsent(asked.url);
  assert.match(page.text, /Allow <\/title><script>/);
  assert.doesNotMatch(page.html, /<script|<img/);
  const done = await browser.submit(page, { button: 'Allow', stopAt: clientCallback });
  assert.ok(done.url.startsWith(clientCallback));
  assert.doesNotMatch((await browser.open(`${signing.server.url}/oauth2/sessions`)).html, /<script|<img/);
});

test('what an issuer says of people and of errors stays text', async () => {
  signing.idp.setUser('mallory', {
    sub: 'm',
    email: '"<script>alert(1)</script>"@example.com',
    name: '<img src=x onerror=alert(1)>',
  });
  const { page } = await toConsent((await signing.authorization('members')).url, 'mallory');
  assert.doesNotMatch(page.html, /<script|<img/);
  const browser = createBrowser();
  const state = new URL(
    (
      await browser.open(`${signing.server.url}/oauth2/sign_in/default/corp`, {
        stopAt: (url) => url.origin === signing.idp.origin,
      })
    ).url,
  ).searchParams.get('state');
  const error = encodeURIComponent('<script>alert(1)</script>');
  const refused = await browser.open(
    `${signing.server.url}/oauth2/callback/corp?state=${state}&error=${error}&error_description=${error}`,
  );
  assert.ok(refused.status >= 400);
  assert.doesNotMatch(refused.html, /<script/);
});

test('a guest of a gateway by its own source is no member, and comes in nowhere else', async () => {
  signing.idp.setUser('guest', { sub: 'g', email: 'guest@example.com', name: 'Guest' });
  await identity().userSources.remove('default', 'corp');
  await signing.addSource('corp', { newPeople: null });
  const { browser, page } = await toConsent((await signing.authorization('guests')).url, 'guest');
  assert.match(page.text, /Allow Test client/);
  assert.equal(identity().people.standingOf('default', 'guest@example.com')?.roleIn('default'), null);
  const elsewhere = await browser.open((await signing.authorization('members')).url, {
    stopAt: clientCallback,
  });
  assert.match(elsewhere.text, /You cannot come in with this account/);
});

test('a cookie is worth nothing on a gateway or the API', async () => {
  const { browser } = await toConsent((await signing.authorization('members')).url);
  const cookie = `sallyport_sign_in=${signInCookie(browser)}`;
  for (const path of ['/mcp/members', '/v1/gateways', '/v1/people']) {
    const response = await fetch(signing.server.url + path, { headers: { cookie } });
    assert.equal(response.status, 401, path);
    await response.body?.cancel();
  }
});

test('what we log and record of a sign-in holds no code, state, cookie, token or secret', async () => {
  const asked = await signing.authorization('members');
  const browser = createBrowser();
  const page = await browser.open(asked.url);
  const answer = await browser.submit(page, {
    button: 'alice',
    stopAt: `${signing.server.url}/oauth2/callback/`,
  });
  await browser.open(answer.url);
  const { searchParams } = new URL(answer.url);
  const kept = JSON.stringify(await signing.server.records());
  for (const secret of [
    searchParams.get('code'),
    searchParams.get('state'),
    signInCookie(browser),
    signing.idp.clientSecret,
  ]) {
    assert.ok(secret !== null && secret.length > 10);
    assert.ok(!kept.includes(secret));
  }
});
