import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { createBrowser } from './browser.ts';
import { clientCallback, type SigningIn, startSigningIn, toConsent } from './signing-in.ts';

let signing: SigningIn;

before(async () => {
  signing = await startSigningIn(`
gateways:
  - slug: members
    auth_types: [arcade]
    tool_scopes: [{ scope: one, tools: ['One.*'] }, { scope: two, tools: ['Two.*'] }]
    tool_filter: { allowed_tools: ['*'] }
`);
});
after(() => signing.close());

const identity = () => signing.server.app.rooms.identity;
const signOut = async (browser: ReturnType<typeof createBrowser>) => {
  const page = await browser.open(`${signing.server.url}/oauth2/sessions`);
  const out = await browser.submit(page, { button: 'Sign out of this browser' });
  assert.match(out.text, /You are signed out/);
};

test('a consent that is sent several times at the same moment connects the application all the same', async () => {
  const asked = await signing.authorization('members');
  const { browser, page } = await toConsent(asked.url);
  const ends = await Promise.all(
    Array.from({ length: 4 }, () => browser.submit(page, { button: 'Allow', stopAt: clientCallback })),
  );
  const codes = ends.flatMap(({ url }) => new URL(url).searchParams.get('code') ?? []);
  assert.ok(codes.length > 0);
  const given = await Promise.all(codes.map((code) => asked.token(code)));
  const tokens = given.flatMap((one: { access_token?: string }) => one.access_token ?? []);
  assert.equal(tokens.length, codes.length);
  for (const { url, status } of ends) {
    assert.ok(url.startsWith(clientCallback) || status === 400, `${status} ${url}`);
  }
});

test('two consents of one person for one client at the same moment are both kept', async () => {
  const asked = await signing.authorization('members', {}, { scope: 'mcp one' });
  const one = await toConsent(asked.url, 'bob');
  const url = new URL(asked.url);
  url.searchParams.set('scope', 'mcp two');
  const two = { browser: one.browser, page: await one.browser.open(url.href) };
  const allow = ({ browser, page }: typeof one) =>
    browser.submit(page, { button: 'Allow', stopAt: clientCallback });
  for (const { url } of await Promise.all([allow(one), allow(two)])) assert.match(url, /code=/);
  const person = identity().people.standingOf('default', 'bob@example.com')?.personId ?? '';
  const kept = (await identity().consents.list(person)).find(({ clientId }) => clientId === asked.clientId);
  for (const scope of ['mcp', 'one', 'two']) assert.ok(kept?.scopes.includes(scope), scope);
});

test('whoever signs out before they answer has not allowed anything', async () => {
  const asked = await signing.authorization('members');
  const { browser, page } = await toConsent(asked.url);
  await signOut(browser);
  const answered = await browser.submit(page, { button: 'Allow', stopAt: clientCallback });
  assert.equal(answered.status, 400);
  assert.match(answered.text, /This sign-in is over/);
  const person = identity().people.standingOf('default', 'alice@example.com')?.personId ?? '';
  const kept = await identity().consents.list(person);
  assert.ok(!kept.some(({ clientId }) => clientId === asked.clientId));
});

test('whoever signs out after they allowed it, and before the application has its code, connects nothing', async () => {
  const asked = await signing.authorization('members');
  const { browser, page } = await toConsent(asked.url);
  const onWay = await browser.submit(page, {
    button: 'Allow',
    stopAt: ({ pathname }) => pathname.startsWith('/oauth2/authorize/'),
  });
  assert.equal(onWay.status, 0);
  await signOut(browser);
  const end = await browser.open(onWay.url, { stopAt: clientCallback });
  assert.equal(new URL(end.url).searchParams.get('code'), null, end.url);
});

test('whoever signs out while the application redeems its code leaves it with nothing', async () => {
  const asked = await signing.authorization('members');
  const { browser, page } = await toConsent(asked.url);
  const end = await browser.submit(page, { button: 'Allow', stopAt: clientCallback });
  const [, given] = await Promise.all([
    signOut(browser),
    asked.token(new URL(end.url).searchParams.get('code') ?? ''),
  ]);
  const call = await fetch(`${signing.server.url}/mcp/members`, {
    method: 'POST',
    headers: { authorization: `Bearer ${given.access_token ?? 'none'}`, 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
  });
  await call.arrayBuffer();
  assert.equal(call.status, 401);
});
