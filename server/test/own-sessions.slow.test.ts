import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Browser, createBrowser, type Page } from './browser.ts';
import { startIdentityProvider } from './identity-provider.ts';
import { clientCallback, type SigningIn, signInAt, startSigningIn, toConsent } from './signing-in.ts';

let signing: SigningIn;

before(async () => {
  signing = await startSigningIn(`
gateways:
  - slug: members
    auth_types: [arcade]
    tool_filter: { allowed_tools: ['*'] }
`);
});
after(() => signing.close());

const sessions = (browser: Browser) => browser.open(`${signing.server.url}/oauth2/sessions`);
const link = (page: Page, text: string) => page.links.find((one) => one.text === text)?.href ?? '';

async function connected(login = 'alice') {
  const asked = await signing.authorization('members');
  const { browser, page } = await toConsent(asked.url, login);
  const back = await browser.submit(page, { button: 'Allow', stopAt: clientCallback });
  const { access_token: token } = await asked.token(new URL(back.url).searchParams.get('code') ?? '');
  const list = async () => {
    const headers = { authorization: `Bearer ${token}`, 'arcade-user-id': '' };
    const response = await signing.server.rpc('members', { id: 1, method: 'tools/list' }, headers);
    await response.body?.cancel();
    return response.status;
  };
  return { browser, asked, list };
}

test('people see who they are, where they are signed in, and what they allowed', async () => {
  const { browser } = await connected();
  const page = await sessions(browser);
  assert.match(page.text, /You are signed in as alice@example\.com/);
  assert.match(page.text, /\(this browser\)/);
  assert.match(page.text, /by Company corp/);
  assert.match(page.text, /Test client uses members/);
});

test('whoever is not signed in is asked to, and comes back', async () => {
  const browser = createBrowser();
  const page = await sessions(browser);
  assert.match(page.text, /Sign in/);
  assert.doesNotMatch(page.text, /example\.com/);
  const back = await signInAt(browser, await browser.open(link(page, 'Continue with Company corp')), 'alice');
  assert.match(back.text, /You are signed in as alice@example\.com/);
});

test('an application whose consent is withdrawn is out, and asks again', async () => {
  const { browser, asked, list } = await connected('bob');
  assert.equal(await list(), 200);
  const page = await sessions(browser);
  const after = await browser.submit(page, { button: 'Withdraw' });
  assert.match(after.text, /Applications that you allowed None\./);
  assert.equal(await list(), 401);
  assert.match((await browser.open(asked.url, { stopAt: clientCallback })).text, /Allow Test client/);
});

test('signing out ends the session, and what was connected by it', async () => {
  const { browser, list } = await connected();
  const page = await browser.submit(await sessions(browser), { button: 'Sign out of this browser' });
  assert.match(page.text, /You are signed out/);
  assert.equal(await list(), 401);
  assert.doesNotMatch((await sessions(browser)).text, /alice/);
});

test('one session of several is ended without the others, and all of them at once', async () => {
  const one = await connected();
  const two = await connected();
  const page = await sessions(two.browser);
  const ends = page.forms.filter(({ action }) => action.endsWith('/oauth2/sessions/end'));
  assert.ok(ends.length >= 2);
  const own = (await signing.server.app.rooms.identity.signIns.list(personOf('alice@example.com'))).map(
    ({ id }) => id,
  );
  assert.deepEqual(ends.map(({ fields }) => fields.id).sort(), own.toSorted());
  const cookie = two.browser.cookies(signing.server.url).find(({ name }) => name === 'sallyport_sign_in');
  const here = await signing.server.app.rooms.identity.signIns.ofBrowser(cookie?.value ?? '');
  const elsewhere = ends.find(({ fields }) => fields.id !== here?.id);
  assert.ok(elsewhere !== undefined);
  await two.browser.submit({ ...page, forms: [elsewhere] });
  const left = await sessions(two.browser);
  assert.equal(left.forms.filter(({ action }) => action.endsWith('/end')).length, ends.length - 1);
  const out = await two.browser.submit(left, { button: 'End all of them, and sign out' });
  assert.match(out.text, /You are signed out/);
  assert.deepEqual([await one.list(), await two.list()], [401, 401]);
});

test('nobody ends the session of somebody else', async () => {
  const alice = await connected();
  const other = await startIdentityProvider();
  const { issuer, clientId, clientSecret: secret } = other;
  await signing.addSource('other', { issuer, clientId, clientAuth: { by: 'secret', secret } });
  const bob = createBrowser();
  const start = await bob.open(`${signing.server.url}/oauth2/sign_in/default/other`);
  const page = await signInAt(bob, start, 'bob');
  const [theirs] = await signing.server.app.rooms.identity.signIns.list(personOf('alice@example.com'));
  const form = page.forms.find(({ action }) => action.endsWith('/oauth2/sessions/end'));
  assert.ok(form !== undefined && theirs !== undefined);
  await bob.submit({ ...page, forms: [form] }, { fields: { id: theirs.id } });
  assert.equal(await alice.list(), 200);
  await signing.server.app.rooms.identity.userSources.remove('default', 'other');
  await other.close();
});

function personOf(email: string): string {
  return signing.server.app.rooms.identity.people.standingOf('default', email)?.personId ?? '';
}
