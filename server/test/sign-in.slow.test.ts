import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createBrowser, type Page } from './browser.ts';
import { type IdpKnobs, startIdentityProvider } from './identity-provider.ts';
import { clientCallback, type SigningIn, signInAt, startSigningIn, toConsent } from './signing-in.ts';
import { messageOf } from './start-app.ts';

let signing: SigningIn;

before(async () => {
  signing = await startSigningIn(`
gateways:
  - slug: members
    name: The members' gateway
    auth_types: [arcade]
    tool_filter: { allowed_tools: ['*'] }
  - slug: nobody
    auth_types: [user_source]
    user_source_ids: [gone]
    tool_filter: { allowed_tools: ['*'] }
  - slug: other
    auth_types: [arcade]
    tool_filter: { allowed_tools: ['*'] }
`);
});
after(() => signing.close());

/** Records of sign-ins, newest first. */
const records = () => signing.server.records('&kind=sign_in');
const referenceOn = ({ text }: Page) => /Reference: (ref_[0-9a-f]{12})/.exec(text)?.[1] ?? '';

test('nobody becomes the owner by a sign-in that does not let them in', async () => {
  const { idp, server } = signing;
  idp.knobs.tokenClaims = { email_verified: false };
  const { page } = await toConsent((await signing.authorization('members')).url, 'bob');
  idp.knobs.tokenClaims = {};
  assert.equal(page.status, 403);
  assert.match((await records())[0].reason, /has no e-mail address here/);
  assert.equal(await server.app.rooms.identity.people.hasOwner('default'), false);
});

test('a person signs in with the company account, allows the application, and it gets a token that works', async () => {
  const { authorization, server } = signing;
  const asked = await authorization('members');
  const { browser, page } = await toConsent(asked.url);
  assert.equal(page.status, 200, page.text);
  assert.match(page.text, /Allow Test client to act as you\?/);
  assert.match(page.text, /You are alice@example\.com/);
  assert.match(page.text, /The members' gateway/);
  assert.match(page.text, /127\.0\.0\.1 \(this computer\)/);
  const back = await browser.submit(page, { button: 'Allow', stopAt: clientCallback });
  const answer = new URL(back.url);
  assert.equal(answer.searchParams.get('state'), asked.state);
  assert.equal(answer.searchParams.get('iss'), server.url);
  const { access_token: token } = await asked.token(answer.searchParams.get('code') ?? '');
  const headers = { authorization: `Bearer ${token}`, 'arcade-user-id': '' };
  const listed = await server.rpc('members', { id: 1, method: 'tools/list' }, headers);
  assert.equal(listed.status, 200);
  assert.ok(Array.isArray((await messageOf(listed)).result.tools));
});

test('the first company sign-in is the owner, whoever comes later a member', async () => {
  const { people } = signing.server.app.rooms.identity;
  await toConsent((await signing.authorization('members')).url, 'bob');
  assert.equal(people.standingOf('default', 'alice@example.com')?.roleIn('default'), 'owner');
  assert.equal(people.standingOf('default', 'bob@example.com')?.roleIn('default'), 'member');
});

test('what a person allowed is not asked again, for this client and this gateway alone', async () => {
  const first = await signing.authorization('members');
  const { browser, page } = await toConsent(first.url);
  const allowed = await browser.submit(page, { button: 'Allow', stopAt: clientCallback });
  assert.ok(allowed.url.startsWith(clientCallback));
  const again = await browser.open(first.url, { stopAt: clientCallback });
  assert.match(new URL(again.url).search, /code=/);
  const otherGateway = first.url.replace('members', 'other');
  assert.match((await browser.open(otherGateway, { stopAt: clientCallback })).text, /Allow Test client/);
  const otherClient = await signing.authorization('members');
  assert.match((await browser.open(otherClient.url, { stopAt: clientCallback })).text, /Allow Test client/);
  const bob = await toConsent(first.url, 'bob');
  assert.match(bob.page.text, /You are bob@example\.com/);
});

test('who does not allow it sends the application away without a code', async () => {
  const asked = await signing.authorization('members');
  const { browser, page } = await toConsent(asked.url);
  const back = await browser.submit(page, { button: 'Do not allow', stopAt: clientCallback });
  const { searchParams } = new URL(back.url);
  assert.equal(searchParams.get('error'), 'access_denied');
  assert.equal(searchParams.get('code'), null);
  const record = (await records()).find(({ reason }) => reason.startsWith('did not allow the application'));
  assert.equal(record.decision, 'refused');
  assert.equal(record.client_id, asked.clientId);
  assert.equal(record.user_id, 'alice@example.com');
  assert.match((await browser.open(asked.url, { stopAt: clientCallback })).text, /Allow Test client/);
});

test('consent is for what was asked: more scopes are asked about', async () => {
  const asked = await signing.authorization('members', {}, { scope: 'mcp' });
  const { browser, page } = await toConsent(asked.url);
  assert.doesNotMatch(page.text, /Know your name/);
  await browser.submit(page, { button: 'Allow', stopAt: clientCallback });
  const more = asked.url.replace('scope=mcp', 'scope=mcp+profile');
  assert.match((await browser.open(more, { stopAt: clientCallback })).text, /Know your name/);
});

test('whoever sees somebody else named can sign in as themselves', async () => {
  const dora = { sub: 'd', email: 'dora@example.com', name: 'Dora' };
  const other = await startIdentityProvider({ users: { dora } });
  const { issuer, clientId, clientSecret: secret } = other;
  await signing.addSource('other', { issuer, clientId, clientAuth: { by: 'secret', secret } });
  const asked = await signing.authorization('members');
  const browser = createBrowser();
  const first = await browser.open(asked.url);
  const link = (page: Page, text: string) => page.links.find((one) => one.text === text)?.href ?? '';
  const page = await signInAt(
    browser,
    await browser.open(link(first, 'Continue with Company corp')),
    'alice',
  );
  const choice = await browser.open(link(page, 'Sign in as somebody else'));
  assert.match(choice.text, /You are signed in as alice@example\.com/);
  // At the issuer that knows the browser, too, it is not simply alice again.
  const asWhom = await browser.open(link(choice, 'Continue with Company corp'));
  assert.equal(signing.idp.lastAuthorization.get('prompt'), 'login');
  assert.equal(new URL(asWhom.url).origin, signing.idp.origin);
  const asDora = await signInAt(
    browser,
    await browser.open(link(choice, 'Continue with Company other')),
    'dora',
  );
  await signing.server.app.rooms.identity.userSources.remove('default', 'other');
  await other.close();
  assert.match(asDora.text, /You are dora@example\.com/);
});

test('two tabs sign in at the same time and do not disturb each other', async () => {
  const browser = createBrowser();
  const one = await signing.authorization('members', { client_name: 'First' });
  const two = await signing.authorization('other', { client_name: 'Second' });
  const atIssuerOne = await browser.open(one.url);
  const atIssuerTwo = await browser.open(two.url);
  const consentTwo = await signInAt(browser, atIssuerTwo, 'alice');
  const consentOne = await signInAt(browser, atIssuerOne, 'alice');
  assert.match(consentOne.text, /Allow First/);
  assert.match(consentTwo.text, /Allow Second/);
  const allow = (page: Page) => browser.submit(page, { button: 'Allow', stopAt: clientCallback });
  assert.match((await allow(consentOne)).url, /^http:\/\/127\.0\.0\.1:7777\/callback\?code=/);
  // It was asked before the other tab signed in.
  const anew = await allow(consentTwo);
  assert.match(anew.text, /Allow Second/);
  assert.match((await allow(anew)).url, /^http:\/\/127\.0\.0\.1:7777\/callback\?code=/);
});

const failures: readonly (readonly [
  what: string,
  knobs: IdpKnobs,
  title: RegExp,
  code: string,
  decision: string,
])[] = [
  ['is down', { down: true }, /does not answer/, 'sign_in.source_unreachable', 'failed'],
  [
    'lies about its issuer',
    { discoveryIssuer: 'https://evil.example' },
    /not set up correctly/,
    'sign_in.source_misconfigured',
    'failed',
  ],
];
for (const [what, knobs, title, code, decision] of failures) {
  test(`an issuer that ${what} gives a page in plain words with a reference, and the operator the cause`, async () => {
    const idp = signing.idp;
    const source = await signing.addSource(`broken-${code.slice(-5)}`);
    Object.assign(idp.knobs, knobs);
    const page = await createBrowser().open(`${signing.server.url}/oauth2/sign_in/default/${source.id}`);
    for (const knob of Object.keys(knobs)) delete (idp.knobs as Record<string, unknown>)[knob];
    await signing.server.app.rooms.identity.userSources.remove('default', source.id);
    assert.match(page.text, title);
    const [record] = await records();
    assert.equal(record.code, code);
    assert.equal(record.decision, decision);
    assert.match(record.reason, new RegExp(`user source ${source.id}: .+\\(${referenceOn(page)}\\)`));
  });
}

const lies: readonly (readonly [what: string, knobs: IdpKnobs, code: string])[] = [
  ['signs with a key of nobody', { signing: 'foreign_key' }, 'sign_in.answer_invalid'],
  ['signs not at all', { signing: 'none' }, 'sign_in.answer_invalid'],
  ['goes away before it says who it is', { downAt: ['token'] }, 'sign_in.source_unreachable'],
  ['leaves out groups because there are too many', { groupOverage: 'claim' }, 'sign_in.answer_invalid'],
  ['answers for another client', { tokenAudience: 'another' }, 'sign_in.answer_invalid'],
  ['answers with the nonce of another sign-in', { tokenNonce: 'another' }, 'sign_in.answer_invalid'],
  ['is another one than it was asked', { responseIssuer: 'https://evil.example' }, 'sign_in.answer_invalid'],
  [
    'refuses',
    { authorizationError: { error: 'access_denied', error_description: '<b>no</b>' } },
    'sign_in.source_refused',
  ],
];
for (const [what, knobs, code] of lies) {
  test(`an issuer that ${what} signs nobody in, says so with a reference, and can be tried again`, async () => {
    const asked = await signing.authorization('members');
    const browser = createBrowser();
    Object.assign(signing.idp.knobs, knobs);
    const page = await signInAt(browser, await browser.open(asked.url), 'alice');
    for (const knob of Object.keys(knobs)) delete (signing.idp.knobs as Record<string, unknown>)[knob];
    assert.ok(page.status >= 400, page.text);
    assert.ok(!page.html.includes('<b>no</b>'));
    const [record] = await records();
    assert.equal(record.code, code, record.reason);
    assert.ok(record.reason.endsWith(`(${referenceOn(page)})`));
    assert.ok(!JSON.stringify(record).includes(signing.idp.clientSecret));
    assert.deepEqual(
      browser.cookies(signing.server.url).filter(({ name }) => name === 'sallyport_sign_in'),
      [],
    );
    const retry = await browser.open(page.links.find(({ text }) => text === 'Try again')?.href ?? '');
    assert.equal(new URL(retry.url).origin, signing.server.url, 'not sent around in a circle');
    const again = await browser.open(retry.links.find(({ text }) => text.startsWith('Continue'))?.href ?? '');
    assert.match((await signInAt(browser, again, 'alice')).text, /Allow Test client/);
  });
}

test('who has no groups where groups are demanded is told so, and the operator what is wrong', async () => {
  await signing.addSource('grouped', { groupsRequired: true });
  signing.idp.knobs.dropGroups = true;
  const browser = createBrowser();
  const atIssuer = await browser.open(`${signing.server.url}/oauth2/sign_in/default/grouped`);
  const page = await signInAt(browser, atIssuer, 'alice');
  delete signing.idp.knobs.dropGroups;
  await signing.server.app.rooms.identity.userSources.remove('default', 'grouped');
  assert.ok(page.status >= 400);
  const [record] = await records();
  assert.match(record.reason, /groups/);
  assert.ok(record.reason.endsWith(`(${referenceOn(page)})`));
});

test('keys that the issuer changes in mid-flight sign in all the same', async () => {
  const asked = await signing.authorization('members');
  const browser = createBrowser();
  const atIssuer = await browser.open(asked.url);
  await signing.idp.rotateKeys();
  assert.match((await signInAt(browser, atIssuer, 'alice')).text, /Allow Test client/);
});

test('who is unknown, not allowed, of a wrong domain or deactivated reads the same words', async () => {
  const { identity } = signing.server.app.rooms;
  const strict = await signing.addSource('strict', { newPeople: null, allowedDomains: ['example.com'] });
  const asked = await signing.authorization('members');
  const user = (sub: string, email: string) => ({ sub, email, name: 'X', emailVerified: true });
  signing.idp.setUser('stranger', user('s1', 'stranger@example.com'));
  signing.idp.setUser('foreign', user('s2', 'foreign@elsewhere.example'));
  signing.idp.setUser('gone', user('s3', 'gone@example.com'));
  const gone = await identity.people.signedIn({
    organizationId: 'default',
    projectId: 'default',
    sourceId: strict.id,
    issuer: strict.issuer,
    subject: 's3',
    userId: 's3',
    email: 'gone@example.com',
    name: 'X',
    groups: [],
    claims: {},
  });
  assert.ok(gone.ok);
  await identity.people.setActive('default', gone.value.id, false);
  const seen: string[] = [];
  const reasons: string[] = [];
  for (const login of ['stranger', 'foreign', 'gone']) {
    const browser = createBrowser();
    const choice = await browser.open(asked.url);
    const link = choice.links.find(({ href }) => href.includes('/strict?'))?.href ?? '';
    const page = await signInAt(browser, await browser.open(link), login);
    assert.equal(page.status, 403);
    seen.push(page.text.replace(/ref_\w+/, ''));
    reasons.push((await records())[0].reason);
    assert.equal(
      browser.cookies(signing.server.url).some(({ name }) => name === 'sallyport_sign_in'),
      false,
    );
  }
  await identity.userSources.remove('default', 'strict');
  assert.equal(new Set(seen).size, 1, seen.join('\n'));
  assert.equal(new Set(reasons.map((reason) => reason.replace(/\(ref.*/, ''))).size, 3, reasons.join('\n'));
});

test('where nobody can sign in, the page says so and asks for nothing', async () => {
  const page = await createBrowser().open((await signing.authorization('nobody')).url);
  assert.match(page.text, /Nobody can sign in here at the moment/);
  assert.deepEqual(page.forms, []);
});

test('where there are several sources people choose, and the page says who asks and where it leads', async () => {
  await signing.addSource('second', { name: 'Partners & friends' });
  const page = await createBrowser().open((await signing.authorization('members')).url);
  await signing.server.app.rooms.identity.userSources.remove('default', 'second');
  assert.match(page.text, /Sign in to connect Test client/);
  assert.match(page.text, /Nobody vouches for it/);
  assert.match(page.text, /127\.0\.0\.1 \(this computer\)/);
  assert.match(page.text, /the gateway members/);
  const names = page.links.map(({ text }) => text).filter((text) => text.startsWith('Continue'));
  assert.deepEqual(names.sort(), ['Continue with Company corp', 'Continue with Partners & friends']);
});
