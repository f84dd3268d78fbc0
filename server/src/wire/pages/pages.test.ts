import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Gateway } from '#domain';
import type { PendingAuthorization } from '../oauth/contract.ts';
import { accountDonePage, accountPendingPage, accountVerifyingPage } from './account-done-page.ts';
import { accountProblem } from './account-problem-page.ts';
import { askAccountPage, entryPage } from './ask-account-page.ts';
import { connectPage } from './connect-page.ts';
import { connectionsPage } from './connections-page.ts';
import { consentPage } from './consent-page.ts';
import { deviceCodePage, deviceConfirmPage, deviceDonePage } from './device-pages.ts';
import { goOnPage } from './go-on-page.ts';
import { linkEmailPage, linkForm, linkInstead, linkPage, linkSourcesPage } from './link-page.ts';
import { documentOf, type Page, pageHeaders } from './page.ts';
import { plainText } from './plain-text.ts';
import { problemPage } from './problem-page.ts';
import { scripts } from './scripts.ts';
import { sessionsPage } from './sessions-page.ts';
import { signInForAccountPage } from './sign-in-for-account-page.ts';
import { signInPage } from './sign-in-page.ts';

function askedFor(text: string) {
  const gateway = {
    slug: text,
    name: text,
    toolScopes: [{ scope: text, tools: [text] }],
  } as unknown as Gateway;
  return {
    uid: text,
    waitsFor: 'consent',
    client: { id: text, name: text, host: text, redirectHost: text },
    gateway,
    scopes: [text, 'mcp', 'openid'],
    allowedBefore: [text],
    signIn: null,
  } satisfies PendingAuthorization;
}

/** Whatever others may have written, everywhere where it is shown. */
function allPages(text: string): Readonly<Record<string, Page>> {
  const pending = askedFor(text);
  const { gateway } = pending;
  const form = { formToken: text, to: text, problem: text };
  const time = '2026-01-01T00:00:00.000Z';
  return {
    signIn: signInPage({
      pending,
      choices: [{ name: text, url: text }],
      signedInAs: text,
      link: linkInstead(linkForm(form)),
    }),
    consent: consentPage({
      pending,
      signedInAs: text,
      action: text,
      formToken: text,
      somebodyElseUrl: text,
    }),
    problem: problemPage({
      title: text,
      words: text,
      advice: text,
      retry: { url: text, text },
      reference: text,
    }),
    link: linkPage(linkForm(form)),
    email: linkEmailPage({ ...form, link: text }),
    sources: linkSourcesPage({ ...form, link: text, email: text, choices: [{ name: text, value: text }] }),
    goOn: goOnPage({ url: text, title: text, words: text }),
    sessions: sessionsPage({
      signedInAs: text,
      formToken: text,
      signIns: [{ id: text, where: text, by: text, createdAt: time, isThis: true }],
      consents: [
        { clientId: text, client: text, host: text, gatewayId: text, gateway: text, createdAt: time },
      ],
    }),
    connect: connectPage({ slug: text, url: text, signsIn: true, takesKeys: true }),
    connectByKey: connectPage({ slug: text, url: text, signsIn: false, takesKeys: true }),
    deviceCode: deviceCodePage({ form: '', problem: text }),
    deviceConfirm: deviceConfirmPage({
      form: '',
      userCode: text,
      client: pending.client,
      scopes: [text],
      gateway,
    }),
    ...accountPages(text),
    deviceDone: deviceDonePage({ clientName: text }),
  };
}

function accountPages(text: string): Readonly<Record<string, Page>> {
  const asked = { label: text, userId: text, host: text, scopes: [text, text], account: text };
  const form = { asked, action: text, formToken: text };
  const time = '2026-01-01T00:00:00.000Z';
  const account = {
    id: text,
    label: text,
    name: text,
    userId: text,
    isOneOfSeveral: true,
    host: text,
    scopes: [text],
    gateways: [text],
    tools: [text],
    createdAt: time,
    lastUsedAt: time,
  };
  const project = {
    id: text,
    name: text,
    accounts: [
      { ...account, works: true, isDefault: true },
      { ...account, works: false, isDefault: false, problem: text },
    ],
    providers: [
      { id: text, label: text, description: `The ${text}`, userIds: [text, text], isConnected: true },
      { id: text, label: text, description: `The ${text}`, userIds: [text], isConnected: false },
    ],
    failures: [{ id: text, label: text, reason: text, advice: text, code: text, endedAt: time }],
  };
  const signIn = {
    choices: [{ name: text, url: text }],
    link: linkInstead(linkForm({ formToken: text, to: text })),
  };
  return {
    askAccount: askAccountPage(form),
    entry: entryPage({
      ...form,
      instructions: text,
      fields: [
        { name: text, label: text, isSecret: true, problem: text },
        { name: text, label: text, isSecret: false },
      ],
      problem: text,
    }),
    accountDone: accountDonePage({ label: text, isSignedIn: true }),
    accountVerifying: accountVerifyingPage({ label: text }),
    accountPending: accountPendingPage({ label: text }),
    accountFailed: accountProblem({ kind: 'failed', reason: text, advice: text, reference: text }).page,
    wrongPerson: signInForAccountPage({ ...signIn, what: 'link', signedInAs: text, reference: text }),
    signInFirst: signInForAccountPage({ ...signIn, what: 'own', signedInAs: null, reference: text }),
    connections: connectionsPage({
      signedInAs: text,
      formToken: text,
      projects: [project, project],
      notice: { isBad: true, text },
    }),
  };
}

/** The shape of a page: its tags and the names of their attributes. */
function shapeOf(html: string): string[] {
  return [...html.matchAll(/<\/?([a-z0-9]+)((?:\s+[a-z-]+(?:="[^"]*")?)*)\s*\/?>/gi)].map(
    ([, tag, attributes = '']) =>
      `${tag} ${[...attributes.matchAll(/([a-z-]+)(?:="[^"]*")?/gi)].map(([, name]) => name).join(' ')}`,
  );
}

const hostile = [
  '<script>alert(1)</script>',
  `"><img src=x onerror=alert(1)>`,
  `' onmouseover='alert(1)' x='`,
  '</title></style></script><svg onload=alert(1)>',
  'javascript:alert(1)//<',
];

test('whatever clients, issuers and people call themselves stays text on every page', async () => {
  const calm = allPages('calm');
  for (const text of hostile) {
    for (const [name, page] of Object.entries(allPages(text))) {
      const html = await documentOf(page);
      assert.deepEqual(shapeOf(html), shapeOf(await documentOf(calm[name] as Page)), `${name}: ${text}`);
      assert.ok(!html.includes(text.slice(0, 12)) || !/[<>"']/.test(text.slice(0, 12)), `${name}: ${text}`);
    }
  }
});

test('a name cannot turn, hide or drown the words around it', () => {
  assert.equal(plainText('Claude\u202Eedoc\u202C \u200Bfake\n\r\tname'), 'Claude edoc fake name');
  assert.equal([...plainText('x'.repeat(5000))].length, 80);
  assert.equal([...plainText('😀'.repeat(200))].length, 80);
  assert.equal(plainText('\u0000\u2028'), '');
});

test('a client without a name is called by its host, else simply an application', async () => {
  const consent = allPages('').consent as Page;
  assert.equal(consent.title, 'Allow An application to act as you?');
});

test('who registered itself is said to be vouched for by nobody', async () => {
  const pending = {
    client: { id: 'x', name: 'Claude', host: null, redirectHost: 'evil.example' },
    gateway: null,
  };
  const html = await documentOf(signInPage({ pending, choices: [], signedInAs: null, link: null }));
  assert.match(html, /Nobody vouches for it/);
  assert.match(html, /evil\.example/);
});

test('what is allowed with the API is said to be all that the person may do', async () => {
  const client = {
    id: 'sallyport-cli',
    name: 'Sallyport command line',
    host: null,
    redirectHost: 'localhost',
  };
  const pending = { ...askedFor('x'), client, gateway: null, scopes: ['openid'], allowedBefore: [] };
  const shown = { signedInAs: 'ada', action: '/', formToken: '', somebodyElseUrl: '/' };
  const device = { form: '', userCode: 'ABCD', client, scopes: ['openid'], gateway: null };
  for (const page of [consentPage({ pending, ...shown }), deviceConfirmPage(device)]) {
    const html = await documentOf(page);
    assert.match(html, /this server itself/);
    assert.match(html, /Do everything on this server that you may do, as you/);
  }
});

test('no page has a script of its own, an event handler or a style of its own, and each says its language and title', async () => {
  for (const [name, page] of Object.entries(allPages('calm'))) {
    const html = await documentOf(page);
    assert.doesNotMatch(html, /<script(?![^>]* src="\/oauth2\/assets\/)/, name);
    assert.doesNotMatch(html, /\son[a-z]+=|\sstyle=|javascript:/i, name);
    assert.match(html, /<html lang="en">/);
    assert.match(html, /<title>[^<]+<\/title>/);
    assert.equal([...html.matchAll(/<h1>/g)].length, 1, name);
    for (const [, id] of html.matchAll(/<input type="(?:text|email|password)" id="([^"]+)"/g)) {
      assert.ok(html.includes(`<label for="${id}">`), `${name}: ${id} has a label`);
    }
  }
});

test('pages are kept nowhere, framed nowhere, send forms only to us, and load only our script', () => {
  const headers = pageHeaders();
  assert.equal(headers['cache-control'], 'no-store');
  assert.equal(headers['x-frame-options'], 'DENY');
  assert.equal(headers['referrer-policy'], 'same-origin');
  const policy = headers['content-security-policy'] ?? '';
  for (const part of [
    "default-src 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ]) {
    assert.ok(policy.includes(part), part);
  }
  assert.ok(!policy.includes('script-src') && !policy.includes('unsafe'));
  assert.ok(pageHeaders([...scripts.keys()][0])['content-security-policy']?.includes("script-src 'self'"));
});
