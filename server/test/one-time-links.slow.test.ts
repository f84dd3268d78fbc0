import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ownerLink } from '#compose';
import { systemClock } from '#foundation';
import type { Link } from '#identity';
import { createBrowser, type Page } from './browser.ts';
import { clientCallback, type SigningIn, signInAt, startSigningIn } from './signing-in.ts';

let signing: SigningIn;

before(async () => {
  signing = await startSigningIn(`
gateways:
  - slug: members
    auth_types: [arcade]
    tool_filter: { allowed_tools: ['*'] }
`);
  await signing.server.app.rooms.identity.userSources.remove('default', 'corp');
});
after(() => signing.close());

const identity = () => signing.server.app.rooms.identity;
const records = () => signing.server.records('&kind=sign_in');

async function newLink(change: Partial<Link> = {}, createdBy: string | null = 'key_1'): Promise<string> {
  const { token } = await identity().people.createLink(
    {
      kind: 'invitation',
      organizationId: 'default',
      projectId: 'default',
      email: 'carol@example.com',
      role: 'editor',
      expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
      ...change,
    },
    createdBy,
  );
  return `${signing.server.url}/oauth2/link#${token}`;
}

async function use(link: string, browser = createBrowser()): Promise<Page> {
  const page = await browser.open(`${signing.server.url}/oauth2/link`);
  return await browser.submit(page, { button: 'Sign in', fields: { link } });
}

test('the link that the server prints signs in the owner, once, and asks for the e-mail address', async () => {
  const { app } = signing.server;
  const link = (await ownerLink(app, { atTerminal: false, clock: systemClock })) ?? '';
  assert.ok(link.startsWith(`${signing.server.url}/oauth2/link#`));
  const browser = createBrowser();
  const asked = await use(link, browser);
  assert.match(asked.text, /Who are you\?/);
  const wrong = await browser.submit(asked, { fields: { email: 'not one' } });
  assert.match(wrong.text, /This is not an e-mail address/);
  const page = await browser.submit(wrong, { fields: { email: ' Owner@Example.com ' } });
  assert.match(page.text, /You are signed in as owner@example\.com/);
  assert.equal(identity().people.standingOf('default', 'owner@example.com')?.roleIn('default'), 'owner');
  assert.match((await use(link)).text, /This link does not work/);
  assert.equal(await ownerLink(app, { atTerminal: false, clock: systemClock }), null, 'there is an owner');
  assert.notEqual(await ownerLink(app, { atTerminal: true, clock: systemClock }), null);
});

test('each replica prints a link of its own, and none where people sign in at a source', async () => {
  const { app } = signing.server;
  const links = [1, 2].map(() => ownerLink(app, { atTerminal: true, clock: systemClock }));
  assert.equal(new Set(await Promise.all(links)).size, 2);
  await signing.addSource('corp');
  assert.equal(await ownerLink(app, { atTerminal: true, clock: systemClock }), null);
  await identity().userSources.remove('default', 'corp');
});

test('where there is no source, the sign-in page takes the link and goes on to the application', async () => {
  const asked = await signing.authorization('members');
  const browser = createBrowser();
  const page = await browser.open(asked.url);
  assert.match(page.text, /No company sign-in is set up on this server/);
  const consent = await browser.submit(page, { button: 'Sign in', fields: { link: await newLink() } });
  assert.match(consent.text, /You are carol@example\.com/);
  const back = await browser.submit(consent, { button: 'Allow', stopAt: clientCallback });
  assert.match(back.url, /code=/);
  assert.equal(identity().people.standingOf('default', 'carol@example.com')?.roleIn('default'), 'editor');
});

test('an invitation gives what it is for, and never takes away what somebody is already', async () => {
  const link = await newLink({ email: 'dora@example.com', role: 'admin' });
  await use(link);
  const less = await newLink({ email: 'dora@example.com', role: 'admin', projectId: '' });
  await use(less);
  await use(await newLink({ email: 'dora@example.com', role: 'admin' }));
  assert.equal(identity().people.standingOf('default', 'dora@example.com')?.roleIn('default'), 'admin');
});

test('of two browsers with the same link one is signed in', async () => {
  const link = await newLink({ email: 'eve@example.com' });
  const browsers = [createBrowser(), createBrowser()];
  await Promise.all(browsers.map((browser) => use(link, browser)));
  const signedIn = browsers.filter((browser) =>
    browser.cookies(signing.server.url).some(({ name }) => name === 'sallyport_sign_in'),
  );
  assert.equal(signedIn.length, 1);
});

test('links that are used, too old, unknown or half copied are the same to whoever tries', async () => {
  const used = await newLink({ email: 'frank@example.com' });
  await use(used);
  const old = await newLink({ expiresAt: new Date(Date.now() - 1000).toISOString() });
  const seen: string[] = [];
  for (const link of [used, old, `#${'x'.repeat(43)}`, 'half', old.slice(0, -3)]) {
    const page = await use(link);
    seen.push(page.text.replace(/ref_\w+/, ''));
    const [record] = await records();
    assert.equal(record.code, 'sign_in.expired');
    assert.ok(!JSON.stringify(record).includes(link.split('#')[1] ?? 'nothing'));
  }
  assert.equal(new Set(seen).size, 1, seen.join('\n'));
});

test('where people have accounts, an invitation is answered with the account that was invited', async () => {
  await signing.addSource('corp', { newPeople: null });
  const link = await newLink({ email: 'alice@example.com', role: 'auditor' });
  const bobs = createBrowser();
  const refused = await signInAt(bobs, await use(link, bobs), 'bob');
  assert.match(refused.text, /This invitation is for another account It is for alice@example\.com/);
  assert.match((await records())[0].reason, /the invitation is for another e-mail address/);
  const browser = createBrowser();
  const atIssuer = await use(link, browser);
  assert.equal(new URL(atIssuer.url).origin, signing.idp.origin);
  assert.equal(signing.idp.lastAuthorization.get('login_hint'), 'alice@example.com');
  const page = await signInAt(browser, atIssuer, 'alice');
  assert.match(page.text, /You are signed in as alice@example\.com/);
  assert.equal(identity().people.standingOf('default', 'alice@example.com')?.roleIn('default'), 'auditor');
  assert.match((await use(link)).text, /This link does not work/);
  await identity().userSources.remove('default', 'corp');
});

test('with several sources, whoever is invited chooses', async () => {
  await signing.addSource('corp');
  await signing.addSource('second', { name: 'Partners' });
  const browser = createBrowser();
  const page = await use(await newLink({ email: 'bob@example.com' }), browser);
  assert.match(page.text, /Sign in with the account that has the address bob@example\.com/);
  const atIssuer = await browser.submit(page, { button: 'Continue with Partners' });
  assert.equal(new URL(atIssuer.url).origin, signing.idp.origin);
  await identity().userSources.remove('default', 'corp');
  await identity().userSources.remove('default', 'second');
});

test('whoever tries many links waits', async () => {
  const browser = createBrowser();
  const form = await browser.open(`${signing.server.url}/oauth2/link`);
  const link = await newLink({ email: 'grace@example.com' });
  const attempt = (text: string) => browser.submit(form, { fields: { link: text } });
  let page = await attempt('#wrong-wrong-wrong-wrong-wrong');
  for (let at = 0; at < 25 && page.status !== 429; at++)
    page = await attempt(`#wrong-wrong-wrong-wrong-${at}`);
  assert.equal(page.status, 429);
  assert.match(page.text, /Too many attempts/);
  assert.equal((await attempt(link)).status, 429);
  assert.equal((await records())[0].code, 'sign_in.rate_limited');
});
