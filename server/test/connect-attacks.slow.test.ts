import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { type Browser, createBrowser, type Page } from './browser.ts';
import { addIssuer, answerOf, type Connecting, startConnecting } from './connecting.ts';
import { signInAt } from './signing-in.ts';
import type { Json } from './start-app.ts';

const isConnected = (page: Page) => page.status === 200 && /is connected/i.test(page.text);

describe('accounts at other systems, under attack', () => {
  let at: Connecting;
  let browser: Browser;
  let count = 0;
  /** A user of whom nothing is kept yet. */
  let user: string;

  before(async () => {
    at = await startConnecting();
  });
  after(() => at.close());
  beforeEach(() => {
    browser = createBrowser();
    user = `user-${++count}`;
  });

  const kept = async (userId = user) =>
    (await at.connections()).filter(({ user_id }) => user_id === userId).length;
  const redeemed = () => at.github.asked.token + at.plain.asked.token;

  /** Nothing came of it: no code was redeemed, and nothing is kept. */
  async function assertNothing(before: number): Promise<void> {
    assert.deepEqual([redeemed() - before, await kept()], [0, 0]);
  }

  it('an answer is taken once, even with every cookie of the time', async () => {
    const answer = await answerOf(browser, await at.link(user));
    const cookies = browser.cookies(at.url);
    const before = redeemed();
    const pages = await Promise.all([browser.open(answer.href), browser.open(answer.href)]);
    assert.ok(pages.some(isConnected));
    for (const { name, value } of cookies) browser.plant(at.url, `${name}=${value}; Path=/`);
    await browser.open(answer.href);
    assert.deepEqual([redeemed() - before, await kept()], [1, 1]);
  });

  it('a state that we did not give, none, and two of them lead nowhere', async () => {
    const answer = await answerOf(browser, await at.link(user));
    const before = redeemed();
    const foreign = new URL(answer);
    foreign.searchParams.set('state', 'x'.repeat(43));
    const none = new URL(answer);
    none.searchParams.delete('state');
    for (const url of [foreign.href, none.href, `${answer.href}&state=x`, `${answer.href}&code=another`]) {
      const page = await browser.open(url);
      assert.equal(page.status, 404, url);
      assert.match(page.text, /leads nowhere/);
    }
    await assertNothing(before);
  });

  it('an answer in a browser without the cookie is refused, and is told to whom it belongs not', async () => {
    const answer = await answerOf(browser, await at.link(user));
    const before = redeemed();
    const page = await createBrowser().open(answer.href);
    assert.equal(page.status, 403);
    assert.match(page.text, /another browser/);
    assert.ok(!page.html.includes(user));
    await assertNothing(before);
    assert.ok(!isConnected(await browser.open(answer.href)), 'its code is out in the open: it is over');
    await assertNothing(before);
  });

  it('a victim whose browser is sent the answer of an attacker connects nothing, signed in or not', async () => {
    const attacker = createBrowser();
    const answer = await answerOf(attacker, await at.link(user), 'mallory');
    const before = redeemed();
    for (const victim of [createBrowser(), await at.signedIn('bob')]) {
      assert.equal((await victim.open(answer.href)).status, 403);
    }
    await assertNothing(before);
  });

  it('an answer that comes to the address of another provider is redeemed nowhere, and it is over (COAT)', async () => {
    const answer = await answerOf(browser, await at.link(user));
    const before = redeemed();
    const elsewhere = `${at.url}/connect/callback/default/providers/plain${answer.search}`;
    const page = await browser.open(elsewhere);
    assert.equal(page.status, 400);
    await assertNothing(before);
    assert.ok(!isConnected(await browser.open(answer.href)));
    await assertNothing(before);
  });

  it('an answer of a provider is worth nothing at the address of a source of that name, or of another project', async () => {
    const { search } = await answerOf(browser, await at.link(user));
    const before = redeemed();
    for (const path of ['default/github', 'other/providers/github', 'default/providers/nobody']) {
      const page = await browser.open(`${at.url}/connect/callback/${path}${search}`);
      assert.ok(page.status >= 400, path);
    }
    await assertNothing(before);
  });

  it('the code of an attacker in the answer of a victim is not redeemed', async () => {
    const stolen = await answerOf(createBrowser(), await at.link(user, { provider: 'plain' }), 'mallory');
    const victim = `${user}-victim`;
    const answer = await answerOf(browser, await at.link(victim, { provider: 'plain' }));
    answer.searchParams.set('code', stolen.searchParams.get('code') ?? '');
    const page = await browser.open(answer.href);
    assert.equal(page.status, 400);
    assert.deepEqual([await kept(user), await kept(victim)], [0, 0]);
  });

  it('a link for somebody else is refused, and offers to sign in as the right one, who goes on', async () => {
    const link = await at.link('dora@example.com');
    const alice = await at.signedIn('alice');
    const idp = await addIssuer(at, 'dora');
    const refused = await alice.open(link);
    assert.equal(refused.status, 403);
    assert.match(refused.text, /for somebody else.*alice@example\.com/);
    assert.ok(!refused.html.includes('dora@'));
    const offered = refused.links.find(({ text }) => text === 'Continue with Company of dora');
    const page = await signInAt(alice, await alice.open(offered?.href ?? ''), 'dora');
    await idp.close();
    assert.equal(new URL(page.url).origin, at.github.origin, page.text);
  });

  it('where the project has a verifier of its own, that one decides, whoever is signed in here', async () => {
    const settings = '/v1/admin/settings/session_verification';
    const { api } = at.signing.server;
    assert.ok((await api('PUT', settings, { verifier_url: 'https://app.example/verify' })).ok);
    try {
      const alice = await at.signedIn('alice');
      const answer = await answerOf(alice, await at.link(user));
      const page = await alice.open(answer.href, { stopAt: (url) => url.hostname === 'app.example' });
      assert.match(page.url, /^https:\/\/app\.example\/verify\?flow_id=[\w-]{43}$/);
      assert.equal(await kept(), 0, 'nothing is kept before it has decided');
    } finally {
      await api('PUT', settings, { verifier_url: null });
    }
  });

  it('what is opened in two browsers belongs to the one that opened it last', async () => {
    const link = await at.link(user);
    const first = await answerOf(createBrowser(), link);
    const second = await answerOf(browser, link);
    const before = redeemed();
    const thief = createBrowser();
    assert.ok((await thief.open(first.href)).status >= 400);
    await assertNothing(before);
    assert.ok(isConnected(await browser.open(second.href)));
  });

  it('the address of the last page holds neither code nor state, and is worth nothing elsewhere', async () => {
    const page = await browser.open((await answerOf(browser, await at.link(user))).href);
    assert.ok(isConnected(page));
    assert.match(new URL(page.url).pathname, /^\/connect\/done\/ac_\w+$/);
    assert.equal(new URL(page.url).search, '');
    const elsewhere = await createBrowser().open(page.url);
    assert.deepEqual([elsewhere.status, elsewhere.text.includes('github')], [404, false]);
  });

  it('what loads ahead or previews a link opens nothing, and takes no answer', async () => {
    const link = await at.link(user);
    const answer = await answerOf(browser, link);
    const before = redeemed();
    for (const init of [
      { method: 'HEAD' },
      { headers: { 'sec-purpose': 'prefetch', 'sec-fetch-dest': 'document' } },
      { headers: {} },
    ]) {
      const opened = await fetch(link, { ...init, redirect: 'manual' });
      assert.deepEqual([opened.status, opened.headers.get('location')], [200, null]);
    }
    const cookie = browser
      .cookies(at.url)
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
    for (const init of [{ method: 'HEAD' }, { headers: { purpose: 'prefetch' } }]) {
      const taken = await fetch(answer, {
        ...init,
        headers: { ...init.headers, cookie },
        redirect: 'manual',
      });
      assert.equal(taken.status, 503);
    }
    await assertNothing(before);
    assert.ok(isConnected(await browser.open(answer.href)));
  });

  it('an answer without end is refused unread', async () => {
    const answer = await answerOf(browser, await at.link(user));
    const before = redeemed();
    const page = await browser.open(`${answer.href}&padding=${'x'.repeat(20_000)}`);
    assert.equal(page.status, 414);
    await assertNothing(before);
  });

  it('the words of a provider are told to nobody, its error code is, with advice and a reference', async () => {
    const answer = await answerOf(browser, await at.link(user));
    answer.searchParams.delete('code');
    answer.searchParams.set('error', 'access_denied');
    answer.searchParams.set('error_description', '<b>call 555-0100</b>');
    answer.searchParams.set('error_uri', 'https://evil.example/');
    const page = await browser.open(answer.href);
    assert.equal(page.status, 400);
    assert.match(page.text, /did not allow/);
    assert.match(page.text, /ac_\w+/);
    assert.doesNotMatch(page.html, /555-0100|evil/);
    assert.equal(await kept(), 0);
  });

  it('users, accounts and scopes stay text, however they are called', async () => {
    const bad = '"><img src=x onerror=alert(1)>';
    const scopes = ['<img/src=x/onerror=alert(1)>'];
    const page = await browser.open(await at.link(`${user}${bad}`, { scopes }));
    assert.equal(page.status, 200);
    assert.ok(page.text.includes('<img'), 'it is shown');
    assert.ok(!page.html.includes('<img'));
    await at.provider({ id: `bad-${count}`, type: 'oauth2', description: bad, oauth2: at.plain.settings });
    const alice = await at.signedIn('alice');
    const own = await alice.open(`${at.url}/connect`);
    assert.ok(!own.html.includes('<img'));
  });

  it('browsers are sent to the address that was asked for, and to none of a query', async () => {
    const nextUri = 'https://app.example/done?x=1';
    const asked = await at.link(user, { nextUri });
    const answer = await answerOf(browser, asked);
    answer.searchParams.set('next_uri', 'https://evil.example/');
    const page = await browser.open(answer.href, { stopAt: (url) => url.hostname.endsWith('.example') });
    assert.equal(page.url, nextUri);
    for (const bad of [
      'javascript:alert(1)',
      'data:text/html,x',
      '//evil.example',
      'https://a:b@evil.example/',
    ]) {
      const refused = await at.signing.server.api('POST', '/v1/auth/authorize', {
        auth_requirement: { id: 'github' },
        user_id: user,
        next_uri: bad,
      });
      assert.equal(refused.status, 400, bad);
    }
  });

  it('no page shows in a frame, is kept, tells where one came from, or runs a script', async () => {
    const link = await at.link(user);
    const alice = await at.signedIn('alice');
    const pages = [
      await browser.open(link),
      await browser.open(`${at.url}/connect`),
      await alice.open(`${at.url}/connect`),
      await alice.open(link),
      await browser.open(`${at.url}/connect/done/ac_0`),
      await browser.open(`${at.url}/connect/callback/default/providers/github?state=x`),
    ];
    for (const { headers, url } of pages) {
      const policy = headers.get('content-security-policy') ?? '';
      assert.match(policy, /frame-ancestors 'none'/, url);
      assert.match(policy, /default-src 'none'/);
      assert.doesNotMatch(policy, /script-src|unsafe/);
      assert.equal(headers.get('x-frame-options'), 'DENY');
      assert.equal(headers.get('cache-control'), 'no-store');
      assert.equal(headers.get('referrer-policy'), 'same-origin');
    }
  });

  it('the cookie of a consent is read by no script and sent by no foreign form, and a redirect tells no address', async () => {
    const page = await browser.open(await at.link(user));
    const cookie = browser
      .cookies(at.url)
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
    const [form] = page.forms;
    const pressed = await fetch(form?.action ?? '', {
      method: 'POST',
      headers: { cookie, origin: at.url, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form?.fields),
    });
    const [mark = ''] = pressed.headers.getSetCookie();
    assert.match(mark, /^sallyport_connect_\w+=[\w-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/);
    const answer = await answerOf(browser, await at.link(`${user}-2`));
    const own = browser
      .cookies(at.url)
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
    const sent = await fetch(answer, { headers: { cookie: own }, redirect: 'manual' });
    assert.deepEqual([sent.status, sent.headers.get('referrer-policy')], [303, 'no-referrer']);
  });

  it('the button works for the page that was shown, and for no other site', async () => {
    const link = await at.link(user);
    const page = await browser.open(link);
    const foreign = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    const visits = at.github.asked.authorize;
    await browser.submit(page, { headers: foreign }).catch(() => null);
    const forged = await fetch(link, {
      method: 'POST',
      headers: { origin: at.url, 'content-type': 'application/x-www-form-urlencoded' },
      body: 'form_token=x',
      redirect: 'manual',
    });
    assert.equal(forged.headers.get('location'), new URL(link).pathname);
    assert.equal(at.github.asked.authorize, visits);
  });

  describe('what users enter', () => {
    before(() => at.provider({ id: 'keyed', type: 'basic', description: 'A system with passwords' }));
    const secret = 'the-password-of-ada';

    async function form(): Promise<Page> {
      return await browser.open(await at.link(user, { provider: 'keyed', scopes: [] }));
    }

    it('is kept by the form that was shown, and never shown again', async () => {
      const page = await form();
      assert.match(page.html, /type="password"[^>]* autocomplete="new-password"/);
      const half = await browser.submit(page, { fields: { entry_username: '', entry_password: secret } });
      assert.equal(half.status, 400);
      assert.match(half.text, /User ?name.*Enter this/i);
      assert.ok(!half.html.includes(secret));
      assert.equal(await kept(), 0);
      const done = await browser.submit(half, { fields: { entry_username: 'ada', entry_password: secret } });
      assert.ok(isConnected(done), done.text);
      assert.ok(!done.html.includes(secret) && !done.url.includes('entry'));
      assert.equal(await kept(), 1);
    });

    it('is not kept where another site, or a form of another browser, sends it', async () => {
      const page = await form();
      const fields = { entry_username: 'mallory', entry_password: 'x' };
      await browser
        .submit(page, { fields, headers: { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' } })
        .catch(() => null);
      await createBrowser().submit(page, { fields });
      const bare = { ...page, forms: page.forms.map((one) => ({ ...one, fields: {} })) };
      await browser.submit(bare, { fields });
      assert.equal(await kept(), 0);
    });
  });

  describe('one’s own connections', () => {
    async function connectedAs(login: string): Promise<{ readonly browser: Browser; readonly page: Page }> {
      const own = await at.signedIn(login);
      const asking = await own.submit(await own.open(`${at.url}/connect`), { button: /^Connect/ });
      await own.submit(asking, { button: 'Allow', fields: { login: `${login}-there` } });
      return { browser: own, page: await own.open(`${at.url}/connect`) };
    }

    it('are seen and changed by their owner alone', async () => {
      const alice = await connectedAs('alice');
      const bob = await connectedAs('bob');
      assert.match(alice.page.text, /alice-there/);
      assert.doesNotMatch(alice.page.text, /bob-there/);
      const idOf = (page: Page) =>
        page.forms.find(({ action }) => action.endsWith('/disconnect'))?.fields.id ?? '';
      assert.match(idOf(alice.page), /^con_/);
      for (const [action, button] of [
        ['disconnect', 'Disconnect'],
        ['again', 'Connect again'],
        ['change', 'Save'],
      ] as const) {
        const tried = await bob.browser.submit(bob.page, {
          button,
          fields: { id: idOf(alice.page), name: 'x' },
        });
        assert.deepEqual([tried.status, /There is nothing here/.test(tried.text)], [404, true], action);
      }
      const foreign = await bob.browser.submit(alice.page, { button: 'Disconnect' });
      assert.equal(foreign.status, 403, 'the form of another session');
      const again = await alice.browser.open(`${at.url}/connect`);
      assert.equal(idOf(again), idOf(alice.page));
      const gone = await alice.browser.submit(again, { button: 'Disconnect' });
      assert.match(gone.text, /is disconnected/);
      assert.equal(idOf(await alice.browser.open(`${at.url}/connect`)), '');
    });

    it('say when they were taken back over there, and are mended by one button', async () => {
      const own = await at.signedIn('bob');
      at.plain.lifeS = 1;
      const connect = async (button: string | RegExp) => {
        const page = await own.open(`${at.url}/connect`);
        const id = page.forms.find(({ fields }) => fields.name?.startsWith('bobby'))?.fields.id ?? '';
        const forms = page.forms.filter(({ fields }) => fields.provider === 'plain' || fields.id === id);
        const asking = await own.submit({ ...page, forms }, { button });
        assert.ok(isConnected(await own.submit(asking, { button: 'Allow', fields: { login: 'bobby' } })));
        return await own.open(`${at.url}/connect`);
      };
      const accounts = (page: Page) => [...page.text.matchAll(/bobby@example\.com/g)].length;
      const fine = await connect(/^Connect/);
      assert.doesNotMatch(fine.text, /needs you again/);
      at.plain.revokeAll();
      at.plain.lifeS = 3600;
      const asked = await at.authorize('bob@example.com', { provider: 'plain', scopes: [] });
      assert.equal(asked.status, 'pending', 'it could not be renewed');
      const broken = await own.open(`${at.url}/connect`);
      assert.match(broken.text, /needs you again/);
      const mended = await connect('Connect again');
      assert.doesNotMatch(mended.text, /needs you again/);
      assert.equal(accounts(mended), accounts(broken), 'it is the same account');
    });

    it('take a gateway from each other, and nothing else', async () => {
      const { api } = at.signing.server;
      for (const login of ['work', 'home']) {
        const own = createBrowser();
        assert.ok(
          isConnected(
            await own.open((await answerOf(own, await at.link(user, { scopes: [login] }), login)).href),
          ),
        );
      }
      const accounts = async (): Promise<Json[]> =>
        ((await (await api('GET', `/v1/connections?user_id=${user}`)).json()) as Json).items;
      const named = async (name: string) => (await accounts()).find((one) => one.name.startsWith(name));
      for (const name of ['home', 'work']) {
        const changed = await api('PATCH', `/v1/connections/${(await named(name)).id}`, {
          gateways: ['evenings'],
        });
        assert.equal(changed.status, 200, await changed.text());
      }
      const [home, work] = [await named('home'), await named('work')];
      assert.deepEqual([home.gateways, home.is_default], [[], true], 'connected last, it is the default');
      assert.deepEqual([work.gateways, work.is_default], [['evenings'], false]);
    });

    it('take no name and no gateway on the page that the API would not take', async () => {
      const { browser: own, page } = await connectedAs('alice');
      for (const [fields, problem] of [
        [{ name: 'x'.repeat(257) }, /Name: .*256/],
        [{ name: 'bell\u0007' }, /Name: must not hold control characters/],
        [{ name: '' }, /needs a name/],
        [{ gateways: '../other' }, /Gateways\.0: /],
      ] as const) {
        const tried = await own.submit(page, { button: 'Save', fields });
        assert.equal(tried.status, 400, JSON.stringify(fields));
        assert.match(tried.text, problem);
      }
      const saved = await own.submit(page, { button: 'Save', fields: { name: 'spare' } });
      assert.match(saved.text, /spare is changed/);
      await own.submit(saved, { button: 'Disconnect' });
    });

    it('are connected for nobody else, at no provider of another project, and by no foreign site', async () => {
      const own = await at.signedIn('alice');
      const page = await own.open(`${at.url}/connect`);
      for (const fields of [
        { user: 'bob@example.com' },
        { project: 'other' },
        { provider: 'nobody' },
        { user: '' },
      ]) {
        const tried = await own.submit(page, { button: /^Connect/, fields });
        assert.equal(tried.status, 404, JSON.stringify(fields));
      }
      const foreign = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
      const tried = await own.submit(page, { button: /^Connect/, headers: foreign });
      assert.ok(tried.status === 403);
      const notice = await own.open(`${at.url}/connect?told=You+won`);
      assert.doesNotMatch(notice.text, /You won/);
    });
  });
});
